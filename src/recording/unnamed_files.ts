import { decodeBytes } from "../frame/decode.ts";
import { FileBytes } from "./bytes.ts";
import { codecOf } from "./codec.ts";
import type { FileFacts } from "./file_facts.ts";
import type { FileGroup } from "./file_groups.ts";
import { ownersOf } from "./name.ts";
import { scanLines } from "./scan.ts";

const MAGIC_BYTES = 64;
/** An index line may stand behind the last frame, and what is no line. */
const LAST_LINES = 4;

/** The time of the last frame; `null` where there is none. All is decoded: such a file has no index that tells. */
async function lastTime(path: string): Promise<number | null> {
  const last: Buffer[] = [];
  try {
    const file = FileBytes.open(path);
    try {
      for await (const scanned of scanLines(file, codecOf(file.read(0, MAGIC_BYTES)))) {
        if ("skipped" in scanned) continue;
        last.push(Buffer.from(scanned.line));
        if (last.length > LAST_LINES) last.shift();
      }
    } finally {
      file.close();
    }
  } catch {
    return null;
  }
  return last.map(timeOf).findLast((t_ms) => t_ms !== null) ?? null;
}

const lastTimes = new WeakMap<FileFacts, Promise<number | null>>();

/** Whether all frames of a file are from before that time; to know it, the file is decoded if need be, once. */
export async function isBefore(file: FileFacts, t_ms: number): Promise<boolean> {
  const { path, changed_ms, first_t_ms } = file;
  // What was copied, or is of another clock, has not been changed when its frames say.
  if (first_t_ms !== null && first_t_ms <= changed_ms && changed_ms <= t_ms) return true;
  const looking = lastTimes.get(file) ?? lastTime(path);
  lastTimes.set(file, looking);
  const last_t_ms = await looking;
  return last_t_ms !== null && last_t_ms <= t_ms;
}

function timeOf(bytes: Uint8Array): number | null {
  const line = decodeBytes(Buffer.from(bytes), 0, bytes.length);
  return line.kind === "frame" ? line.frame.t_ms : null;
}

/**
 * Puts files without a UUID together: the Rust tool's segments, of which only the first has a header. They are one
 * recording where their headers agree and their times do not overlap.
 */
export async function joinedByTimes(files: readonly FileFacts[]): Promise<FileGroup[]> {
  const called = new Map(files.map(({ path }) => [path, 1]));
  const numbered = new Map<string, number>();
  for (const { path } of files) {
    for (const owner of ownersOf(path)) numbered.set(owner.path, (numbered.get(owner.path) ?? 0) + 1);
  }
  /** The recording that a file may be a closed segment of, if there is more of that; else itself. */
  const stemOf = ({ path }: FileFacts): string => {
    if (numbered.has(path)) return path;
    const shared = ownersOf(path).find((owner) => (numbered.get(owner.path) ?? 0) + (called.get(owner.path) ?? 0) > 1);
    return shared?.path ?? path;
  };
  const groups: FileGroup[] = [];
  for (const [stem, some] of Map.groupBy(files, stemOf)) {
    if (some.length === 1) groups.push({ active: some[0]?.path ?? stem, files: some, copies: [] });
    else groups.push(...(await chainsOf(stem, some)));
  }
  return groups;
}

async function chainsOf(stem: string, files: readonly FileFacts[]): Promise<FileGroup[]> {
  const number = ({ path }: FileFacts): number =>
    ownersOf(path).find((owner) => owner.path === stem)?.number ?? Number.POSITIVE_INFINITY;
  const chains: FileFacts[][] = [];
  for (const file of files.toSorted((a, b) => (number(a) < number(b) ? -1 : 1))) {
    const chain = await nearest(chains, file);
    if (chain === undefined) chains.push([file]);
    else chain.push(file);
  }
  return chains.map((chain) => ({ active: activeOf(stem, chain), files: chain, copies: [] }));
}

/** A file that stands alone goes by its own name. */
const activeOf = (stem: string, files: readonly FileFacts[]): string =>
  files.length === 1 ? (files[0]?.path ?? stem) : stem;

/** Of the chains that end before a file begins, and agree with it, the one that goes to the highest number. */
async function nearest(chains: readonly FileFacts[][], file: FileFacts): Promise<FileFacts[] | undefined> {
  if (file.first_t_ms === null) return undefined;
  for (const chain of chains.toReversed()) {
    const [first, last] = [chain[0], chain.at(-1)];
    if (first === undefined || last === undefined || !agree(first, file) || !agree(last, file)) continue;
    if (await isBefore(last, file.first_t_ms)) return chain;
  }
  return undefined;
}

/** Nothing that both say differs. A file without a header tells of hosts by the devices in its first frame. */
function agree(one: FileFacts, other: FileFacts): boolean {
  if (one.interval_ms !== null && other.interval_ms !== null && one.interval_ms !== other.interval_ms) return false;
  if (one.hosts.length === 0 || other.hosts.length === 0) return true;
  if (one.hasHeader && other.hasHeader) return one.hosts.join("\n") === other.hosts.join("\n");
  return one.hosts.some((host) => other.hosts.includes(host));
}
