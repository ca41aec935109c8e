/**
 * The recordings that the benchmark of replay reads, made by the real writer: `bun bench/replay_recording.ts FOLDER FRAMES`.
 */
import { closeSync, copyFileSync, mkdirSync, openSync, renameSync, rmSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import zlib from "node:zlib";
import { localTime } from "../src/clock.ts";
import { Detector } from "../src/events/detector.ts";
import { frameLine } from "../src/frame/encode.ts";
import type { Frame } from "../src/frame/frame.ts";
import { AppendFile } from "../src/recording/append_file.ts";
import { FileBytes } from "../src/recording/bytes.ts";
import { findLastIndex } from "../src/recording/chain.ts";
import { type CodecName, codecs } from "../src/recording/codec.ts";
import type { Header } from "../src/recording/lines.ts";
import { SegmentWriter } from "../src/recording/segment_writer.ts";
import { type MockOptions, mockSource } from "../src/sources/mock/mock.ts";

export const INTERVAL_MS = 3000;
const START_MS = Date.UTC(2026, 3, 18, 12);
const HOSTNAME = "mock-0001";
const SEED = 1;
/** Bytes that the single stream is compressed in at a time. */
const STREAM_BYTES = 1 << 20;

/** About 8 KB of JSON a frame. */
const SMALL: MockOptions = {
  hosts: 1,
  gpus: 8,
  seed: SEED,
  include: ["gpus", "cpus", "memory"],
  perCore: false,
  health: false,
};

const HEADER: Header = {
  t_ms: START_MS,
  interval_ms: INTERVAL_MS,
  source: "local",
  hosts: [HOSTNAME],
  all_smi_version: "0.1.0",
  recording: "benchmark",
  segment: 1,
  first_seq: 0,
  timezone: "UTC",
};

/** `cut`: ends in the middle of its last block. `stream`: one zstd frame without index, as the Rust tool writes. */
export type Variant = "zstd" | "gzip" | "plain" | "cut" | "stream";
export type Recordings = { readonly [V in Variant]: string };

const FILES: Recordings = {
  zstd: "zstd.ndjson.zst",
  gzip: "gzip.ndjson.gz",
  plain: "plain.ndjson",
  cut: "cut.ndjson.zst",
  stream: "stream.ndjson.zst",
};

/** Where the recordings of so many frames are, once they are made. */
export const recordingPaths = (folder: string, frames: number): Recordings =>
  Object.fromEntries(
    Object.entries(FILES).map(([variant, name]) => [variant, join(folder, `${frames}`, name)]),
  ) as unknown as Recordings;

/** Makes the recordings of so many frames, all at once. */
async function makeRecordings(folder: string, frames: number): Promise<void> {
  const unfinished = join(folder, `${frames}.unfinished`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  await writeAll(unfinished, frames);
  cutInLastBlock(join(unfinished, FILES.zstd), join(unfinished, FILES.cut));
  const finished = join(folder, `${frames}`);
  rmSync(finished, { recursive: true, force: true });
  renameSync(unfinished, finished);
}

interface Sink {
  write(frame: Frame, line: string): Promise<void>;
  end(): Promise<void>;
}

async function writeAll(folder: string, frames: number): Promise<void> {
  const sinks = [
    await recording(join(folder, FILES.zstd), "zstd", INTERVAL_MS),
    await recording(join(folder, FILES.gzip), "gzip", INTERVAL_MS),
    await recording(join(folder, FILES.plain), "none", INTERVAL_MS),
    singleStream(join(folder, FILES.stream)),
  ];
  const next = mockFrames(SMALL, INTERVAL_MS);
  for (let seq = 0; seq < frames; seq++) {
    const frame = await next(seq);
    const line = `${frameLine(frame)}\n`;
    await Promise.all(sinks.map((sink) => sink.write(frame, line)));
    if (seq % 10_000 === 0) process.stderr.write(`\rmaking the recordings: ${Math.floor((100 * seq) / frames)} %`);
  }
  await Promise.all(sinks.map((sink) => sink.end()));
  process.stderr.write("\r\x1b[K");
}

/** Frames of simulated machines, so many ms one after the other. */
function mockFrames(options: MockOptions, interval_ms: number): (seq: number) => Promise<Frame> {
  const source = mockSource(options);
  const { signal } = new AbortController();
  return async (seq) => {
    const elapsed_ms = seq * interval_ms;
    const t_ms = START_MS + elapsed_ms;
    const read = await source.read({ t_ms, time: localTime(t_ms), monotonic_ms: elapsed_ms, wait_ms: 800, signal });
    const { errors = [], ...sections } = read;
    return { t_ms, seq, elapsed_ms, source: "local", hostname: HOSTNAME, errors, ...sections };
  };
}

async function recording(path: string, codec: CodecName, interval_ms: number): Promise<Sink> {
  const file = await AppendFile.create(path);
  const header = { ...HEADER, interval_ms };
  const writer = new SegmentWriter(file, codecs[codec], header, new Detector({ interval_ms }));
  return {
    write: (frame, line) => writer.append(frame, Buffer.from(line)),
    async end() {
      await writer.end();
      await file.close();
    },
  };
}

/** Makes a recording of simulated machines. */
export async function recordMock(
  path: string,
  options: MockOptions,
  interval_ms: number,
  frames: number,
): Promise<void> {
  const sink = await recording(path, "zstd", interval_ms);
  const next = mockFrames(options, interval_ms);
  for (let seq = 0; seq < frames; seq++) {
    const frame = await next(seq);
    await sink.write(frame, `${frameLine(frame)}\n`);
  }
  await sink.end();
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, sorted(one)]));
};

/** Sorted keys, times in whole seconds, and neither `seq` nor `elapsed_ms`. */
function theirLine(line: string): string {
  const { t: _t, seq: _seq, elapsed_ms: _elapsed, source: _source, errors: _errors, ...rest } = JSON.parse(line);
  return `${JSON.stringify(sorted(rest))}\n`;
}

function singleStream(path: string): Sink {
  const stream = zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_compressionLevel]: 3 } });
  const fd = openSync(path, "wx", 0o600);
  stream.on("data", (bytes: Buffer) => writeSync(fd, bytes));
  const header = { all_smi_version: "0.28.1", header: true, hosts: [HOSTNAME], interval_ms: INTERVAL_MS, schema: 1 };
  let waiting = `${JSON.stringify(header)}\n`;
  const put = async () => {
    const text = waiting;
    waiting = "";
    await new Promise((resolve) => stream.write(text, resolve));
  };
  return {
    async write(_frame, line) {
      waiting += theirLine(line);
      if (waiting.length >= STREAM_BYTES) await put();
    },
    async end() {
      await put();
      await new Promise<void>((resolve) => stream.once("end", resolve).end());
      closeSync(fd);
    },
  };
}

function cutInLastBlock(whole: string, path: string): void {
  const file = FileBytes.open(whole);
  const last = findLastIndex(file, codecs.zstd);
  file.close();
  if (last === null) throw new Error(`${whole} has no index`);
  copyFileSync(whole, path);
  const { byte_offset, at } = last.index;
  truncateSync(path, Math.floor((byte_offset + at) / 2));
}

if (import.meta.main) {
  const [folder = "", frames = ""] = process.argv.slice(2);
  await makeRecordings(folder, Number(frames));
}
