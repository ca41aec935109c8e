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

export interface FuzzOptions {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
  readonly onCase?: (n: number, took_ms: number) => void;
}

export interface FuzzReport {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly slowest: { readonly n: number; readonly took_ms: number };
  /** Resident memory before, when a quarter of the cases had run, at the end, and at most. */
  readonly rssBytes: { readonly first: number; readonly early: number; readonly last: number; readonly most: number };
}

/** Throws on the first case that shows a mistake, and names it. */
export async function fuzz({ seed, from, count, onCase }: FuzzOptions): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-fuzz-"));
  const material = { sound: originals(), bombs: await makeBombs() };
  const outcomes = { refused: 0, drawn: 0 };
  let slowest = { n: from, took_ms: 0 };
  const rss = { first: process.memoryUsage.rss(), early: 0, last: 0, most: 0 };
  try {
    for (let n = from; n < from + count; n++) {
      const start = performance.now();
      outcomes[await caseOf(join(folder, "rec.ndjson"), material, seed, n)]++;
      const took_ms = performance.now() - start;
      if (took_ms > slowest.took_ms) slowest = { n, took_ms };
      onCase?.(n, took_ms);
      rss.last = process.memoryUsage.rss();
      rss.most = Math.max(rss.most, rss.last);
      if (n - from <= count / 4) rss.early = rss.last;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return { outcomes, slowest, rssBytes: rss };
}

async function caseOf(path: string, material: Material, seed: number, n: number): Promise<Outcome> {
  try {
    return await runCase(path, material, new Chance(Math.imul(seed, 0x9e3779b1) ^ n));
  } catch (error) {
    throw new Error(`case ${n} of seed ${seed}`, { cause: error });
  }
}

const SLOW_MS = 2000;
const MIB = 1 << 20;
const MOST_RSS_BYTES = 700 * MIB;
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
    onCase: (n, took_ms) => {
      if (took_ms > SLOW_MS) slow.push(`case ${n}: ${Math.round(took_ms)} ms`);
      if ((n - from + 1) % 1000 === 0) console.error(`${n - from + 1} cases`);
    },
  });
  const { outcomes, slowest, rssBytes } = report;
  const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;
  console.log(
    `seed ${seed}, cases ${from} to ${from + count - 1}: ${outcomes.drawn} drawn, ${outcomes.refused} refused`,
  );
  console.log(`slowest: case ${slowest.n}, ${Math.round(slowest.took_ms)} ms; over ${SLOW_MS} ms: ${slow.length}`);
  for (const words of slow) console.log(`  ${words}`);
  console.log(`resident: ${mib(rssBytes.early)} early, ${mib(rssBytes.last)} last, ${mib(rssBytes.most)} at most`);
  const isGrown = rssBytes.last - rssBytes.early > MOST_GROWTH_BYTES || rssBytes.most > MOST_RSS_BYTES;
  if (slow.length > 0 || isGrown) process.exitCode = 1;
}

if (import.meta.main) await main();
