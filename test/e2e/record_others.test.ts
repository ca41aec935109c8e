import { expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { counted, readFrames, readLines, seqsOf } from "./recordings.ts";
import { PROGRAM, record, SMALL, start, testFolder, until } from "./run.ts";

const root = testFolder();
let folders = 0;
function newFolder(): string {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
}

const recordFor = async (path: string, duration: string, ...options: string[]): Promise<void> => {
  const { code, err } = await record("-o", path, "--duration", duration, ...SMALL, ...options).ended;
  expect([code, err.includes("cannot")]).toEqual([0, false]);
};

const info = async (path: string): Promise<{ frames: number; segments: { path: string }[]; ended: string }> =>
  JSON.parse((await start([...PROGRAM, "info", path, "--json"]).ended).out);

/** The UUID that each file has. */
const recordingOf = async (path: string): Promise<string | undefined> => (await readLines(path))[0]?.recording;

const ROTATE = ["--max-size", "1K", "--max-files", "1"];

test.concurrent("recordings that are called like segments stay as they are, and are recordings of their own", async () => {
  const folder = newFolder();
  const names = ["job.4711.ndjson.zst", "job.4712.ndjson.zst", "job.20260418.ndjson.zst"];
  const paths = names.map((name) => join(folder, name));
  for (const path of paths) await recordFor(path, "0.3s");
  const before = paths.map((path) => readFileSync(path));
  const frames = await Promise.all(paths.map(async (path) => (await readFrames(path)).length));

  const path = join(folder, "job.ndjson.zst");
  await recordFor(path, "1.2s", ...ROTATE);
  expect(paths.map((one, n) => readFileSync(one).equals(before[n] ?? Buffer.alloc(0)))).toEqual([true, true, true]);
  const own = readdirSync(folder).filter((name) => !names.includes(name));
  expect(own).toEqual([expect.stringMatching(/^job\.(00\d\d\.)?ndjson\.zst$/)]);
  const recordings = await Promise.all(paths.map(recordingOf));
  expect(recordings).not.toContain(await recordingOf(join(folder, own[0] ?? "")));

  for (const [n, one] of paths.entries()) {
    expect(await info(one)).toMatchObject({ frames: frames[n], segments: [{ path: one }] });
  }
  expect((await info(path)).segments.map((segment) => segment.path)).toEqual([join(folder, own[0] ?? "")]);
  const { code, err } = await start([...PROGRAM, "info", folder]).ended;
  expect([code, err]).toEqual([
    2,
    `all-smi: ${folder}: there are several recordings in it, give one: ${[...names, "job.ndjson.zst"].sort().join(", ")}\n`,
  ]);
});

test.concurrent("a recording that is under way is not removed, whatever it is called", async () => {
  const folder = newFolder();
  const live = join(folder, "run.2026.ndjson");
  const recorder = record("-o", live, ...SMALL);
  await until("a frame", async () => existsSync(live) && (await readFrames(live)).length > 0);
  await recordFor(join(folder, "run.ndjson"), "1s", ...ROTATE);
  const { length } = await readFrames(live);
  await until("frames after it", async () => (await readFrames(live)).length > length);
  expect(await info(live)).toMatchObject({ ended: "recording" });
  recorder.child.kill("SIGTERM");
  const { code, err } = await recorder.ended;
  expect([code, err.includes("moved or removed")]).toEqual([0, false]);
  const frames = await readFrames(live);
  expect(seqsOf(frames)).toEqual(counted(frames.length));
});

test.concurrent("where there is nothing at the path, another recording's file is not gone on from", async () => {
  const folder = newFolder();
  const other = join(folder, "job.4712.ndjson.zst");
  await recordFor(other, "0.3s");
  const path = join(folder, "job.ndjson.zst");
  await recordFor(path, "0.3s");
  const [header] = await readLines(path);
  expect(header).toMatchObject({ segment: 1, first_seq: 0, file: "job.ndjson.zst" });
  expect(header?.recording).not.toBe(await recordingOf(other));
});

test.concurrent("what stands under the next number is passed over and stays: a folder, a link, anything", async () => {
  const folder = newFolder();
  const path = join(folder, "t.ndjson");
  mkdirSync(join(folder, "t.0001.ndjson"));
  writeFileSync(join(folder, "t.0002.ndjson"), "notes\n");
  symlinkSync("nowhere", join(folder, "t.0003.ndjson"));
  const recorder = record("-o", path, ...SMALL);
  await until("a frame", async () => existsSync(path) && (await readFrames(path)).length > 0);
  // The number that its header has is taken while it is written.
  writeFileSync(join(folder, "t.0004.ndjson"), "more notes\n");
  recorder.child.kill("SIGHUP");
  await until("the rotation", () => existsSync(join(folder, "t.0005.ndjson")));
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  expect(readFileSync(join(folder, "t.0002.ndjson"), "utf8")).toBe("notes\n");
  expect(readFileSync(join(folder, "t.0004.ndjson"), "utf8")).toBe("more notes\n");
  expect((await readFrames(join(folder, "t.0005.ndjson"))).length).toBeGreaterThan(0);
});

test.concurrent("a recording that was renamed with its segments opens whole, and goes on", async () => {
  const folder = newFolder();
  const path = join(folder, "old.ndjson");
  await recordFor(path, "1s", "--max-size", "1K");
  await recordFor(path, "0.3s");
  const { frames } = await info(path);
  for (const name of readdirSync(folder)) renameSync(join(folder, name), join(folder, name.replace("old", "new.4711")));
  const renamed = join(folder, "new.4711.ndjson");
  const numbered = join(folder, "new.4711.0001.ndjson");
  expect(await info(renamed)).toMatchObject({ frames });
  expect(await info(numbered)).toMatchObject({ frames });
  expect(await info(folder)).toMatchObject({ frames });
  await recordFor(renamed, "0.3s");
  expect((await info(renamed)).frames).toBeGreaterThan(frames);
});

test.concurrent("a copy beside a recording is no segment of it: its frames are there once, and it is not removed", async () => {
  const folder = newFolder();
  const path = join(folder, "t.ndjson.zst");
  await recordFor(path, "0.5s");
  const copy = join(folder, "t.20260418.ndjson.zst");
  copyFileSync(path, copy);
  const { frames } = await info(path);
  expect(frames).toBe((await readFrames(path)).length);
  expect(await info(copy)).toMatchObject({ frames });
  await recordFor(path, "1s", ...ROTATE);
  expect((await readFrames(copy)).length).toBe(frames);
});
