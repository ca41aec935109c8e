import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findingsOf, machineOf } from "../../../test/doctor.ts";
import { recordingChecks } from "./recording.ts";

const named = (name: string) => recordingChecks.filter((check) => check.name === name);

async function outputAt(recording: string): Promise<string[]> {
  using machine = machineOf({});
  return await findingsOf(named("output"), { ...machine, recording });
}

test("a folder in which record can make those it needs; nothing is left there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-doctor-"));
  try {
    const recording = join(folder, "all-smi", "records", "r.ndjson.zst");
    expect(await outputAt(recording)).toEqual([`ok output: record writes to ${recording}`]);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(join(folder, "all-smi"), "");
    expect(await outputAt(recording)).toEqual([`problem output: ${recording} cannot be written: not a directory`]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.skipIf(process.platform !== "linux")("a file system that takes no files has no room either", async () => {
  const recording = "/proc/all-smi/r.ndjson.zst";
  expect(await outputAt(recording)).toEqual([expect.stringMatching(/^problem output: .* cannot be written: /)]);
  using machine = machineOf({});
  expect(await findingsOf(named("room"), { ...machine, recording })).toEqual([
    expect.stringMatching(/^problem room: 0\.0 GiB free/),
  ]);
});
