import { expect, test } from "bun:test";
import { join } from "node:path";

/** A kind, how many cases of it, and how far at least so many of them must get. */
const KINDS = [
  { kind: "recordings", count: 400, outcome: "drawn", atLeast: 200 },
  { kind: "pages", count: 600, outcome: "understood", atLeast: 200 },
  { kind: "snapshots", count: 600, outcome: "understood", atLeast: 60 },
  { kind: "hostfiles", count: 3000, outcome: "understood", atLeast: 150 },
  { kind: "nvidia-smi", count: 1500, outcome: "understood", atLeast: 700 },
  { kind: "trees", count: 60, outcome: "read", atLeast: 60 },
];

/** Always the same: a change is judged by what it did, not by luck. `npm run check:fuzz` tries new ones. */
const SEED = 20_261_124;

for (const { kind, count, outcome, atLeast } of KINDS) {
  /** In a process of its own, so that its memory is that of the fuzz. What fails names a case that can be run again. */
  test(`mutated ${kind}: no crash, no hang, bounded memory, nothing for a terminal to obey`, async () => {
    const options = ["--kind", kind, "--count", `${count}`, "--seed", `${SEED}`];
    const command = [process.execPath, join(import.meta.dir, "fuzz.ts"), ...options];
    const fuzz = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
    const [output, problems] = await Promise.all([fuzz.stdout.text(), fuzz.stderr.text()]);
    expect({ output, problems, exitCode: await fuzz.exited }).toMatchObject({ exitCode: 0 });
    expect(Number(new RegExp(` (\\d+) ${outcome}`).exec(output)?.[1])).toBeGreaterThanOrEqual(atLeast);
  }, 120_000);
}
