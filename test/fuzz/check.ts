import { join } from "node:path";
import { parseArgs } from "node:util";

/**
 * Fuzzes every kind of input in turn, with seeds that were never tried, until the time is over:
 * `npm run check:fuzz -- --minutes 60`. Prints each seed; a finding can be run again with `bun test/fuzz/fuzz.ts`.
 */

/** Cases of each kind in one round: about as long for each. */
const ROUND: readonly (readonly [kind: string, count: number])[] = [
  ["recordings", 2000],
  ["pages", 4000],
  ["snapshots", 4000],
  ["hostfiles", 20_000],
  ["nvidia-smi", 10_000],
  ["trees", 400],
];

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" }, seed: { type: "string" } } });
const end_ms = performance.now() + Number(values.minutes) * 60_000;
const first = Number(values.seed ?? Math.floor(Date.now() / 1000) % 1_000_000_000);
let runs = 0;
let findings = 0;
for (let seed = first; performance.now() < end_ms; seed++) {
  for (const [kind, count] of ROUND) {
    if (performance.now() >= end_ms) break;
    const command = [process.execPath, join(import.meta.dir, "fuzz.ts")];
    const options = ["--kind", kind, "--count", `${count}`, "--seed", `${seed}`];
    const run = Bun.spawn([...command, ...options], { stdout: "pipe", stderr: "pipe" });
    const [output, problems] = await Promise.all([run.stdout.text(), run.stderr.text()]);
    const isWell = (await run.exited) === 0;
    runs++;
    console.log(output.trimEnd());
    if (isWell) continue;
    findings++;
    console.log(`FOUND by ${options.join(" ")}:\n${problems.replace(/^\d+ cases\n/gm, "")}`);
  }
}
console.log(`seeds from ${first} on, ${runs} runs: ${findings} with a finding`);
process.exitCode = findings === 0 ? 0 : 1;
