import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { PROGRAM, start, testFolder } from "./run.ts";

testFolder();

/** Its status, and what it said, where nobody reads its output any more. */
async function unread(reader: string, ...options: string[]): Promise<string> {
  const shell = `{ "$0" "$@"; echo "$?" >&2; } | ${reader}`;
  return (await start(["sh", "-c", shell, ...PROGRAM, ...options]).ended).err;
}

test("doctor says no word where nobody reads on", async () => {
  expect(await unread("head -n 1", "doctor")).toMatch(/^[01]\n$/);
});

test("nor does snapshot, which has found devices whether somebody reads or not", async () => {
  const many = ["snapshot", "--mock", "1x1", "--include", "gpu", "--samples", "1000", "-i", "0.1"];
  expect(await unread("true", ...many)).toBe("0\n");
});

test.skipIf(!existsSync("/dev/full")).each<{ command: string; options: string[] }>([
  // Of the simulated readers that of GPUs never fails, which would be said, too.
  { command: "snapshot", options: ["--mock", "1x1", "--include", "gpu"] },
  { command: "record", options: ["-o", "-", "--mock", "1x1", "-i", "0.1"] },
])("$command says that it was standard output which found no room", async ({ command, options }) => {
  const { code, err } = await start(["sh", "-c", '"$0" "$@" >/dev/full', ...PROGRAM, command, ...options]).ended;
  expect([code, err]).toEqual([1, "all-smi: standard output: disk full\n"]);
});
