import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FileBytes } from "../../src/recording/bytes.ts";
import { codecs } from "../../src/recording/codec.ts";
import { examine } from "../../src/recording/examine.ts";
import { bareFrame, openRecorder, recordFrames, writeFrames } from "./in_process.ts";
import { complaint, counted, EXTENSIONS, isFrame, readFrames, scanned, seqsOf } from "./recordings.ts";
import { testFolder } from "./run.ts";

const root = testFolder();

/** In a compressed file this line is several blocks, and yet few bytes. */
const longText = (extension: string): string => "long ".repeat(extension === ".ndjson" ? 20 : 60_000);

interface Sample {
  readonly bytes: Buffer;
  /** The file's size when the frame of that number had just been flushed. */
  readonly flushedAt: readonly number[];
  readonly texts: readonly string[];
}

/** Two stretches, both closed: every way in which a recorder can have been stopped is a prefix of that. */
async function makeSample(extension: string): Promise<Sample> {
  const path = join(root, `sample${extension}`);
  const flushedAt: number[] = [];
  const note = () => flushedAt.push(statSync(path).size);
  for (const frames of [
    [bareFrame(0, "cpu: 1"), bareFrame(1, longText(extension)), bareFrame(2, "cpu: 3")],
    [bareFrame(3, "cpu: 4"), bareFrame(4, "cpu: 5")],
  ]) {
    const recorder = await openRecorder(path);
    await writeFrames(recorder, frames, note);
    await recorder.close();
  }
  return { bytes: readFileSync(path), flushedAt, texts: await frameTexts(path) };
}

const frameTexts = async (path: string): Promise<string[]> =>
  (await scanned(path)).split("\n").filter((text) => text !== "" && isFrame(JSON.parse(text)));

const codecOf = (extension: string) =>
  extension.endsWith(".zst") ? codecs.zstd : extension.endsWith(".gz") ? codecs.gzip : codecs.none;

describe.each(EXTENSIONS)("cut off at any byte, %s", (extension) => {
  const folder = join(root, extension);
  mkdirSync(folder);
  let sample: Sample;
  beforeAll(async () => {
    sample = await makeSample(extension);
  });

  test("all frames that were flushed are read", async () => {
    const { bytes, flushedAt, texts } = sample;
    const path = join(root, `cut${extension}`);
    for (let size = 0; size <= bytes.length; size++) {
      writeFileSync(path, bytes.subarray(0, size));
      const found = await frameTexts(path);
      const flushed = flushedAt.filter((at) => at <= size).length;
      if (found.length < flushed || found.length > flushed + 1) throw new Error(`${found.length} frames at ${size}`);
      expect(found).toEqual(texts.slice(0, found.length));
      const file = FileBytes.open(path);
      const { kind } = examine(file, codecOf(extension));
      file.close();
      expect([size, kind]).toEqual([size, found.length === 0 ? "empty" : "continue"]);
    }
  });

  test("it is continued in the same file, and loses no frame", async () => {
    const { bytes, flushedAt, texts } = sample;
    const near = new Set(flushedAt.flatMap((at) => counted(17, at - 8)));
    const sizes = counted(bytes.length + 1).filter((size) => size % 13 === 0 || near.has(size));
    for (const size of sizes) {
      const path = join(folder, `t${size}${extension}`);
      writeFileSync(path, bytes.subarray(0, size));
      const before = await frameTexts(path);
      await recordFrames(path, [bareFrame(9, "cpu: more")]);
      const after = await readFrames(path);
      expect([size, ...seqsOf(after)]).toEqual([size, ...counted(before.length + 1)]);
      expect((await frameTexts(path)).slice(0, -1)).toEqual(texts.slice(0, before.length));
      expect(complaint(path)).toBe("");
    }
    expect(readdirSync(folder).length).toBe(sizes.length);
  });
});
