import type { Transform } from "node:stream";
import zlib from "node:zlib";
import type { FileBytes } from "./bytes.ts";
import type { Codec } from "./codec.ts";
import { damageOf, TOO_MUCH_TEXT } from "./damage.ts";
import { memberHeaderBytes } from "./gzip.ts";
import { WINDOW_LOG_MAX } from "./limits.ts";
import { type StepDecoder, stepDecoder } from "./step_decoder.ts";
import { FrameWalker, isPrefix, ZSTD_MAGIC } from "./zstd_frame.ts";

/**
 * A stretch of decoded text (valid until the next one is asked for) and the unit it is from; or a place where the file
 * is damaged: reading goes on at the next unit.
 */
export type Piece =
  | { readonly text: Buffer; readonly unit_at: number }
  | { readonly damage: string; readonly unit_at: number };

/** A unit that fits is decoded at once; larger ones go through a decoder that gives a piece at a time. */
const WINDOW_BYTES = [256 << 10, 8 << 20] as const;
const AT_ONCE_TEXT_BYTES = 24 << 20;
const INPUT_BYTES = 128 << 10;
const ZEROS = Buffer.alloc(INPUT_BYTES);
const OUTPUT_BYTES = 256 << 10;
/** A small one makes the public stream slow, by a factor of two and more. */
const STREAM_CHUNK_BYTES = 1 << 20;
const GZIP_TRAILER_BYTES = 8;
/** Rubbish can look like the beginning of a unit at every few bytes. After so many that have no end reading ends. */
const MOST_BROKEN_UNITS = 1024;

/** The text of a file from the unit at `from` on, whatever state it is in, in bounded memory. */
export async function* textPieces(file: FileBytes, codec: Codec, from: number): AsyncGenerator<Piece> {
  if (codec.name === "none") {
    for (let at = from; at < file.size; at += OUTPUT_BYTES) yield { text: file.read(at, OUTPUT_BYTES), unit_at: from };
    return;
  }
  let broken = 0;
  for (let at = from; at < file.size; ) {
    const length: Length = yield* unit(file, codec, codec.name, at);
    const next = typeof length === "number" ? at + length : findMagic(file, codec, at + 1);
    if (length === null && next < file.size) yield { damage: "it has no end", unit_at: at };
    if (typeof length !== "number" && ++broken === MOST_BROKEN_UNITS) {
      yield { damage: "so much before it is damaged that reading ends here", unit_at: at };
      return;
    }
    at = next;
  }
}

/** Where the next unit may begin, from `from` on; the file's end where there is none. */
function findMagic(file: FileBytes, codec: Codec, from: number): number {
  const magic = Buffer.from(codec.magic);
  for (let at = from; at < file.size; at += OUTPUT_BYTES) {
    const hit = file.read(at, OUTPUT_BYTES + magic.length - 1).indexOf(magic);
    if (hit >= 0) return at + hit;
  }
  return file.size;
}

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length);

type Compression = "zstd" | "gzip";

/** Of a unit; `null` where it has no end, `"damaged"` where that was said. */
type Length = number | null | "damaged";

/** Yields the text of the unit at `at`. */
async function* unit(file: FileBytes, codec: Codec, kind: Compression, at: number): AsyncGenerator<Piece, Length> {
  for (const window of WINDOW_BYTES) {
    const bytes = file.read(at, window);
    const { text, length, damage } = codec.decodeUnit(bytes, AT_ONCE_TEXT_BYTES);
    if (damage === TOO_MUCH_TEXT) break;
    if (damage === null && length === null && at + bytes.length < file.size) continue;
    if (headerBytes(kind, bytes) === null) break;
    // Without its end nothing tells where its text goes over into what something else has left there.
    yield { text: asBuffer(length === null ? codec.cutText(bytes) : text), unit_at: at };
    if (damage === null) return length;
    yield { damage, unit_at: at };
    return "damaged";
  }
  const skip = headerBytes(kind, file.read(at, INPUT_BYTES));
  if (skip === null) {
    yield { damage: `no ${kind} begins here`, unit_at: at };
    return "damaged";
  }
  const decoder = stepDecoder(kind, WINDOW_LOG_MAX);
  const fed =
    decoder === null
      ? yield* throughStream(file, kind, at, at + skip)
      : yield* inSteps(file, kind, decoder, at, at + skip);
  if (typeof fed !== "number") return fed;
  return skip + fed + (kind === "gzip" ? GZIP_TRAILER_BYTES : 0);
}

/** What the decoder does not take; `null` where no unit begins. */
const headerBytes = (kind: Compression, bytes: Buffer): number | null =>
  kind === "gzip" ? memberHeaderBytes(bytes) : isPrefix(bytes, ZSTD_MAGIC) ? 0 : null;

/** How much of a piece belongs to the unit: of zstd the structure tells, of deflate only the decoder. */
const extentOf = (kind: Compression): ((piece: Buffer) => { bytes: number; isEnd: boolean }) => {
  if (kind === "gzip") return (piece) => ({ bytes: piece.length, isEnd: false });
  const walker = new FrameWalker();
  return (piece) => ({ bytes: walker.consume(piece), isEnd: walker.state !== "open" });
};

/** Returns how many bytes the decoder took. */
async function* inSteps(
  file: FileBytes,
  kind: Compression,
  decoder: StepDecoder,
  unit_at: number,
  from: number,
): AsyncGenerator<Piece, Length> {
  const output = Buffer.allocUnsafe(OUTPUT_BYTES);
  const extent = extentOf(kind);
  const given: Given = { crc32: kind === "gzip" ? 0 : null };
  let at = from;
  try {
    for (;;) {
      const piece = file.read(at, INPUT_BYTES);
      if (isHole(piece)) throw new Error(HOLE);
      const { bytes, isEnd } = extent(piece);
      const used = yield* stepThrough(decoder, piece.subarray(0, bytes), output, unit_at, given);
      at += used;
      const hasEnded = isEnd || (kind === "gzip" && used < bytes);
      if (hasEnded && given.crc32 !== null) checkTrailer(file.read(at, GZIP_TRAILER_BYTES), given.crc32);
      if (hasEnded) return at - from;
      if (used === 0) return null;
    }
  } catch (error) {
    yield { damage: damageOf(error), unit_at };
    return "damaged";
  } finally {
    decoder.close();
  }
}

/** The text that was handed on so far. */
interface Given {
  /** Of gzip; the decoder looks at zstd's checksum by itself. */
  crc32: number | null;
}

/** What was damaged may end anywhere, as if that were its end. A trailer that the file's end cuts off is no damage. */
function checkTrailer(trailer: Buffer, crc32: number): void {
  if (trailer.length === GZIP_TRAILER_BYTES && trailer.readUInt32LE() !== crc32) {
    throw new Error("checksum does not match");
  }
}

function* stepThrough(
  decoder: StepDecoder,
  input: Buffer,
  output: Buffer,
  unit_at: number,
  given: Given,
): Generator<Piece, number> {
  let used = 0;
  for (;;) {
    const { consumedBytes, producedBytes } = decoder.step(input.subarray(used), output);
    used += consumedBytes;
    if (given.crc32 !== null) given.crc32 = zlib.crc32(output.subarray(0, producedBytes), given.crc32);
    if (producedBytes > 0) yield { text: output.subarray(0, producedBytes), unit_at };
    // A full output may hide more of it; else the decoder wants more input, or is at its end.
    if (producedBytes < output.length) return used;
  }
}

/**
 * Nothing that was compressed has so many zero bytes on end: the file has a hole there. Deflate would make text of them,
 * up to a thousand times as much.
 */
const isHole = (piece: Buffer): boolean => piece.length === INPUT_BYTES && piece.equals(ZEROS);
const HOLE = "a hole of zero bytes";

interface Counted {
  readonly bytesWritten: number;
}

/** The same by the public stream, where a runtime's streams have another inside. */
async function* throughStream(
  file: FileBytes,
  kind: Compression,
  unit_at: number,
  from: number,
): AsyncGenerator<Piece, Length> {
  const params = { [zlib.constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX };
  const stream: Transform & Counted =
    kind === "zstd"
      ? zlib.createZstdDecompress({ chunkSize: STREAM_CHUNK_BYTES, params })
      : zlib.createInflateRaw({ chunkSize: STREAM_CHUNK_BYTES });
  const feeding = feed(file, from, stream, extentOf(kind));
  try {
    for await (const text of stream) yield { text, unit_at };
  } catch (error) {
    // A unit that the file's end cuts off has given all it had; the decoder calls that an error, too.
    if ((await feeding).isAtEnd) return null;
    yield { damage: damageOf(error), unit_at };
    return "damaged";
  } finally {
    stream.destroy();
  }
  const { bytes, isEnd } = await feeding;
  if (kind === "zstd") return isEnd ? bytes : null;
  return stream.bytesWritten < bytes ? stream.bytesWritten : null;
}

/** Writes the unit into its decoder, no faster than that takes it. Never rejects. */
async function feed(
  file: FileBytes,
  from: number,
  stream: Transform,
  extent: ReturnType<typeof extentOf>,
): Promise<{ bytes: number; isEnd: boolean; isAtEnd: boolean }> {
  // A decoder that fails, or that nobody reads any more, never calls back.
  const closed = new Promise((resolve) => stream.once("close", resolve));
  let at = from;
  let isEnd = false;
  while (at < file.size && !isEnd && !stream.destroyed && !stream.readableEnded) {
    const piece = file.read(at, INPUT_BYTES);
    if (piece.length === 0) break;
    if (isHole(piece)) {
      stream.destroy(new Error(HOLE));
      break;
    }
    const part = extent(piece);
    isEnd = part.isEnd;
    at += part.bytes;
    const written = new Promise((resolve) => stream.write(piece.subarray(0, part.bytes), resolve));
    await Promise.race([written, closed]);
  }
  stream.end();
  return { bytes: at - from, isEnd, isAtEnd: at >= file.size };
}
