import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import zlib from "node:zlib";
import fc from "fast-check";
import { faultyFile } from "../../test/faulty_file.ts";
import { Detector } from "../events/detector.ts";
import { decodeLine } from "../frame/decode.ts";
import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { AppendFile } from "./append_file.ts";
import { FileBytes } from "./bytes.ts";
import { readChain } from "./chain.ts";
import { type Codec, codecs } from "./codec.ts";
import type { Header } from "./lines.ts";
import { SegmentWriter } from "./segment_writer.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-writer-"));
afterAll(() => rmSync(folder, { recursive: true }));

const header = (first_seq: number): Header => ({
  ...{ t_ms: 0, interval_ms: 1000, source: "local", hosts: ["a"], all_smi_version: "0.0.0", recording: "r" },
  ...{ segment: 1, first_seq, timezone: "UTC" },
});

const frameOf = (seq: number, error: string): Frame => ({
  ...{ t_ms: seq * 1000, seq, elapsed_ms: seq * 1000, source: "local", hostname: "a", errors: [error] },
});

const lineOf = (frame: Frame): Buffer => Buffer.from(`${frameLine(frame)}\n`);

/** What a strict decoder makes of a whole file; throws where anything is wrong with it. */
function strictLines(codec: Codec, bytes: Buffer): string[] {
  const decode = { zstd: zlib.zstdDecompressSync, gzip: zlib.gunzipSync, none: (plain: Buffer) => plain }[codec.name];
  if (bytes.length === 0) return [];
  const text = decode(bytes);
  const lines = text.toString().split("\n");
  expect(lines.pop()).toBe("");
  return lines;
}

/** Blocks end behind every thousandth frame; this one is close to it. */
const FIRST_SEQ = 993;

/** Records frames of these texts on a disk that fails as told. Gives those whose writing was acknowledged. */
async function record(file: AppendFile, codec: Codec, texts: readonly string[]): Promise<string[]> {
  const writer = new SegmentWriter(file, codec, header(FIRST_SEQ), new Detector({ interval_ms: 1000 }));
  const acknowledged: string[] = [];
  for (const text of texts) {
    const frame = frameOf(FIRST_SEQ + acknowledged.length, text);
    try {
      await writer.append(frame, lineOf(frame));
      acknowledged.push(lineOf(frame).toString().trimEnd());
    } catch {}
  }
  for (let isEnded = false; !isEnded; )
    isEnded = await writer.end().then(
      () => true,
      () => false,
    );
  return acknowledged;
}

const all = [codecs.zstd, codecs.gzip, codecs.none].map((codec) => [codec.name, codec] as const);

describe.each(all)("%s", (name, codec) => {
  let files = 0;
  const fresh = () => join(folder, `${name}-${files++}${codec.extension}`);

  function check(path: string, acknowledged: readonly string[]): void {
    const lines = strictLines(codec, readFileSync(path));
    const kinds = lines.map((line) => decodeLine(line).kind);
    expect(lines.filter((_, n) => kinds[n] === "frame")).toEqual([...acknowledged]);
    if (acknowledged.length === 0) {
      expect(lines).toEqual([]);
      return;
    }
    expect([kinds[0], kinds.lastIndexOf("header"), kinds.at(-1)]).toEqual(["header", 0, "index"]);
    const file = FileBytes.open(path);
    const chain = readChain(file, codec);
    file.close();
    expect(chain?.last.end).toBe(readFileSync(path).length);
    const entries = chain?.entries ?? [];
    expect(entries.length).toBe(kinds.filter((kind) => kind === "index").length);
    const counted = entries.reduce((sum, { block }) => sum + block.frames, 0);
    expect([counted, entries.at(-1)?.seq]).toEqual([acknowledged.length, FIRST_SEQ + acknowledged.length - 1]);
    for (const { byte_offset, at, block } of entries) {
      const unit = readFileSync(path).subarray(byte_offset, at);
      const frames = strictLines(codec, unit).filter((line) => decodeLine(line).kind === "frame");
      const first = block.first_seq - FIRST_SEQ;
      expect(frames).toEqual(acknowledged.slice(first, first + block.frames));
    }
  }

  test("on a disk that never fails: one block up to each thousandth frame", async () => {
    const path = fresh();
    const file = await AppendFile.create(path);
    check(path, await record(file, codec, Array(20).fill("cpu: x")));
    file.close();
    const bytes = FileBytes.open(path);
    const chain = readChain(bytes, codec);
    expect(chain?.entries.map(({ seq }) => seq)).toEqual([1000, 1012]);
    expect(chain?.last.index.end).toBe(true);
    bytes.close();
  });

  test("whenever an append fails, once: nothing that was acknowledged is lost, and the file is sound", async () => {
    for (let failing = 0; failing < 28; failing++) {
      const path = fresh();
      let call = 0;
      const file = await faultyFile(path, () => call++ === failing);
      const acknowledged = await record(file, codec, Array(20).fill("cpu: x"));
      file.close();
      expect(acknowledged.length).toBeGreaterThanOrEqual(19);
      check(path, acknowledged);
    }
  });

  test("whatever fails, and however often, the same", async () => {
    const text = fc.oneof(
      { weight: 9, arbitrary: fc.string() },
      { weight: 1, arbitrary: fc.constant("long ".repeat(60_000)) },
    );
    const texts = fc.array(text, { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(texts, fc.array(fc.boolean(), { maxLength: 60 }), async (frames, schedule) => {
        const path = fresh();
        let call = 0;
        const file = await faultyFile(path, () => schedule[call++] ?? false);
        const acknowledged = await record(file, codec, frames);
        file.close();
        check(path, acknowledged);
        rmSync(path);
      }),
      { numRuns: 60 },
    );
  });

  test("a frame is in the file as soon as it is acknowledged", async () => {
    const path = fresh();
    const file = await AppendFile.create(path);
    const writer = new SegmentWriter(file, codec, header(0), new Detector({ interval_ms: 1000 }));
    const reader = FileBytes.open(path);
    for (let seq = 0; seq < 5; seq++) {
      const frame = frameOf(seq, "cpu: x".repeat(seq * 20_000));
      await writer.append(frame, lineOf(frame));
      reader.refresh();
      const { text } = codec.decodeUnit(reader.read(0, reader.size), 64 << 20);
      expect(Buffer.from(text).toString().endsWith(lineOf(frame).toString())).toBe(true);
    }
    reader.close();
    writer.abandon();
    file.close();
  });
});
