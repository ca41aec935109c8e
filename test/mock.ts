import { frameLine } from "../src/frame/encode.ts";
import type { Frame } from "../src/frame/frame.ts";
import type { SectionName } from "../src/frame/schema.ts";
import type { Cycle, Reading, Source } from "../src/sources/source.ts";

export const ALL: readonly SectionName[] = ["gpus", "cpus", "memory", "chassis", "processes", "storage"];

/** A round begins here: the middle of a working day. */
export const START_MS = Math.ceil(Date.UTC(2026, 3, 18, 12) / 600_000) * 600_000;

const cycleAt = (t_ms: number): Cycle => ({
  t_ms,
  time: new Date(t_ms).toISOString().slice(0, 19).replace("T", " "),
  monotonic_ms: t_ms,
  wait_ms: 800,
  signal: new AbortController().signal,
});

/** The mock answers at once; a promise would be a mistake. */
export function readAt(source: Source, t_ms: number): Reading {
  const reading = source.read(cycleAt(t_ms));
  if (reading instanceof Promise) throw new TypeError("the mock source answered later");
  return reading;
}

export const frameOf = (reading: Reading, t_ms: number): Frame => ({
  t_ms,
  seq: 0,
  elapsed_ms: 0,
  source: reading.scrapes === undefined ? "local" : "remote",
  hostname: "mock-0001",
  errors: [],
  ...reading,
});

export const lineAt = (source: Source, t_ms: number): string => frameLine(frameOf(readAt(source, t_ms), t_ms));
