import zlib from "node:zlib";
import { frameLine } from "../src/frame/encode.ts";
import type { Codec } from "../src/recording/codec.ts";
import { BLOCK_FRAMES } from "../src/recording/limits.ts";
import { type MockOptions, mockSource } from "../src/sources/mock/mock.ts";
import { frameOf, readAt, START_MS } from "../test/mock.ts";

const INTERVAL_MS = 3000;
const C = zlib.constants;

/** What a codec made of lines. */
export interface EncodeCost {
  readonly bytesPerLine: number;
  readonly cpuPerLine_us: number;
}

/** Lines of data frames, as they stand in a recording of simulated machines. */
export function mockLines(options: MockOptions, count: number): Buffer[] {
  const source = mockSource(options);
  return Array.from({ length: count }, (_, seq) => {
    const t_ms = START_MS + seq * INTERVAL_MS;
    const frame = { ...frameOf(readAt(source, t_ms), t_ms), seq, elapsed_ms: seq * INTERVAL_MS };
    return Buffer.from(`${frameLine(frame)}\n`);
  });
}

/** Every line flushed, in blocks, as the recorder writes them. */
export async function encode(codec: Codec, lines: readonly Buffer[]): Promise<EncodeCost> {
  const encoder = codec.encoder();
  const begun = process.cpuUsage();
  let bytes = 0;
  for (const [seq, line] of lines.entries()) {
    bytes += (await encoder.flush(line)).length;
    if (seq > 0 && seq % BLOCK_FRAMES === 0) bytes += (await encoder.end()).length;
  }
  bytes += (await encoder.end()).length;
  const { user, system } = process.cpuUsage(begun);
  encoder.close();
  return { bytesPerLine: bytes / lines.length, cpuPerLine_us: (user + system) / lines.length };
}

/** The bytes of a line in one level-3 stream that is never flushed, which is how the Rust tool writes. */
export async function unflushedBytesPerLine(lines: readonly Buffer[]): Promise<number> {
  const stream = zlib.createZstdCompress({ params: { [C.ZSTD_c_compressionLevel]: 3 } });
  let bytes = 0;
  stream.on("data", (piece: Buffer) => {
    bytes += piece.length;
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.on("end", resolve).on("error", reject);
  for (const line of lines) stream.write(line);
  stream.end();
  await promise;
  return bytes / lines.length;
}
