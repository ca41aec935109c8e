import { frameLine } from "../src/frame/encode.ts";
import type { Frame } from "../src/frame/frame.ts";
import type { Scrape } from "../src/frame/schema.ts";
import type { CommandMode } from "../src/sources/local/mask.ts";
import { readTargets } from "../src/sources/remote/hostfile.ts";
import { remoteSource } from "../src/sources/remote/remote.ts";
import type { Reading, Source } from "../src/sources/source.ts";
import { pageBytes } from "./exporter_pages.ts";
import { nvidiaFrame } from "./frames.ts";
import { cycleNow, rawHost } from "./hosts.ts";

/** A remote source for tests, and what they ask of its readings. */

const INCLUDE = ["gpus", "cpus", "memory", "chassis", "processes", "storage"] as const;

/** Enough for a busy machine, and not too long for what never answers. */
export const WAIT_MS = 2500;

const sources = new Set<Source>();

export function sourceOf(
  hosts: readonly string[],
  given: { token?: string; ca?: string; perCore?: boolean; command?: CommandMode } = {},
): Source {
  const { token = null, ca = null, perCore = false, command = "masked" } = given;
  const targets = readTargets(hosts, undefined);
  const source = remoteSource({ targets, include: INCLUDE, perCore, processes: 32, command, token, ca });
  sources.add(source);
  return source;
}

export function closeSources(): void {
  for (const source of sources) source.close?.();
  sources.clear();
}

export const read = async (source: Source, wait_ms = WAIT_MS): Promise<Reading> => await source.read(cycleNow(wait_ms));

export const scrapeOf = ({ scrapes = [] }: Reading, host = 0): Scrape | undefined => scrapes[host];

/** `up`, or why it is not. */
export function outcomeOf(reading: Reading, host = 0): string | null | undefined {
  const scrape = scrapeOf(reading, host);
  return scrape?.up ? "up" : scrape?.error;
}

export const dcgm = (): Uint8Array => pageBytes("dcgm_exporter_made");

export const lineOf = (frame: Partial<Frame>): string => frameLine({ ...nvidiaFrame, ...frame });

/** Nobody listens there: it was just given back. */
export async function freePort(): Promise<number> {
  const host = await rawHost(() => {});
  await host.close();
  return host.port;
}
