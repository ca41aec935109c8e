import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { complaint, counted, EXTENSIONS, isFrame, linesOf, readFrames, scanned, seqsOf } from "./recordings.ts";
import { record, SMALL, testFolder, until } from "./run.ts";

const root = testFolder();

const seed = Number(process.env.ALL_SMI_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
console.log(`ALL_SMI_TEST_SEED=${seed}`);

/** mulberry32: numbers from 0 to 1 that are the same for the same seed. */
function randomNumbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Frames of a megabyte, so that a kill has a write to hit. */
const BIG = ["--source", "mock", "--mock", "20x8", "-i", "0.1", "--keep-free", "0"];
const SIZES = [
  ["small", SMALL, 8],
  ["big", BIG, 4],
] as const;

const cases = EXTENSIONS.flatMap((extension) =>
  SIZES.map(([size, options, kills]) => ({ extension, size, options, kills })),
);

/** The frames of a file as they stand there, in whatever state it is. */
async function frameTexts(path: string): Promise<string[]> {
  const texts = (await scanned(path)).split("\n").slice(0, -1);
  return texts.filter((text) => isFrame(JSON.parse(text)));
}

/** Records until a random moment, kills, and gives the file's bytes of just before. */
async function recordAndKill(path: string, options: readonly string[], random: () => number): Promise<Buffer> {
  const size = existsSync(path) ? readFileSync(path).length : 0;
  const recorder = record("-o", path, ...options);
  // One in four dies while it still starts: reads, repairs, or has written nothing.
  if (random() > 0.25) await until("the file to grow", () => existsSync(path) && readFileSync(path).length > size);
  await Bun.sleep(random() * 250);
  const before = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  recorder.child.kill("SIGKILL");
  expect((await recorder.ended).code).toBe(137);
  return before;
}

test.each(cases)("killed at any moment: $size frames, $extension", async ({ extension, size, options, kills }) => {
  const folder = join(root, `${size}${extension}`);
  mkdirSync(folder);
  const path = join(folder, `t${extension}`);
  const moment = join(root, `moment-${size}${extension}`);
  const random = randomNumbers(seed + size.length + extension.length);
  let kept: string[] = [];
  for (let n = 0; n < kills; n++) {
    writeFileSync(moment, await recordAndKill(path, options, random));
    if (!existsSync(path)) continue;
    const left = await frameTexts(path);
    const visible = await frameTexts(moment);
    expect(left.slice(0, visible.length)).toEqual(visible);
    expect(left.slice(0, kept.length)).toEqual(kept);
    expect(seqsOf(linesOf(left.map((text) => `${text}\n`).join("")))).toEqual(counted(left.length));
    kept = left;
  }
  expect((await record("-o", path, ...options, "--duration", "0.3s").ended).code).toBe(0);
  expect(complaint(path)).toBe("");
  const all = await frameTexts(path);
  expect(all.length).toBeGreaterThan(kept.length);
  expect(all.slice(0, kept.length)).toEqual(kept);
  expect(seqsOf(await readFrames(path))).toEqual(counted(all.length));
  expect(readdirSync(folder)).toEqual([`t${extension}`]);
});

test("fifty that were killed in a row leave one file", async () => {
  const folder = join(root, "fifty");
  mkdirSync(folder);
  const path = join(folder, "t.ndjson.zst");
  for (let n = 0; n < 50; n++) {
    const before = existsSync(path) ? (await frameTexts(path)).length : 0;
    const recorder = record("-o", path, ...SMALL);
    await until("another frame", async () => existsSync(path) && (await frameTexts(path)).length > before);
    recorder.child.kill("SIGKILL");
    await recorder.ended;
  }
  expect((await record("-o", path, ...SMALL, "--duration", "0.2s").ended).code).toBe(0);
  expect(readdirSync(folder)).toEqual(["t.ndjson.zst"]);
  expect(complaint(path)).toBe("");
  const frames = await readFrames(path);
  expect(frames.length).toBeGreaterThan(50);
  expect(seqsOf(frames)).toEqual(counted(frames.length));
});
