/** The outer structure of zstd data (RFC 8878): where frames and their blocks end, without decoding anything. */

export const ZSTD_MAGIC = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]);

const LARGEST_HEADER_BYTES = 18;
const CHECKSUM_BYTES = 4;

export interface FrameHeader {
  readonly headerBytes: number;
  readonly checksum: boolean;
  /** What a decoder has to hold of the text (RFC 8878, 3.1.1.1.2); all of it where the frame is a single segment. */
  readonly windowBytes: number;
}

/** Reads a frame header at `at`; `null` where its bytes are not all there or it is none. */
export function frameHeader(bytes: Uint8Array, at: number): FrameHeader | null {
  if (!ZSTD_MAGIC.every((byte, n) => bytes[at + n] === byte)) return null;
  const descriptor = bytes[at + 4];
  if (descriptor === undefined) return null;
  const sizeFlag = descriptor >> 6;
  const single = (descriptor >> 5) & 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSizeBytes = sizeFlag > 0 ? 1 << sizeFlag : single;
  const headerBytes = 5 + (single ? 0 : 1) + dictionaryBytes + contentSizeBytes;
  if (at + headerBytes > bytes.length) return null;
  const end = at + headerBytes;
  const windowBytes = single ? contentBytes(bytes, end - contentSizeBytes, end) : windowSize(bytes[at + 5] ?? 0);
  return { headerBytes, checksum: (descriptor & 4) !== 0, windowBytes };
}

/** Three bits of mantissa below five of exponent. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** The content size, little-endian; where it has two bytes they count from 256. */
function contentBytes(bytes: Uint8Array, from: number, to: number): number {
  const size = bytes.subarray(from, to).reduceRight((sum, byte) => sum * 256 + byte, 0);
  return to - from === 2 ? size + 256 : size;
}

/** A skippable frame's length with its header, `null` where there is none at `at`. */
export function skippableBytes(bytes: Uint8Array, at: number): number | null {
  if (at + 8 > bytes.length || ((bytes[at] ?? 0) & 0xf0) !== 0x50) return null;
  if (bytes[at + 1] !== 0x2a || bytes[at + 2] !== 0x4d || bytes[at + 3] !== 0x18) return null;
  return 8 + new DataView(bytes.buffer, bytes.byteOffset + at + 4, 4).getUint32(0, true);
}

/** The block whose 3-byte header stands at `at`: bytes with the header, and whether it is the frame's last. */
export function blockAt(bytes: Uint8Array, at: number): { bytes: number; last: boolean } | null {
  if (at + 3 > bytes.length) return null;
  const header = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  const type = (header >> 1) & 3;
  return { bytes: 3 + (type === 1 ? 1 : header >>> 3), last: (header & 1) === 1 };
}

export interface FrameExtent {
  /** Where each block that is there whole ends, from the frame's start. */
  readonly blockEnds: number[];
  readonly checksum: boolean;
  /** Whether the last of these blocks is the frame's last; then only the checksum is missing. */
  readonly ended: boolean;
  /** The frame's length; `null` where it is cut off. */
  readonly length: number | null;
}

/** Walks the blocks of the frame that `bytes` begins with; `null` where not even its header is whole. */
export function frameExtent(bytes: Uint8Array): FrameExtent | null {
  const header = frameHeader(bytes, 0);
  if (header === null) return null;
  const blockEnds: number[] = [];
  let at = header.headerBytes;
  for (;;) {
    const block = blockAt(bytes, at);
    if (block === null || at + block.bytes > bytes.length)
      return { blockEnds, checksum: header.checksum, ended: false, length: null };
    at += block.bytes;
    blockEnds.push(at);
    if (!block.last) continue;
    const length = at + (header.checksum ? CHECKSUM_BYTES : 0);
    return { blockEnds, checksum: header.checksum, ended: true, length: length <= bytes.length ? length : null };
  }
}

/**
 * Finds the end of a frame in data that comes in pieces. {@link consume} tells how many bytes of a piece belong to it.
 */
export class FrameWalker {
  #carry: Uint8Array = new Uint8Array(0);
  #skip = 0;
  #state: "header" | "block" | "checksum" | "done" | "bad" = "header";
  #checksum = false;

  get state(): "open" | "done" | "bad" {
    return this.#state === "done" || this.#state === "bad" ? this.#state : "open";
  }

  /** Takes bytes up to the end of the frame; gives how many, of `piece`, that were. */
  consume(piece: Uint8Array): number {
    let at = 0;
    while (at < piece.length && this.state === "open") {
      const skipped = Math.min(this.#skip, piece.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (this.#skip > 0) break;
      if (this.#state === "checksum") this.#state = "done";
      else at += this.#step(piece.subarray(at));
    }
    return at;
  }

  /** Reads the next small header, of which a part may have come with the piece before. */
  #step(rest: Uint8Array): number {
    const held = this.#carry.length;
    const window =
      held === 0 ? rest.subarray(0, LARGEST_HEADER_BYTES) : concat(this.#carry, rest.subarray(0, LARGEST_HEADER_BYTES));
    const used = this.#state === "header" ? this.#header(window) : this.#block(window);
    if (this.#state === "bad") return 0;
    if (used === 0) {
      this.#carry = window.slice();
      return window.length - held;
    }
    this.#carry = new Uint8Array(0);
    return used - held;
  }

  #header(window: Uint8Array): number {
    const skippable = skippableBytes(window, 0);
    if (skippable !== null) {
      this.#skip = skippable - 8;
      this.#state = this.#skip === 0 ? "done" : "checksum";
      return 8;
    }
    const header = frameHeader(window, 0);
    if (header === null) {
      if (window.length >= LARGEST_HEADER_BYTES || !isPrefix(window, ZSTD_MAGIC)) this.#state = "bad";
      return 0;
    }
    this.#checksum = header.checksum;
    this.#state = "block";
    return header.headerBytes;
  }

  #block(window: Uint8Array): number {
    const block = blockAt(window, 0);
    if (block === null) return 0;
    this.#skip = block.bytes - 3;
    if (block.last) {
      this.#skip += this.#checksum ? CHECKSUM_BYTES : 0;
      this.#state = this.#skip === 0 ? "done" : "checksum";
    }
    return 3;
  }
}

/** A skippable frame's magic, but for the low half of the first byte: that is any number. */
const SKIPPABLE_MAGIC = [0x50, 0x2a, 0x4d, 0x18];

/** Whether `bytes` are the beginning of `whole` or of a skippable frame, or begin with that. */
export const isPrefix = (bytes: Uint8Array, whole: Uint8Array): boolean =>
  whole.every((byte, n) => n >= bytes.length || bytes[n] === byte) ||
  SKIPPABLE_MAGIC.every((byte, n) => n >= bytes.length || ((bytes[n] ?? 0) & (n === 0 ? 0xf0 : 0xff)) === byte);

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
