import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { complaint, counted, EXTENSIONS, framesOf, type Line, readFrames, readLines } from "./recordings.ts";
import { record, SMALL, testFolder, until } from "./run.ts";

const root = testFolder();
let folders = 0;
function newFolder(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
}

/** The files of the recording, oldest first; the one at the path itself comes last. */
function segmentNames(folder: string): string[] {
  const number = (name: string): number => Number(/\.(\d+)\./.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
  return readdirSync(folder)
    .filter((name) => name.includes(".ndjson"))
    .sort((a, b) => number(a) - number(b));
}

async function readSegments(folder: string): Promise<Line[][]> {
  return await Promise.all(segmentNames(folder).map((name) => readLines(join(folder, name))));
}

/** Every segment stands for itself, and together they are one row of frames. */
function checkSegments(segments: readonly (readonly Line[])[]): void {
  for (const lines of segments) {
    expect(lines[0]).toMatchObject({ header: true, first_seq: framesOf(lines)[0]?.seq });
    expect(framesOf(lines).length).toBeGreaterThan(0);
    expect(framesOf(lines)[0]?.seq).toBe(lines[0]?.first_seq as number);
  }
  const seqs = segments.flatMap(framesOf).map(({ seq }) => seq ?? -1);
  expect(seqs).toEqual(counted(seqs.length, seqs[0]));
  const numbers = segments.map((lines) => lines[0]?.segment ?? -1);
  expect(numbers).toEqual(counted(numbers.length, numbers[0]));
  expect(new Set(segments.map((lines) => lines[0]?.recording)).size).toBe(1);
}

describe.concurrent.each(EXTENSIONS)("--max-size 1K --max-files 3, %s", (extension) => {
  test("keeps three segments, the newest, each whole by itself", async () => {
    const folder = newFolder();
    const path = join(folder, `t${extension}`);
    const options = ["-o", path, "--max-size", "1K", "--max-files", "3", ...SMALL, "--include", "gpu,memory"];
    const recorder = record(...options);
    let most = 0;
    await until("the seventh segment", () => {
      const names = segmentNames(folder);
      most = Math.max(most, names.length);
      return names.some((name) => Number(/\.(\d+)\./.exec(name)?.[1] ?? 0) >= 7);
    });
    recorder.child.kill("SIGTERM");
    expect((await recorder.ended).code).toBe(0);
    expect(most).toBe(3);
    const names = segmentNames(folder);
    expect(names.length).toBe(3);
    for (const name of names) expect(complaint(join(folder, name))).toBe("");
    const before = await readSegments(folder);
    checkSegments(before);
    for (const lines of before) expect(lines.at(-1)).toMatchObject({ index: true, end: true });

    expect((await record(...options, "--duration", "1.5s").ended).code).toBe(0);
    const after = await readSegments(folder);
    expect(after.length).toBe(3);
    checkSegments(after);
    expect(after.at(-1)?.[0]?.recording).toBe(before[0]?.[0]?.recording as string);
    const last = before.flatMap(framesOf).at(-1)?.seq ?? -1;
    expect(after.flatMap(framesOf).at(-1)?.seq).toBeGreaterThan(last);
  });
});

describe.concurrent("right after a rotation, when there is nothing at the path", () => {
  const ROTATE = ["--max-size", "1", "--max-files", "3"];
  /** A recorder that has just rotated, and has long to wait until its next frame. */
  async function rotated(folder: string, path: string) {
    const recorder = record("-o", path, ...ROTATE, ...SMALL, "-i", "3600");
    await until("the first rotation", () => segmentNames(folder).join() === "t.0001.ndjson.zst");
    return recorder;
  }

  test.each(["SIGTERM", "SIGKILL"] as const)("the recording goes on after %s", async (signal) => {
    const folder = newFolder();
    const path = join(folder, "t.ndjson.zst");
    const recorder = await rotated(folder, path);
    recorder.child.kill(signal);
    await recorder.ended;
    expect(segmentNames(folder)).toEqual(["t.0001.ndjson.zst"]);
    expect((await record("-o", path, ...SMALL, "--duration", "0.3s").ended).code).toBe(0);
    expect(segmentNames(folder)).toEqual(["t.0001.ndjson.zst", "t.ndjson.zst"]);
    const segments = await readSegments(folder);
    checkSegments(segments);
    expect(segments[0]?.[0]).toMatchObject({ segment: 1, first_seq: 0 });
  });

  test("a second recorder is refused", async () => {
    const folder = newFolder();
    const path = join(folder, "t.ndjson.zst");
    const recorder = await rotated(folder, path);
    const second = await record("-o", path, ...SMALL, "--duration", "0.3s").ended;
    expect(second.code).toBe(2);
    expect(second.err).toBe(
      `all-smi: ${path}: another all-smi is recording to it; stop that one, or give another path\n`,
    );
    expect(segmentNames(folder)).toEqual(["t.0001.ndjson.zst"]);
    recorder.child.kill("SIGTERM");
    expect((await recorder.ended).code).toBe(0);
  });
});

test.concurrent("--max-files 1 keeps the one under way, or the newest", async () => {
  const folder = newFolder();
  const path = join(folder, "t.ndjson.zst");
  const { code } = await record("-o", path, "--max-size", "1K", "--max-files", "1", ...SMALL, "--duration", "2s").ended;
  expect(code).toBe(0);
  expect(segmentNames(folder).length).toBe(1);
  checkSegments(await readSegments(folder));
});

test.concurrent("what is no recording is not removed, whatever it is called", async () => {
  const folder = newFolder();
  const path = join(folder, "t.ndjson");
  const foreign = join(folder, "t.0001.ndjson");
  writeFileSync(foreign, "notes of somebody\n");
  mkdirSync(join(folder, "t.0002.ndjson"));
  const recorder = record("-o", path, "--max-size", "1K", "--max-files", "2", ...SMALL);
  await until("the sixth segment", () => existsSync(join(folder, "t.0006.ndjson")));
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  expect(readFileSync(foreign, "utf8")).toBe("notes of somebody\n");
  expect(existsSync(join(folder, "t.0002.ndjson"))).toBe(true);
  // By now it may have been the oldest, too.
  const newest = readdirSync(folder).filter((name) => /^t\.\d+\.ndjson$/.test(name));
  expect((await readFrames(join(folder, newest.sort().at(-1) ?? ""))).length).toBeGreaterThan(0);
});

test.concurrent("names with dots in them, and the place where the Rust tool has the number", async () => {
  const folder = newFolder();
  const path = join(folder, "dgx-01.local.ndjson");
  const options = ["-o", path, "--max-size", "1K", ...SMALL];
  expect((await record(...options, "--duration", "1s").ended).code).toBe(0);
  expect(existsSync(join(folder, "dgx-01.local.0001.ndjson"))).toBe(true);
  const theirs = join(folder, "dgx-01.0009.local.ndjson");
  writeFileSync(theirs, readFileSync(join(folder, "dgx-01.local.0001.ndjson")));
  expect((await record(...options, "--duration", "1s").ended).code).toBe(0);
  expect(existsSync(join(folder, "dgx-01.local.0010.ndjson"))).toBe(true);
});
