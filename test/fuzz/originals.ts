import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import zlib from "node:zlib";
import { frameLine } from "../../src/frame/encode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { BlockCollector } from "../../src/recording/block_summary.ts";
import { type CodecName, codecOf, codecs } from "../../src/recording/codec.ts";
import { headerLine, indexLine } from "../../src/recording/lines.ts";
import { mockSource } from "../../src/sources/mock/mock.ts";
import { linuxFrame, nvidiaFrame, unknownFrame } from "../frames.ts";
import { ALL, frameOf, readAt, START_MS } from "../mock.ts";

/** Sound recordings, of which the fuzz makes others. Lines without newlines, by unit. */
export interface Original {
  readonly units: readonly (readonly string[])[];
  readonly codec: CodecName;
}

const INTERVAL_MS = 3000;

/** As a machine or a cluster reports them. */
function mockFrames(hosts: number, gpus: number, count: number): Frame[] {
  const source = mockSource({ hosts, gpus, seed: 1, include: ALL });
  return Array.from({ length: count }, (_, n) => {
    const t_ms = START_MS + n * INTERVAL_MS;
    return { ...frameOf(readAt(source, t_ms), t_ms), seq: n, elapsed_ms: n * INTERVAL_MS };
  });
}

const repeated = (frames: readonly Frame[], count: number): Frame[] =>
  Array.from({ length: count }, (_, n) => ({
    ...(frames[n % frames.length] as Frame),
    t_ms: START_MS + n * INTERVAL_MS,
    seq: n,
    elapsed_ms: n * INTERVAL_MS,
  }));

const header = (hosts: readonly string[]): string =>
  Buffer.from(
    headerLine({
      t_ms: START_MS,
      interval_ms: INTERVAL_MS,
      source: "local",
      hosts,
      all_smi_version: "0.1.0",
      recording: "fuzz",
      segment: 1,
      first_seq: 0,
      timezone: "Asia/Seoul",
    }),
  )
    .toString()
    .trimEnd();

/** An index line; where it stands is filled in when it is encoded. */
function index(frames: readonly Frame[]): string {
  const collector = new BlockCollector({ interval_ms: INTERVAL_MS, open: [] });
  for (const frame of frames) collector.add(frame, [], []);
  const line = { ...collector.sum(), byte_offset: 0, at: 1, previous: null, end: false };
  return Buffer.from(indexLine({ ...line, blocks: null, previous_summary: null }))
    .toString()
    .trimEnd();
}

/** As our recorder writes it, in blocks of so many frames. */
function ours(frames: readonly Frame[], blockFrames: number, codec: CodecName): Original {
  const hosts = [...new Set(frames.flatMap(({ hostname }) => hostname))];
  const units: string[][] = [];
  for (let at = 0; at < frames.length; at += blockFrames) {
    const block = frames.slice(at, at + blockFrames);
    units.push([...(at === 0 ? [header(hosts)] : []), ...block.map(frameLine)], [index(block)]);
  }
  return { units, codec };
}

function decoded(path: string): Original {
  const bytes = readFileSync(path);
  const { name } = codecOf(bytes);
  const C = zlib.constants;
  const text =
    name === "zstd"
      ? zlib.zstdDecompressSync(bytes, { finishFlush: C.ZSTD_e_flush })
      : name === "gzip"
        ? zlib.gunzipSync(bytes, { finishFlush: C.Z_SYNC_FLUSH })
        : bytes;
  return { units: [text.toString().split("\n").slice(0, -1)], codec: name };
}

const MOST_LINES = 12;

/** Those of the Rust tool, shortened. */
function theirs(): Original[] {
  const folder = join(import.meta.dir, "../fixtures/rust");
  const names = readdirSync(folder).filter((name) => name.includes(".ndjson"));
  return names.map((name) => {
    const { units, codec } = decoded(join(folder, name));
    return { units: units.map((lines) => lines.slice(0, MOST_LINES)), codec };
  });
}

export function originals(): Original[] {
  const mixed = repeated([nvidiaFrame, linuxFrame, unknownFrame], 30);
  return [
    ...(["zstd", "gzip", "none"] as const).flatMap((codec) => [
      ours(mockFrames(1, 4, 24), 7, codec),
      ours(mixed, 9, codec),
      ours(mockFrames(3, 2, 10), 4, codec),
    ]),
    { units: [mixed.map(frameLine)], codec: "zstd" },
    ...theirs(),
  ];
}

export const INDEX_START = '{"schema":1,"index":true,';

/**
 * Encodes a recording; index lines are told where they stand, so that they are believed. `more` goes before the unit of
 * that number.
 */
export function encoded({ units, codec }: Original, more: Uint8Array = new Uint8Array(0), moreBefore = 0): Buffer {
  const parts: Uint8Array[] = [];
  let size = 0;
  let unit_at = 0;
  let previous: number | null = null;
  for (const [n, lines] of units.entries()) {
    if (n === moreBefore) {
      parts.push(more);
      size += more.length;
    }
    const isIndex = lines[0]?.startsWith(INDEX_START) ?? false;
    const text = isIndex ? placedIndex(lines[0] ?? "", unit_at, size, previous) : lines.join("\n");
    const bytes = Buffer.from(codecs[codec].encodeUnit(Buffer.from(`${text}\n`)));
    if (isIndex) previous = size;
    else unit_at = size;
    parts.push(bytes);
    size += bytes.length;
  }
  return Buffer.concat(parts);
}

function placedIndex(line: string, byte_offset: number, at: number, previous: number | null): string {
  try {
    const { schema, index, claim, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const place = { byte_offset, at, ...(previous === null ? {} : { previous }) };
    return JSON.stringify({ schema, index, ...rest, ...place, ...(claim as object | undefined) });
  } catch {
    return line;
  }
}

const HOLE_BYTES = 1 << 26;

/** The file has a hole from now on, and behind that an index line of the recording, which tells of all before it. */
export function addHole(path: string, { units, codec }: Original): void {
  const line = units.flat().find((one) => one.startsWith(INDEX_START));
  const at = statSync(path).size + HOLE_BYTES;
  truncateSync(path, at);
  if (line === undefined) return;
  const text = placedIndex(line, 0, at, null);
  appendFileSync(path, codecs[codec].encodeUnit(Buffer.from(`${text}\n`)));
}
