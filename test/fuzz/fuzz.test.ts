import { expect, test } from "bun:test";
import { join } from "node:path";

/** In a process of its own, so that its memory is that of the fuzz. What fails names a case that can be run again. */
test("mutated recordings: no crash, no hang, bounded memory", async () => {
  const seed = String(Date.now() % 1_000_000);
  const command = [process.execPath, join(import.meta.dir, "fuzz.ts"), "--count", "400", "--seed", seed];
  const fuzz = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [output, problems] = await Promise.all([fuzz.stdout.text(), fuzz.stderr.text()]);
  expect({ output, problems, exitCode: await fuzz.exited }).toMatchObject({ exitCode: 0 });
  expect(Number(/ (\d+) drawn/.exec(output)?.[1])).toBeGreaterThan(200);
}, 120_000);
