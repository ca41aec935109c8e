import type { Transform } from "node:stream";
import zlib from "node:zlib";
import type { FileBytes } from "./bytes.ts";
import type { Codec } from "./codec.ts";
import { memberHeaderBytes } from "./gzip.ts";
import { MAX_LINE_BYTES, MAX_UNIT_TEXT_BYTES } from "./limits.ts";
import { FrameWalker } from "./zstd_frame.ts";

/** A stretch of decoded text, or a place where the file is damaged and reading went on at the next unit. */
type Piece = { readonly text: Uint8Array } | { readonly damage: string; readonly at: number };

/** One line without its newline, or why there is none. */
export type ScannedLine = { readonly line: Uint8Array } | { readonly skipped: string };

const C = zlib.constants;
const NEWLINE = 10;

/** A unit that fits is decoded at once; only larger ones go through a stream. */
const WINDOW_BYTES = [256 << 10, 8 << 20] as const;
const STREAM_PIECE_BYTES = 256 << 10;
/** A small one makes the public stream slow, by a factor of two and more. */
const CHUNK_BYTES = 1 << 20;

/**
 * All lines of a file in the order in which they stand, in bounded memory, whatever state it is in: what is cut off
 * gives its whole lines, what is damaged is said, and reading goes on behind it.
 */
export async function* scanLines(file: FileBytes, codec: Codec, from = 0): AsyncGenerator<ScannedLine> {
  const splitter = new LineSplitter();
  for await (const piece of pieces(file, codec, from)) {
    if ("damage" in piece) {
      splitter.reset();
      yield { skipped: `damaged at byte ${piece.at}: ${piece.damage}` };
    } else {
      yield* splitter.split(piece.text);
    }
  }
  const rest = splitter.rest();
  if (rest > 0) yield { skipped: `the last ${rest} bytes are no whole line` };
}

class LineSplitter {
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #tooLong = false;

  *split(text: Uint8Array): Generator<ScannedLine> {
    let start = 0;
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
      const line = this.#finish(text.subarray(start, end));
      start = end + 1;
      if (line !== null) yield line;
    }
    this.#hold(text.subarray(start));
  }

  reset(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#tooLong = false;
  }

  /** How many bytes are left over that no newline ended. */
  rest(): number {
    return this.#heldBytes;
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#heldBytes += part.length;
    this.#tooLong ||= this.#heldBytes > MAX_LINE_BYTES;
    if (this.#tooLong) this.#held = [];
    // A copy: the decoder's buffer may be large, and held for one short line.
    else this.#held.push(part.slice());
  }

  #finish(part: Uint8Array): ScannedLine | null {
    if (this.#heldBytes > 0) this.#hold(part);
    const line = this.#heldBytes > 0 ? Buffer.concat(this.#held) : part;
    const isTooLong = this.#tooLong || line.length > MAX_LINE_BYTES;
    this.reset();
    if (isTooLong) return { skipped: `a line is longer than ${MAX_LINE_BYTES} bytes` };
    return line.length === 0 ? null : { line };
  }
}

async function* pieces(file: FileBytes, codec: Codec, from: number): AsyncGenerator<Piece> {
  if (codec.magic.length === 0) {
    for (let at = from; at < file.size; at += CHUNK_BYTES) yield { text: file.read(at, CHUNK_BYTES) };
    return;
  }
  for (let at = from; at < file.size; ) {
    const length = yield* unit(file, codec, at);
    at = length === null ? findMagic(file, codec, at + 1) : at + length;
  }
}

/** Yields the text of the unit at `at`; returns its length, `null` where it has no end. */
async function* unit(file: FileBytes, codec: Codec, at: number): AsyncGenerator<Piece, number | null> {
  let damage: string | null = null;
  for (const window of WINDOW_BYTES) {
    const bytes = file.read(at, window);
    const decoded = codec.decodeUnit(bytes, MAX_UNIT_TEXT_BYTES);
    damage = decoded.damage;
    if (decoded.length === null && bytes.length === window && at + window < file.size) continue;
    if (damage !== null) break;
    yield { text: decoded.text };
    return decoded.length;
  }
  return yield* streamUnit(file, codec, at);
}

/** Where the next unit may begin, from `from` on; the file's end where there is none. */
function findMagic(file: FileBytes, codec: Codec, from: number): number {
  const magic = Buffer.from(codec.magic);
  for (let at = from; at < file.size; at += STREAM_PIECE_BYTES) {
    const hit = file.read(at, STREAM_PIECE_BYTES + magic.length - 1).indexOf(magic);
    if (hit >= 0) return at + hit;
  }
  return file.size;
}

/** Tells how many bytes of a piece belong to the unit, and whether it ends there. */
interface Extent {
  take(piece: Uint8Array): { readonly bytes: number; readonly ended: boolean };
}

function streamOf(
  file: FileBytes,
  codec: Codec,
  at: number,
): { stream: Transform & Counted; extent: Extent; skip: number } {
  if (codec.name === "zstd") {
    const params = { [C.ZSTD_d_windowLogMax]: 27 };
    const walker = new FrameWalker();
    const take = (piece: Uint8Array) => ({ bytes: walker.consume(piece), ended: walker.state !== "open" });
    return { stream: zlib.createZstdDecompress({ chunkSize: CHUNK_BYTES, params }), extent: { take }, skip: 0 };
  }
  const skip = memberHeaderBytes(file.read(at, CHUNK_BYTES)) ?? 0;
  const take = (piece: Uint8Array) => ({ bytes: piece.length, ended: false });
  return { stream: zlib.createInflateRaw({ chunkSize: CHUNK_BYTES }), extent: { take }, skip };
}

interface Counted {
  readonly bytesWritten: number;
}

const GZIP_TRAILER_BYTES = 8;

async function* streamUnit(file: FileBytes, codec: Codec, at: number): AsyncGenerator<Piece, number | null> {
  const { stream, extent, skip } = streamOf(file, codec, at);
  const feeding = feed(file, at + skip, stream, extent);
  try {
    for await (const text of stream) yield { text };
  } catch (error) {
    // A unit that the file's end cuts off has given all it had; the decoder calls that an error, too.
    if (!(await feeding).reachedEnd) yield { damage: String(error), at };
    return null;
  } finally {
    stream.destroy();
  }
  const fed = await feeding;
  if (codec.name === "zstd") return fed.ended ? fed.bytes : null;
  return stream.bytesWritten < fed.bytes ? skip + stream.bytesWritten + GZIP_TRAILER_BYTES : null;
}

interface Fed {
  readonly bytes: number;
  readonly ended: boolean;
  readonly reachedEnd: boolean;
}

/** Writes the unit into its decoder, no faster than that takes it. Never rejects. */
async function feed(file: FileBytes, from: number, stream: Transform, extent: Extent): Promise<Fed> {
  let at = from;
  let ended = false;
  while (at < file.size && !ended && !stream.destroyed && !stream.writableEnded && !stream.readableEnded) {
    const piece = file.read(at, STREAM_PIECE_BYTES);
    if (piece.length === 0) break;
    const part = extent.take(piece);
    ended = part.ended;
    at += part.bytes;
    await new Promise((resolve) => stream.write(piece.subarray(0, part.bytes), resolve));
  }
  stream.end();
  return { bytes: at - from, ended, reachedEnd: at >= file.size };
}
