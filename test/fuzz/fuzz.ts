import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Chance } from "./chance.ts";
import type { Fuzzed, OpenKind, RunCase } from "./kind.ts";

/**
 * Inputs of one kind that are wrong somewhere: none may crash, hang, take memory without bound, or get through with what
 * is not fit for a terminal. `bun test/fuzz/fuzz.ts --kind recordings --count 20000 --seed 1`; `--only N` runs one case
 * of that seed alone.
 */

/** Loaded when they are needed: what one kind takes is not to be counted with another's. */
const KINDS: Readonly<Record<string, () => Promise<OpenKind>>> = {
  recordings: async () => (await import("./recordings.ts")).openRecordings,
  pages: async () => (await import("./pages.ts")).openPages,
  snapshots: async () => (await import("./pages.ts")).openSnapshots,
  hostfiles: async () => (await import("./hostfiles.ts")).openHostfiles,
  "nvidia-smi": async () => (await import("./nvidia_smi.ts")).openNvidiaSmi,
  trees: async () => (await import("./trees.ts")).openTrees,
};

interface FuzzOptions {
  readonly fuzzed: Fuzzed;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}

interface FuzzReport {
  readonly outcomes: ReadonlyMap<string, number>;
  /** By CPU time: what else the machine does is no matter. */
  readonly slowest: { readonly n: number; readonly cpu_ms: number };
  /** Cases that took too long, in words. */
  readonly slow: readonly string[];
  /** Resident memory after a quarter of the cases and at the end (without garbage), and at most. */
  readonly rssBytes: { readonly early: number; readonly last: number; readonly most: number };
}

/** Throws on the first case that shows a mistake, and names it. */
async function fuzz({ fuzzed, seed, from, count }: FuzzOptions): Promise<FuzzReport> {
  const outcomes = new Map<string, number>();
  const slow: string[] = [];
  let slowest = { n: from, cpu_ms: 0 };
  const rss = { early: 0, last: 0, most: 0 };
  for (let n = from; n < from + count; n++) {
    const start = process.cpuUsage();
    const outcome = await caseOf(fuzzed.runCase, seed, n);
    const { user, system } = process.cpuUsage(start);
    const cpu_ms = (user + system) / 1000;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (cpu_ms > slowest.cpu_ms) slowest = { n, cpu_ms };
    if (cpu_ms > fuzzed.most_ms) slow.push(`case ${n}: ${Math.round(cpu_ms)} ms`);
    rss.most = Math.max(rss.most, process.memoryUsage.rss());
    if (n - from === Math.floor(count / 4)) rss.early = collectedBytes();
    if ((n - from + 1) % 1000 === 0) console.error(`${n - from + 1} cases`);
  }
  rss.last = collectedBytes();
  return { outcomes, slowest, slow, rssBytes: rss };
}

function collectedBytes(): number {
  Bun.gc(true);
  return process.memoryUsage.rss();
}

async function caseOf(runCase: RunCase, seed: number, n: number): Promise<string> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waits for ${HANG_MS} ms`)), HANG_MS);
  try {
    return await Promise.race([runCase(new Chance(Math.imul(seed, 0x9e3779b1) ^ n)), promise]);
  } catch (error) {
    throw new Error(`case ${n} of seed ${seed}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const HANG_MS = 60_000;
const MIB = 1 << 20;
const MOST_RSS_BYTES = 900 * MIB;
const MOST_GROWTH_BYTES = 200 * MIB;

const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

/** Says how it went; whether all was well. */
function report({ outcomes, slowest, slow, rssBytes }: FuzzReport, title: string, most_ms: number): boolean {
  const ranked = [...outcomes].sort(([, a], [, b]) => b - a).map(([outcome, count]) => `${count} ${outcome}`);
  console.log(`${title}: ${ranked.slice(0, 12).join(", ")}`);
  console.log(
    `slowest: case ${slowest.n}, ${Math.round(slowest.cpu_ms)} ms of CPU time; over ${most_ms} ms: ${slow.length}`,
  );
  for (const words of slow) console.log(`  ${words}`);
  console.log(`resident: ${mib(rssBytes.early)} early, ${mib(rssBytes.last)} last, ${mib(rssBytes.most)} at most`);
  const isGrown = rssBytes.last - rssBytes.early > MOST_GROWTH_BYTES || rssBytes.most > MOST_RSS_BYTES;
  return slow.length === 0 && !isGrown;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kind: { type: "string", default: "recordings" },
      count: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
      from: { type: "string", default: "0" },
    },
  });
  const load = KINDS[values.kind];
  if (load === undefined) throw new Error(`--kind ${values.kind}: one of ${Object.keys(KINDS).join(", ")}`);
  const seed = Number(values.seed);
  const from = Number(values.only ?? values.from);
  const count = values.only === undefined ? Number(values.count) : 1;
  const folder = mkdtempSync(join(tmpdir(), "all-smi-fuzz-"));
  try {
    using fuzzed = await (await load())(folder);
    const title = `${values.kind}, seed ${seed}, cases ${from} to ${from + count - 1}`;
    if (!report(await fuzz({ fuzzed, seed, from, count }), title, fuzzed.most_ms)) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await main();
