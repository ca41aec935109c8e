import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Chance } from "./chance.ts";
import { makeBombs } from "./mutations.ts";
import { originals } from "./originals.ts";
import { type Material, type Outcome, runCase } from "./run_case.ts";

/**
 * Mutated recordings through opening, scanning, seeking, histories, events and drawing. As a program:
 * `bun test/fuzz/fuzz.ts --count 20000 --seed 1`; `--only N` runs one case of that seed alone.
 */

interface FuzzOptions {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly onCase?: (n: number, cpu_ms: number) => void;
}

interface FuzzReport {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** By CPU time: what else the machine does is no matter. */
  readonly slowest: { readonly n: number; readonly cpu_ms: number };
  /** Resident memory after a quarter of the cases and at the end (without garbage), and at most. */
  readonly rssBytes: { readonly early: number; readonly last: number; readonly most: number };
}

/** Throws on the first case that shows a mistake, and names it. */
async function fuzz({ seed, from, count, onCase }: FuzzOptions): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-fuzz-"));
  const material = { sound: originals(), bombs: await makeBombs() };
  const outcomes = { refused: 0, drawn: 0 };
  let slowest = { n: from, cpu_ms: 0 };
  const rss = { early: 0, last: 0, most: 0 };
  try {
    for (let n = from; n < from + count; n++) {
      const start = process.cpuUsage();
      outcomes[await caseOf(join(folder, "rec.ndjson"), material, seed, n)]++;
      const { user, system } = process.cpuUsage(start);
      const cpu_ms = (user + system) / 1000;
      if (cpu_ms > slowest.cpu_ms) slowest = { n, cpu_ms };
      onCase?.(n, cpu_ms);
      rss.most = Math.max(rss.most, process.memoryUsage.rss());
      if (n - from === Math.floor(count / 4)) rss.early = collectedBytes();
    }
    rss.last = collectedBytes();
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { outcomes, slowest, rssBytes: rss };
}

function collectedBytes(): number {
  Bun.gc(true);
  return process.memoryUsage.rss();
}

async function caseOf(path: string, material: Material, seed: number, n: number): Promise<Outcome> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waits for ${HANG_MS} ms`)), HANG_MS);
  try {
    return await Promise.race([runCase(path, material, new Chance(Math.imul(seed, 0x9e3779b1) ^ n)), promise]);
  } catch (error) {
    throw new Error(`case ${n} of seed ${seed}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const SLOW_MS = 2000;
const HANG_MS = 60_000;
const MIB = 1 << 20;
const MOST_RSS_BYTES = 900 * MIB;
const MOST_GROWTH_BYTES = 200 * MIB;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
      from: { type: "string", default: "0" },
    },
  });
  const seed = Number(values.seed);
  const from = Number(values.only ?? values.from);
  const count = values.only === undefined ? Number(values.count) : 1;
  const slow: string[] = [];
  const report = await fuzz({
    seed,
    from,
    count,
    onCase: (n, cpu_ms) => {
      if (cpu_ms > SLOW_MS) slow.push(`case ${n}: ${Math.round(cpu_ms)} ms`);
      if ((n - from + 1) % 1000 === 0) console.error(`${n - from + 1} cases`);
    },
  });
  const { outcomes, slowest, rssBytes } = report;
  const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;
  console.log(
    `seed ${seed}, cases ${from} to ${from + count - 1}: ${outcomes.drawn} drawn, ${outcomes.refused} refused`,
  );
  console.log(
    `slowest: case ${slowest.n}, ${Math.round(slowest.cpu_ms)} ms of CPU time; over ${SLOW_MS} ms: ${slow.length}`,
  );
  for (const words of slow) console.log(`  ${words}`);
  console.log(`resident: ${mib(rssBytes.early)} early, ${mib(rssBytes.last)} last, ${mib(rssBytes.most)} at most`);
  const isGrown = rssBytes.last - rssBytes.early > MOST_GROWTH_BYTES || rssBytes.most > MOST_RSS_BYTES;
  if (slow.length > 0 || isGrown) process.exitCode = 1;
}

await main();
