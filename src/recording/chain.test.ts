import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faultyFile } from "../../test/faulty_file.ts";
import { Detector } from "../events/detector.ts";
import { decodeLine } from "../frame/decode.ts";
import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { BlockCollector } from "./block_summary.ts";
import { FileBytes } from "./bytes.ts";
import { type Chain, findLastIndex, readChain, readIndexAt } from "./chain.ts";
import { type Codec, codecs } from "./codec.ts";
import { decodeIndex, type Header, type IndexEntry, type IndexLine, indexLine } from "./lines.ts";
import { scanLines } from "./scan.ts";
import { SegmentWriter } from "./segment_writer.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-chain-"));
afterAll(() => rmSync(folder, { recursive: true }));

const frameOf = (seq: number): Frame => ({
  ...{ t_ms: seq * 1000, seq, elapsed_ms: seq * 1000, source: "local", hostname: "a", errors: [] },
});
const lineOf = (seq: number): Buffer => Buffer.from(`${frameLine(frameOf(seq))}\n`);

/** A file, and a count of the reads of it. */
class CountedBytes extends FileBytes {
  reads = 0;
  override read(at: number, length: number): Buffer {
    this.reads++;
    return super.read(at, length);
  }
}

function open<T>(path: string, use: (file: CountedBytes) => T): T {
  const reader = FileBytes.open(path);
  try {
    return use(new CountedBytes(reader.fd));
  } finally {
    reader.close();
  }
}

const chainOf = (path: string, codec: Codec): Chain | null => open(path, (file) => readChain(file, codec));

/** Records blocks of two frames each: a write that fails ends a block. */
async function recordBlocks(path: string, codec: Codec, blocks: number, isEnded: boolean): Promise<void> {
  let isFull = false;
  const file = await faultyFile(path, () => isFull);
  const header: Header = {
    ...{ t_ms: 0, interval_ms: 1000, source: "local", hosts: ["a"], all_smi_version: "0", recording: "r" },
    ...{ segment: 1, first_seq: 0, timezone: "UTC" },
  };
  const writer = new SegmentWriter(file, codec, header, new Detector({ interval_ms: 1000 }));
  for (let seq = 0; seq < blocks * 2; seq++) {
    await writer.append(frameOf(seq), lineOf(seq));
    isFull = seq % 2 === 1;
    if (isFull) await expect(writer.append(frameOf(seq + 1), lineOf(seq + 1))).rejects.toThrow("disk full");
    isFull = false;
  }
  if (isEnded) await writer.end();
  else writer.abandon();
  await file.close();
}

/** All index lines of a file, by reading all of it. */
async function scannedIndexes(path: string, codec: Codec): Promise<IndexLine[]> {
  const file = FileBytes.open(path);
  const found: IndexLine[] = [];
  for await (const one of scanLines(file, codec)) {
    if ("skipped" in one) throw new Error(one.skipped);
    const line = decodeLine(Buffer.from(one.line).toString());
    const index = line.kind === "index" ? decodeIndex(line.value) : null;
    if (index !== null) found.push(index);
  }
  file.close();
  return found;
}

const entryOf = ({ seq, byte_offset, at, block }: IndexLine): IndexEntry => ({ seq, byte_offset, at, block });

const all = [codecs.zstd, codecs.gzip, codecs.none].map((codec) => [codec.name, codec] as const);

describe.each(all)("%s", (name, codec) => {
  const path = join(folder, `long${codec.extension}`);
  const BLOCKS = 140;

  test("the chain of a long file is what reading all of it finds, in few reads", async () => {
    await recordBlocks(path, codec, BLOCKS, true);
    const indexes = await scannedIndexes(path, codec);
    expect(indexes.length).toBe(BLOCKS);
    const chain = chainOf(path, codec);
    expect(chain?.entries).toEqual(indexes.map(entryOf));
    expect(chain?.last.index).toEqual(indexes.at(-1) as IndexLine);
    expect(open(path, (file) => readChain(file, codec) && file.reads)).toBeLessThan(10);
  });

  test("every 64th index line, and the last, repeats the summaries since, and leads to the one before that did", async () => {
    const indexes = await scannedIndexes(path, codec);
    const repeating = indexes.flatMap(({ blocks }, n) => (blocks === null ? [] : [n]));
    expect(repeating).toEqual([63, 127, BLOCKS - 1]);
    let since = 0;
    for (const [n, at] of repeating.entries()) {
      const before = repeating[n - 1];
      expect(indexes[at]?.blocks).toEqual(indexes.slice(since, at).map(entryOf));
      expect(indexes[at]?.previous_summary).toBe(before === undefined ? null : (indexes[before]?.at ?? -1));
      since = at + 1;
    }
    for (const [n, { previous, end }] of indexes.entries()) {
      expect([previous, end]).toEqual([n === 0 ? null : (indexes[n - 1]?.at ?? -1), n === BLOCKS - 1]);
    }
  });

  test("each index line stands where it says, and its block decodes by itself", async () => {
    for (const { at, byte_offset, seq, block } of await scannedIndexes(path, codec)) {
      const { index, end } = open(path, (file) => readIndexAt(file, codec, at)) ?? {};
      expect([index?.seq, index?.at, (end ?? 0) > at]).toEqual([seq, at, true]);
      const { text } = open(path, (file) => codec.decodeUnit(file.read(byte_offset, at - byte_offset), 1 << 20));
      const seqs = Buffer.from(text).toString().split("\n").map(decodeLine);
      const frames = seqs.flatMap((line) => (line.kind === "frame" ? [line.frame.seq] : []));
      expect(frames).toEqual([block.first_seq, seq]);
      expect(open(path, (file) => readIndexAt(file, codec, byte_offset))).toBeNull();
    }
  });

  test("cut off anywhere, the chain leads through all that is left of it", async () => {
    const short = join(folder, `short${codec.extension}`);
    const cut = join(folder, `cut${codec.extension}`);
    await recordBlocks(short, codec, 5, true);
    const indexes = await scannedIndexes(short, codec);
    const size = open(short, (file) => file.size);
    const ends = indexes.map(({ at }) => open(short, (file) => readIndexAt(file, codec, at)?.end ?? 0));
    for (let length = 0; length <= size; length++) {
      copyFileSync(short, cut);
      truncateSync(cut, length);
      const whole = indexes.filter((_, n) => (ends[n] ?? 0) <= length);
      const entries = chainOf(cut, codec)?.entries ?? [];
      expect([length, entries]).toEqual([length, whole.map(entryOf)]);
    }
  });

  /** Blocks of one frame, with index lines that are changed before they are written. */
  function build(lie: (index: IndexLine, n: number) => IndexLine, blocks = 6, summaryEvery = 3): string {
    const lying = join(folder, `lying-${name}`);
    const parts: Buffer[] = [];
    let size = 0;
    let previous: number | null = null;
    let previous_summary: number | null = null;
    let since: IndexEntry[] = [];
    const put = (bytes: Uint8Array): void => {
      parts.push(Buffer.from(bytes));
      size += bytes.length;
    };
    for (let n = 0; n < blocks; n++) {
      const byte_offset = size;
      put(codec.encodeUnit(lineOf(n)));
      const collector = new BlockCollector({ interval_ms: null, open: [] });
      collector.add(frameOf(n), [], []);
      const at = size;
      const entry = { byte_offset, at, ...collector.sum() };
      const isSummary = n % summaryEvery === summaryEvery - 1;
      const index = { ...entry, previous, end: false, blocks: isSummary ? since : null, previous_summary };
      put(codec.encodeUnit(indexLine(lie(isSummary ? index : { ...index, previous_summary: null }, n))));
      previous = at;
      since = isSummary ? [] : [...since, entry];
      if (isSummary) previous_summary = at;
    }
    writeFileSync(lying, Buffer.concat(parts));
    return lying;
  }

  const seqsOf = (lying: string): number[] | null => chainOf(lying, codec)?.entries.map(({ seq }) => seq) ?? null;
  const only = (at: number, change: (index: IndexLine) => Partial<IndexLine>) => (index: IndexLine, n: number) =>
    n === at ? { ...index, ...change(index) } : index;

  test("index lines that are true", () => {
    expect(seqsOf(build((index) => index))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(seqsOf(build((index) => index, 7))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  const changed = (entries: readonly IndexEntry[] | null, change: Partial<IndexEntry>): IndexEntry[] =>
    (entries ?? []).map((entry, n) => (n === 0 ? { ...entry, ...change } : entry));

  test.each([
    ["leads to no index line", only(5, ({ at }) => ({ previous_summary: at - 3 }))],
    ["leads to a block", only(5, ({ previous_summary }) => ({ previous_summary: (previous_summary ?? 0) - 1 }))],
    ["leads to the beginning", only(5, () => ({ previous_summary: 0 }))],
    ["leads to itself", only(5, ({ at }) => ({ previous_summary: at }))],
    ["leads forwards", only(5, ({ at }) => ({ previous_summary: at + 1000 }))],
    ["leads nowhere, too early", only(5, () => ({ previous_summary: null }))],
    ["leaves a block out", only(5, ({ blocks }) => ({ blocks: (blocks ?? []).slice(1) }))],
    ["repeats a block", only(5, ({ blocks }) => ({ blocks: [...(blocks ?? []), ...(blocks ?? [])] }))],
    ["has blocks the wrong way round", only(5, ({ blocks }) => ({ blocks: (blocks ?? []).toReversed() }))],
    ["moves a block", only(5, ({ blocks }) => ({ blocks: changed(blocks, { byte_offset: 0 }) }))],
    ["counts otherwise", only(5, ({ blocks }) => ({ blocks: changed(blocks, { seq: 9 }) }))],
    ["skips frames", only(5, ({ seq }) => ({ seq: seq + 1 }))],
    ["begins behind the file's beginning", only(2, ({ blocks }) => ({ blocks: changed(blocks, { byte_offset: 1 }) }))],
  ])("an index line that %s: there is no chain", (_, lie) => {
    expect(seqsOf(build(lie))).toBeNull();
  });

  test("a last line that says it stands elsewhere is none: the chain ends before it", () => {
    expect(seqsOf(build(only(5, ({ at }) => ({ at: at + 1 }))))).toEqual([0, 1, 2, 3, 4]);
  });

  test("lines that lead round in circles end", () => {
    const places: number[] = [];
    const lying = build((index) => {
      places.push(index.at);
      return { ...index, blocks: null, previous: places.length > 3 ? (places[2] ?? 0) : (places.at(-1) ?? 0) };
    });
    expect(seqsOf(lying)).toBeNull();
  });

  test("a file without any index line has no chain", () => {
    const bare = join(folder, `bare-${name}`);
    writeFileSync(bare, codec.encodeUnit(lineOf(0)));
    expect([chainOf(bare, codec), open(bare, (file) => findLastIndex(file, codec))]).toEqual([null, null]);
    writeFileSync(bare, "");
    expect(chainOf(bare, codec)).toBeNull();
  });
});
