import { decodeLine } from "../frame/decode.ts";
import type { ReadableBytes } from "./bytes.ts";
import type { Codec } from "./codec.ts";
import { BLOCK_FRAMES, LARGEST_BLOCK_TEXT_BYTES, MAX_BLOCK_BYTES } from "./limits.ts";
import { decodeIndex, type IndexEntry, type IndexLine } from "./lines.ts";

/** An index line with where its unit ends: what follows it there is not indexed yet. */
export interface FoundIndex {
  readonly index: IndexLine;
  readonly end: number;
  readonly textBytes: number;
}

/** Where the chain of index lines leads. */
export interface Chain {
  /** All blocks of the file that are indexed, oldest first. */
  readonly entries: IndexEntry[];
  readonly last: FoundIndex;
}

const INDEX_START = Buffer.from('{"schema":1,"index":true,');
const NEWLINE = 10;

/** Index lines are small, but for those that repeat the events of 64 blocks. */
const READ_BYTES = [64 << 10, 512 << 10, 8 << 20] as const;
const MAX_INDEX_TEXT_BYTES = 8 << 20;
const USUAL_INDEX_TEXT_BYTES = 1 << 20;

/** What looks like the beginning of an index line's unit and is none: a recorder leaves two or three of them at most. */
const MOST_CANDIDATES = 32;
/** The text of all index lines that are read of one file: those of ten years. */
const MAX_CHAIN_TEXT_BYTES = 128 << 20;

/** From one multiple of it to the next, and those of the first block, which count from 0. */
const MOST_BLOCK_FRAMES = BLOCK_FRAMES + 1;

/** Behind the last index line there is one block at most. */
const SEARCH_BYTES = LARGEST_BLOCK_TEXT_BYTES + (1 << 20);
const PIECE_BYTES = 256 << 10;

/** The index line whose unit begins at `at`; `null` where there is none, or one that says it stands elsewhere. */
export function readIndexAt(file: ReadableBytes, codec: Codec, at: number): FoundIndex | null {
  for (const length of READ_BYTES) {
    const bytes = file.read(at, length);
    const unit = codec.magic.length === 0 ? firstLine(bytes) : codec.decodeUnit(bytes, MAX_INDEX_TEXT_BYTES);
    if (!INDEX_START.equals(unit.text.subarray(0, INDEX_START.length))) return null;
    if (unit.length !== null) return indexIn(unit.text, at, at + unit.length);
  }
  return null;
}

/** The same where its unit ends at `end`, if it does: that is read and decoded alone, into memory that is there. */
function readWholeIndex(
  file: ReadableBytes,
  codec: Codec,
  at: number,
  end: number,
  memory: Uint8Array,
): FoundIndex | null {
  if (codec.decodeInto === undefined || end - at > memory.length) return null;
  const length = codec.decodeInto(file.read(at, end - at), memory);
  return length === null ? null : indexIn(memory.subarray(0, length), at, end);
}

function indexIn({ buffer, byteOffset, length: textBytes }: Uint8Array, at: number, end: number): FoundIndex | null {
  const line = decodeLine(Buffer.from(buffer, byteOffset, textBytes).toString());
  const index = line.kind === "index" ? decodeIndex(line.value) : null;
  return index !== null && index.at === at ? { index, end, textBytes } : null;
}

function firstLine(bytes: Buffer): { text: Uint8Array; length: number | null } {
  const end = bytes.indexOf(NEWLINE);
  return end < 0 ? { text: bytes, length: null } : { text: bytes.subarray(0, end + 1), length: end + 1 };
}

/** Where an index line's unit may begin, from the end of the file backwards. */
function* unitStarts(file: ReadableBytes, codec: Codec): Generator<number> {
  const isPlain = codec.magic.length === 0;
  // In plain text it begins behind the line before.
  const mark = isPlain ? Buffer.concat([Buffer.from([NEWLINE]), INDEX_START]) : Buffer.from(codec.magic);
  const shift = isPlain ? 1 : 0;
  const lowest = Math.max(0, file.size - SEARCH_BYTES);
  for (let end = file.size; end > lowest; end -= PIECE_BYTES) {
    const start = Math.max(0, end - PIECE_BYTES);
    const piece = file.read(start, end - start + mark.length - 1);
    for (let hit = piece.lastIndexOf(mark); hit >= 0; hit = hit === 0 ? -1 : piece.lastIndexOf(mark, hit - 1)) {
      yield start + hit + shift;
    }
  }
}

/** The last index line of a file, found by looking backwards; `null` where there is none. */
export function findLastIndex(file: ReadableBytes, codec: Codec): FoundIndex | null {
  let candidates = 0;
  for (const at of unitStarts(file, codec)) {
    const found = readIndexAt(file, codec, at);
    if (found !== null) return found;
    if (++candidates === MOST_CANDIDATES) return null;
  }
  return null;
}

/**
 * Follows the chain from the last index line to the first, by the lines that repeat the summaries before them. `null`
 * where there is no index or one of its lines cannot be true.
 */
export function readChain(file: ReadableBytes, codec: Codec): Chain | null {
  const last = findLastIndex(file, codec);
  if (last === null) return null;
  const entries: IndexEntry[] = [];
  const memory = new Uint8Array(USUAL_INDEX_TEXT_BYTES);
  let textBytes = 0;
  for (let found: FoundIndex | null = last; ; ) {
    textBytes += found.textBytes;
    if (textBytes > MAX_CHAIN_TEXT_BYTES) return null;
    const { seq, byte_offset, at, block, blocks, previous, previous_summary }: IndexLine = found.index;
    entries.push({ seq, byte_offset, at, block }, ...(blocks ?? []).toReversed());
    const next: number | null = blocks === null ? previous : previous_summary;
    if (next === null) break;
    // Behind it is the next block.
    const end: number = entries.at(-1)?.byte_offset ?? next;
    found = readWholeIndex(file, codec, next, end, memory) ?? readIndexAt(file, codec, next);
    if (found === null) return null;
  }
  entries.reverse();
  return isGapless(entries) ? { entries, last } : null;
}

/** A recorder counts all frames of a file, one by one: what does not add up is not true, or not ours. */
const isGapless = (entries: readonly IndexEntry[]): boolean =>
  entries.every(({ seq, byte_offset, at, block }, n) => {
    const before = entries[n - 1];
    if (block.frames !== seq - block.first_seq + 1 || block.frames > MOST_BLOCK_FRAMES) return false;
    if (at - byte_offset > MAX_BLOCK_BYTES) return false;
    if (before === undefined) return byte_offset === 0;
    return before.at < byte_offset && before.seq + 1 === block.first_seq;
  });
