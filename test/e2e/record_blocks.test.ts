import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { bareFrame, recordFrames } from "./in_process.ts";
import { checkIndex } from "./index_check.ts";
import { complaint, counted, EXTENSIONS, readLines, seqsOf } from "./recordings.ts";
import { testFolder } from "./run.ts";

const folder = testFolder();

describe.concurrent.each(EXTENSIONS)("blocks of a long recording, %s", (extension) => {
  test("end at every thousandth frame, and the index says where they are", async () => {
    const path = join(folder, `long${extension}`);
    const frames = counted(2100).map((n) => bareFrame(n, `cpu: ${n}`));
    await recordFrames(path, frames.slice(0, 1500));
    await recordFrames(path, frames.slice(1500));
    expect(complaint(path)).toBe("");
    const lines = await readLines(path);
    expect(seqsOf(lines)).toEqual(counted(2100));
    expect(await checkIndex(path, lines)).toBe(4);
    const indexes = lines.filter((line) => line.index);
    expect(indexes.map(({ seq }) => seq)).toEqual([1000, 1499, 2000, 2099]);
    expect(indexes.map(({ end }) => end === true)).toEqual([false, true, false, true]);
  });
});
