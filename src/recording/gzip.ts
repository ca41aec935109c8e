import zlib from "node:zlib";
import { lengthWithoutZeros } from "./bytes.ts";
import type { ClosedUnit, Codec, DecodedUnit, UnitEncoder } from "./codec.ts";
import { damageOf } from "./damage.ts";
import { StreamFlusher } from "./flusher.ts";
import { MAX_UNIT_TEXT_BYTES, outputChunkBytes } from "./limits.ts";

const C = zlib.constants;
const NEWLINE = 10;
const ENCODE = { level: 9 };
const NOTHING = new Uint8Array(0);

/** Deflate is the only method there is. */
const MAGIC = new Uint8Array([0x1f, 0x8b, 0x08]);
/** What a sync flush leaves behind: an empty stored block, aligned to a byte. */
const FLUSH_MARK = new Uint8Array([0x00, 0x00, 0xff, 0xff]);
/** An empty final block with fixed codes: the shortest end of a deflate stream. */
const EMPTY_FINAL_BLOCK = new Uint8Array([0x03, 0x00]);
const TRAILER_BYTES = 8;
/** Nothing limits the names in it, but for reason. */
const LONGEST_HEADER_BYTES = 128 << 10;
/** Bytes that look like a flush and are none are rare; where nothing else is found, all is encoded again. */
const MOST_TRIES = 16;

class GzipEncoder implements UnitEncoder {
  readonly #stream = zlib.createGzip(ENCODE) as zlib.Gzip & zlib.ZlibReset;
  readonly #flusher = new StreamFlusher(this.#stream);

  flush(text: Uint8Array): Promise<Uint8Array> {
    return this.#flusher.flush(text, C.Z_SYNC_FLUSH);
  }

  async end(): Promise<Uint8Array> {
    const bytes = await this.#flusher.flush(null, C.Z_FINISH);
    this.#stream.reset();
    return bytes;
  }

  close(): void {
    this.#flusher.close();
  }
}

/** A member's header (RFC 1952): its length, 0 where it is not all there, `null` where it is none. */
export function memberHeaderBytes(bytes: Uint8Array): number | null {
  if (!MAGIC.every((byte, n) => n >= bytes.length || bytes[n] === byte)) return null;
  if (bytes.length < 10) return 0;
  const flags = bytes[3] ?? 0;
  if (flags > 0x1f) return null;
  let at = 10;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8);
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return bytes.length > LONGEST_HEADER_BYTES ? null : 0;
    at = end + 1;
  }
  if (flags & 2) at += 2;
  return at <= bytes.length ? at : 0;
}

interface Inflated {
  readonly text: Uint8Array;
  /** How many bytes the deflate stream took. */
  readonly usedBytes: number;
}

/** Inflates as far as it goes; throws on damage. */
function inflate(bytes: Uint8Array, maxTextBytes: number): Inflated {
  const options = {
    finishFlush: C.Z_SYNC_FLUSH,
    maxOutputLength: maxTextBytes,
    chunkSize: outputChunkBytes(bytes.length),
    info: true,
  };
  // With `info` the call answers with the engine, too, which its type does not say.
  const result = zlib.inflateRawSync(bytes, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
  return { text: result.buffer, usedBytes: result.engine.bytesWritten };
}

function trailerOf(text: Uint8Array): Uint8Array {
  const trailer = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(trailer.buffer);
  view.setUint32(0, zlib.crc32(text), true);
  view.setUint32(4, text.length >>> 0, true);
  return trailer;
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function decodeUnit(bytes: Uint8Array, maxTextBytes: number): DecodedUnit {
  const header = memberHeaderBytes(bytes);
  if (header === null) return { text: NOTHING, length: null, damage: "no gzip member" };
  if (header === 0) return { text: NOTHING, length: null, damage: null };
  try {
    const { text, usedBytes } = inflate(bytes.subarray(header), maxTextBytes);
    const end = header + usedBytes;
    const trailer = bytes.subarray(end, end + TRAILER_BYTES);
    if (trailer.length < TRAILER_BYTES) return { text, length: null, damage: null };
    if (!same(trailer, trailerOf(text))) return { text: NOTHING, length: null, damage: "checksum does not match" };
    return { text, length: end + TRAILER_BYTES, damage: null };
  } catch (error) {
    return { text: NOTHING, length: null, damage: damageOf(error) };
  }
}

interface Sound {
  /** Whole lines. */
  readonly text: Uint8Array;
  /** Where the last flush ends, and how much of the text is before it; 0 where there is none. */
  readonly flushedBytes: number;
  readonly flushedTextBytes: number;
}

/**
 * What is sure of a member of which no checksum tells: the text up to the last sync flush at which a line ends. Deflate
 * makes text of anything: zero bytes behind the place where it was cut off go on with whatever code stands for them, and
 * copy lines from before. A member that was never flushed gives all that can be inflated but for such zero bytes.
 */
function soundPart(deflated: Buffer): Sound {
  const cut = deflated.subarray(0, lengthWithoutZeros(deflated));
  const used = inflated(cut);
  const marks = flushMarks(used === null ? cut : cut.subarray(0, used.usedBytes));
  const sound = used === null ? soundMarks(cut, marks) : marks.length;
  const flushed = lastFlush(cut, marks.slice(Math.max(0, sound - MOST_TRIES), sound));
  if (flushed !== null) return flushed;
  const text = (used ?? inflatedUpToDamage(cut)).text;
  return { text: text.subarray(0, text.lastIndexOf(NEWLINE) + 1), flushedBytes: 0, flushedTextBytes: 0 };
}

/** What follows the header of a member; `null` where not all of the header is there. */
function deflatedIn(bytes: Uint8Array): { readonly header: number; readonly deflated: Buffer } | null {
  const header = memberHeaderBytes(bytes);
  if (header === null || header === 0) return null;
  return { header, deflated: Buffer.from(bytes.buffer, bytes.byteOffset + header, bytes.length - header) };
}

function cutText(bytes: Uint8Array): Uint8Array {
  const found = deflatedIn(bytes);
  return found === null ? NOTHING : soundPart(found.deflated).text;
}

/**
 * Keeps up to the last sync flush at which the text ends in a newline, where alone a block can begin at a whole byte,
 * and ends the member there. Lines of a member that was never flushed are encoded again.
 */
function closeUnit(bytes: Uint8Array): ClosedUnit | null {
  const found = deflatedIn(bytes);
  if (found === null) return null;
  const { text, flushedBytes, flushedTextBytes } = soundPart(found.deflated);
  if (text.length === 0) return null;
  const { header, deflated } = found;
  const rest = zlib.deflateRawSync(text.subarray(flushedTextBytes), ENCODE);
  // One that has its end, and another checksum, is damaged somewhere: nothing of it is thrown away.
  const hasEnd = (inflated(deflated)?.usedBytes ?? deflated.length) + TRAILER_BYTES <= deflated.length;
  const isAll = !hasEnd && flushMarks(deflated.subarray(flushedBytes)).length === 0;
  return { keepBytes: header + flushedBytes, isAll, closing: Buffer.concat([rest, trailerOf(text)]), text };
}

/** Where flushes end, and some places that only look so. */
function flushMarks(deflated: Buffer): number[] {
  const marks: number[] = [];
  for (let at = deflated.indexOf(FLUSH_MARK); at >= 0; at = deflated.indexOf(FLUSH_MARK, at + 1)) {
    marks.push(at + FLUSH_MARK.length);
  }
  return marks;
}

/** Up to how many of these marks all inflates: damage anywhere spoils all that follows, so halving finds it. */
function soundMarks(deflated: Buffer, marks: readonly number[]): number {
  let sound = 0;
  let bad = marks.length + 1;
  while (bad - sound > 1) {
    const probe = (sound + bad) >> 1;
    if (inflated(deflated.subarray(0, marks[probe - 1] ?? 0)) === null) bad = probe;
    else sound = probe;
  }
  return sound;
}

/** `null` where it is damaged. */
function inflated(deflated: Buffer): Inflated | null {
  try {
    return inflate(deflated, MAX_UNIT_TEXT_BYTES);
  } catch {
    return null;
  }
}

/** The same by bytes, where nothing was flushed. */
function inflatedUpToDamage(deflated: Buffer): Inflated {
  let sound: Inflated = { text: NOTHING, usedBytes: 0 };
  let [from, bad] = [0, deflated.length + 1];
  while (bad - from > 1) {
    const probe = (from + bad) >> 1;
    const found = inflated(deflated.subarray(0, probe));
    if (found === null) {
      bad = probe;
    } else {
      from = probe;
      sound = found;
    }
  }
  return sound;
}

/** The last of these marks at which a line ends; `null` where there is none. */
function lastFlush(deflated: Buffer, marks: readonly number[]): Sound | null {
  for (const end of marks.toReversed()) {
    const text = textEndingThere(deflated.subarray(0, end));
    if (text !== null) return { text, flushedBytes: end, flushedTextBytes: text.length };
  }
  return null;
}

/** The text of a stretch that ends in a flush after a whole line; `null` where the mark is none but data that looks so. */
function textEndingThere(deflated: Uint8Array): Uint8Array | null {
  try {
    const { text, usedBytes } = inflate(Buffer.concat([deflated, EMPTY_FINAL_BLOCK]), MAX_UNIT_TEXT_BYTES);
    const ended = usedBytes === deflated.length + EMPTY_FINAL_BLOCK.length;
    return ended && text.at(-1) === NEWLINE ? text : null;
  } catch {
    return null;
  }
}

export const gzip: Codec = {
  name: "gzip",
  extension: ".ndjson.gz",
  magic: MAGIC,
  // When it is asked for: most who load this only read.
  get start() {
    return zlib.gzipSync(NOTHING, ENCODE).subarray(0, 10);
  },
  encoder: () => new GzipEncoder(),
  encodeUnit: (text) => zlib.gzipSync(text, ENCODE),
  decodeUnit,
  cutText,
  closeUnit,
};
