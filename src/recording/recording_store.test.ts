import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { OddFiles, openStore } from "../../test/odd_files.ts";
import { smallFrame } from "../../test/odd_recordings.ts";
import { frameLine } from "../frame/encode.ts";
import { BlockCollector, type BlockSummary } from "./block_summary.ts";
import { type CodecName, codecs } from "./codec.ts";
import { MAX_LINE_BYTES } from "./limits.ts";
import { headerLine, indexLine } from "./lines.ts";
import { BLOCK_LIMITS } from "./scan_listener.ts";

const odd = new OddFiles();
const MIB = 1 << 20;

const frameAt = (seq: number) => smallFrame(1e12 + seq * 1000, seq, seq * 1000, seq % 100);
const lineAt = (seq: number): string => `${frameLine(frameAt(seq))}\n`;
const HEADER = Buffer.from(
  headerLine({
    t_ms: 1e12,
    interval_ms: 1000,
    source: "local",
    hosts: ["a"],
    all_smi_version: "0.1.0",
    recording: "odd",
    segment: 1,
    first_seq: 0,
    timezone: "UTC",
  }),
).toString();

/** A frame of which the line is so long. */
function longLine(seq: number, bytes: number): string {
  const line = frameLine({ ...frameAt(seq), errors: ["x"] });
  const [start, end] = line.split('"x"');
  return `${start}"${"x".repeat(bytes - line.length + 1)}"${end}\n`;
}

async function write(codec: CodecName, texts: readonly string[]): Promise<string> {
  const path = odd.newPath(`rec${codecs[codec].extension}`);
  writeFileSync(path, Buffer.concat(texts.map((text) => codecs[codec].encodeUnit(Buffer.from(text)))));
  return path;
}

async function openWhole(path: string, limits = BLOCK_LIMITS) {
  const opened = await openStore(path, limits);
  await opened.store.complete();
  return opened;
}

/** Goes through all frames; gives their `seq`. */
async function seqsOf({ cursor }: Awaited<ReturnType<typeof openWhole>>): Promise<(number | null)[]> {
  const seqs: (number | null)[] = [];
  for (let one = await cursor.first(); one !== null; one = await cursor.next()) seqs.push(one.frame.seq);
  return seqs;
}

describe.each(["zstd", "gzip", "none"] as const)("what a reader takes at most, %s", (codec) => {
  test("a line of 16 MiB is a frame; a longer one is skipped and counted, and its neighbours are there", async () => {
    const longest = longLine(1, MAX_LINE_BYTES);
    expect(longest.length).toBe(MAX_LINE_BYTES + 1);
    const tooLong = [longLine(2, MAX_LINE_BYTES + 1), longLine(4, 2 * MAX_LINE_BYTES)];
    const path = await write(codec, [[lineAt(0), longest, tooLong[0], lineAt(3), ...tooLong, lineAt(5)].join("")]);
    const opened = await openWhole(path);
    expect(await seqsOf(opened)).toEqual([0, 1, 3, 5]);
    expect(opened.cursor.skipped.get("a line that is too long")).toBe(3);
    expect(opened.cursor.heldBytes).toBeLessThan(MAX_LINE_BYTES + MIB);
    opened.cursor.close();
  }, 60_000);

  test("a mass of lines that are none, behind a header, is not held", async () => {
    const path = await write(codec, [HEADER + `${"rubbish ".repeat(100)}\n`.repeat(25_000) + lineAt(0) + lineAt(1)]);
    const opened = await openWhole(path);
    expect(await seqsOf(opened)).toEqual([0, 1]);
    expect(opened.cursor.skipped.get("a line that is no frame")).toBe(25_000);
    expect(opened.cursor.heldBytes).toBeLessThan(MIB);
    opened.cursor.close();
  });

  test("another schema in the middle ends the reading; what came before stays", async () => {
    const stranger = '{"schema":2,"t":"2026-04-18T12:00:00.000Z","seq":2}\n';
    const path = await write(codec, [HEADER + lineAt(0), lineAt(1) + stranger + lineAt(3), lineAt(4)]);
    const opened = await openWhole(path);
    expect(await seqsOf(opened)).toEqual([0, 1]);
    expect(opened.cursor.refused).toBe("replay: unsupported schema version 2, this all-smi supports schema 1");
    opened.cursor.close();
  });
});

test("no more than two blocks of the largest are held", async () => {
  const texts = Array.from({ length: 40 }, (_, seq) => longLine(seq, 3 * MIB));
  const opened = await openWhole(await write("zstd", [texts.slice(0, 20).join(""), texts.slice(20).join("")]));
  let most = 0;
  const { cursor } = opened;
  for (let one = await cursor.first(); one !== null; one = await cursor.next()) most = Math.max(most, cursor.heldBytes);
  expect(cursor.range.frames).toBe(40);
  expect(most).toBeGreaterThan(15 * MIB);
  expect(most).toBeLessThanOrEqual(36 * MIB);
  cursor.close();
}, 60_000);

/** An index line that tells of these frames, perhaps not the truth. */
function indexOf(seqs: readonly number[], byte_offset: number, at: number, more: Partial<BlockSummary> = {}): string {
  const collector = new BlockCollector({ interval_ms: 1000, open: [] });
  for (const seq of seqs) collector.add(frameAt(seq), [], []);
  const { seq, block } = collector.sum();
  const line = { seq, byte_offset, at, previous: null, end: false, blocks: null, previous_summary: null };
  return Buffer.from(indexLine({ ...line, block: { ...block, ...more } })).toString();
}

describe("an index that is not true", () => {
  test("another schema in a block that it tells of", async () => {
    const block = `${lineAt(0)}{"schema":3}\n${lineAt(1)}`;
    const opened = await openWhole(await write("none", [block, indexOf([0, 1], 0, block.length)]));
    expect(opened.store.blocks.length).toBe(1);
    expect((await opened.cursor.last())?.frame.seq).toBe(0);
    expect(opened.cursor.refused).toMatch(/version 3,/);
    opened.cursor.close();
  });

  test("a block of more than 64 MiB is read in pieces", async () => {
    const lines = Array.from({ length: 30 }, (_, seq) => longLine(seq, 3 * MIB));
    const block = Buffer.from(codecs.zstd.encodeUnit(Buffer.from(lines.join(""))));
    const path = odd.newPath("rec.ndjson.zst");
    const seqs = lines.map((_, n) => n);
    writeFileSync(path, Buffer.concat([block, codecs.zstd.encodeUnit(Buffer.from(indexOf(seqs, 0, block.length)))]));
    const opened = await openWhole(path);
    expect(opened.store.blocks.length).toBe(1);
    expect(await seqsOf(opened)).toEqual(seqs);
    expect(opened.store.blocks.length).toBeGreaterThan(4);
    opened.cursor.close();
  }, 60_000);

  test("while it is found out, other moves go on: they find what is there, or wait", async () => {
    const texts: string[] = [];
    let size = 0;
    for (let n = 0; n < 20; n++) {
      const seqs = Array.from({ length: 50 }, (_, k) => n * 50 + k);
      const block = seqs.map(lineAt).join("");
      const lie = n === 10 || n === 12 ? { lowest_t_ms: 5 } : {};
      const index = indexOf(seqs, size, size + block.length, lie);
      texts.push(
        block,
        index.replace('"at":', n === 0 ? '"at":' : `"previous":${size - (texts.at(-1)?.length ?? 0)},"at":`),
      );
      size += block.length + (texts.at(-1)?.length ?? 0);
    }
    const opened = await openWhole(await write("none", texts));
    const { cursor, store } = opened;
    expect(store.blocks.length).toBe(20);
    const liar = cursor.seekTo(505).catch((error: unknown) => error);
    await Promise.resolve();
    const other = await cursor.seekTo(605);
    expect(await liar).toMatchObject({ name: "Overtaken" });
    expect([other?.frame.seq, other?.ordinal]).toEqual([605, 605]);
    expect((await cursor.seekTo(505))?.ordinal).toBe(505);
    expect((await cursor.seekTo(999))?.ordinal).toBe(999);
    expect(cursor.skipped.get("an index that is not true")).toBe(1);
    cursor.close();
  });
});
