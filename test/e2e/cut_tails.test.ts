import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Chance } from "../fuzz/chance.ts";
import { bareFrame, openRecorder, recordFrames, writeFrames } from "./in_process.ts";
import { complaint, counted, EXTENSIONS, readFrames, seqsOf } from "./recordings.ts";
import { PROGRAM, record, SMALL, start, testFolder } from "./run.ts";
import { everySecond, framesAt } from "./view_recordings.ts";

const root = testFolder();
const FRAMES = framesAt(everySecond(8));
const WHOLE = FRAMES.length - 1;

function newPath(extension: string): { folder: string; path: string } {
  const folder = join(root, crypto.randomUUID());
  mkdirSync(folder);
  return { folder, path: join(folder, `t${extension}`) };
}

/** A killed recorder's file, cut off in the middle of its last frame. */
async function cutOff(extension: string): Promise<Buffer> {
  const { path } = newPath(extension);
  const recorder = await openRecorder(path);
  const ends: number[] = [];
  await writeFrames(recorder, FRAMES, () => ends.push(statSync(path).size));
  const bytes = readFileSync(path);
  await recorder.close();
  const [from = 0, to = 0] = ends.slice(-2);
  return bytes.subarray(0, (from + to) >> 1);
}

const random = (length: number): Buffer => {
  const chance = new Chance(7);
  return Buffer.from(counted(length).map(() => chance.below(256)));
};

const SKIPPABLE = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 200, 0, 0, 0]), random(200)]);

const TAILS: readonly [what: string, tail: Buffer][] = [
  ["zero bytes, a page of them", Buffer.alloc(4096)],
  ["very many zero bytes", Buffer.alloc(1 << 20)],
  ["a few zero bytes", Buffer.alloc(5)],
  ["random bytes", random(4096)],
  ["bytes that are all set", Buffer.alloc(4096, 0xff)],
  ["zero bytes, then random ones", Buffer.concat([Buffer.alloc(4096), random(500)])],
  ["text of another file", Buffer.from("Apr 18 12:00:00 node7 kernel: nothing\n".repeat(100))],
  ["a skippable frame of zstd", SKIPPABLE],
];

async function info(path: string): Promise<Record<string, unknown>> {
  const { code, out } = await start([...PROGRAM, "info", path, "--json"]).ended;
  expect(code).toBe(0);
  return JSON.parse(out);
}

const goOn = (path: string) => record("-o", path, "--duration", "0.2s", ...SMALL).ended;

describe.each(EXTENSIONS)("behind a line that was cut off, %s", (extension) => {
  test.each(TAILS)("%s: no frame, and gone when it is gone on with", async (_what, tail) => {
    const { folder, path } = newPath(extension);
    writeFileSync(path, Buffer.concat([await cutOff(extension), tail]));
    expect(await info(path)).toMatchObject({ frames: WHOLE, ended: "killed", last_t: "2026-04-18T12:00:06.000Z" });
    const { code, out, err } = await start([...PROGRAM, "view", "--replay", path, "--once", "--start", "100%"]).ended;
    expect([code, out.includes("12:00:06")]).toEqual([0, true]);
    expect(err).not.toContain("Error");
    expect((await goOn(path)).code).toBe(0);
    expect(readdirSync(folder)).toEqual([`t${extension}`]);
    expect(complaint(path)).toBe("");
    const seqs = seqsOf(await readFrames(path));
    expect(seqs).toEqual(counted(seqs.length));
    expect(seqs.length).toBeGreaterThan(WHOLE);
    expect(await info(path)).toMatchObject({ frames: seqs.length, skipped_lines: 0, ended: "closed" });
  });
});

test.each([".ndjson.gz", ".ndjson.zst"])("the rest of an older, longer file, %s: no frame", async (extension) => {
  const { path } = newPath(extension);
  const older = newPath(extension).path;
  // Of the same frames it would be the true rest, wherever the two happen to be as long.
  await recordFrames(older, framesAt(everySecond(60).slice(20)));
  const cut = await cutOff(extension);
  writeFileSync(path, Buffer.concat([cut, readFileSync(older).subarray(cut.length)]));
  expect(await info(path)).toMatchObject({ frames: WHOLE });
});

test.each(EXTENSIONS)("lines of another file behind, %s: nothing of them goes", async (extension) => {
  const { folder, path } = newPath(extension);
  await recordFrames(path, [bareFrame(0, "cpu: 1")]);
  const lines = Buffer.from('{"schema":1,"t":"2026-04-18T13:00:00.000Z","seq":9,"elapsed_ms":9,"hostname":"other"}\n');
  appendFileSync(path, lines);
  expect((await goOn(path)).code).toBe(0);
  const kept = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
  expect(kept.includes(lines)).toBe(true);
});

describe("plain text", () => {
  test.each(["seq", "elapsed_ms"])(
    "a last %s as large as numbers go: what is recorded behind it counts",
    async (key) => {
      const { path } = newPath(".ndjson");
      await recordFrames(path, FRAMES);
      const lines = readFileSync(path, "utf8").split("\n");
      const last = lines[FRAMES.length]?.replace(new RegExp(`"${key}":\\d+`), `"${key}":${Number.MAX_SAFE_INTEGER}`);
      writeFileSync(
        path,
        `${lines
          .with(FRAMES.length, last ?? "")
          .slice(0, -2)
          .join("\n")}\n`,
      );
      expect((await goOn(path)).code).toBe(0);
      expect((await goOn(path)).code).toBe(0);
      const frames = (await readFrames(path)).slice(FRAMES.length);
      expect(frames.length).toBeGreaterThan(1);
      for (const frame of frames) expect([frame.seq, frame.elapsed_ms].every(Number.isSafeInteger)).toBe(true);
      expect(new Set(seqsOf(frames)).size).toBe(frames.length);
      expect(await info(path)).toMatchObject({ frames: FRAMES.length + frames.length, ended: "closed" });
    },
  );

  test.each([
    ["without its newline", ""],
    ["before zero bytes", "\0".repeat(4096)],
  ])("a last line that is whole %s counts, and is kept", async (_what, tail) => {
    const { path } = newPath(".ndjson");
    const recorder = await openRecorder(path);
    await writeFrames(recorder, FRAMES);
    const bytes = readFileSync(path);
    await recorder.close();
    writeFileSync(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from(tail)]));
    expect(await info(path)).toMatchObject({ frames: FRAMES.length });
    expect((await goOn(path)).code).toBe(0);
    const seqs = seqsOf(await readFrames(path));
    expect(seqs).toEqual(counted(seqs.length));
    expect(seqs.length).toBeGreaterThan(FRAMES.length);
  });

  test("a byte order mark before the first line is passed over, also when it is gone on with", async () => {
    const { path, folder } = newPath(".ndjson");
    await recordFrames(path, FRAMES);
    writeFileSync(path, Buffer.concat([Buffer.from("\ufeff"), readFileSync(path)]));
    const marked = await info(path);
    expect(marked).toMatchObject({ frames: FRAMES.length, skipped_lines: 0, hosts: ["mock-0001"], interval_ms: 1000 });
    expect((await goOn(path)).code).toBe(0);
    expect(readdirSync(folder).length).toBeLessThan(3);
    const after = await info(path);
    expect(after.frames).toBeGreaterThan(FRAMES.length);
    expect(after.skipped_lines).toBe(0);
  });
});
