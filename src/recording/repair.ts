import { decodeLine, type Line } from "../frame/decode.ts";
import type { FileBytes } from "./bytes.ts";
import { findLastIndex, readIndexAt } from "./chain.ts";
import type { Codec } from "./codec.ts";
import { LARGEST_BLOCK_TEXT_BYTES, MAX_UNIT_TEXT_BYTES } from "./limits.ts";
import type { IndexEntry, IndexLine } from "./lines.ts";
import type { ChainState } from "./segment_writer.ts";

/** The last frame of a recording: where counting goes on. */
export interface LastFrame {
  readonly seq: number;
  readonly t_ms: number;
  readonly elapsed_ms: number;
}

/** How a file is made whole: cut off at `keepBytes`, add `closing`; then `unclosed` wants its index line. */
export interface Repair {
  readonly keepBytes: number;
  readonly closing: Uint8Array;
  /** The last index line. */
  readonly index: IndexLine | null;
  readonly chain: ChainState;
  /** The text of the block behind it, whose unit begins at `start`. */
  readonly unclosed: { readonly start: number; readonly text: Uint8Array } | null;
}

const NOTHING = new Uint8Array(0);
const NEWLINE = 10;

/**
 * What a recorder that was killed left open in a file of ours. Behind the last index line there is one block, and
 * perhaps an index line that was cut off. `"empty"` where there is no whole frame in the file; `null` where the file
 * is damaged, so that bytes would be lost that somebody may still want to look at.
 */
export function findRepair(file: FileBytes, codec: Codec): { last: LastFrame; repair: Repair } | "empty" | null {
  const found = findLastIndex(file, codec);
  const start = found?.end ?? 0;
  if (file.size - start > LARGEST_BLOCK_TEXT_BYTES) return null;
  const chain = found === null ? NO_CHAIN() : chainState(file, codec, found.index);
  const tail = closeTail(file.read(start, file.size - start), codec);
  if (chain === null || tail === null) return null;
  const last = lastOfBlock(tail.text);
  if (last === "damaged") return null;
  const index = found?.index ?? null;
  if (last !== null) {
    const { keepBytes, closing, text } = tail;
    return { last, repair: { keepBytes: start + keepBytes, closing, index, chain, unclosed: { start, text } } };
  }
  if (index === null) return "empty";
  return { last: lastOf(index), repair: { keepBytes: start, closing: NOTHING, index, chain, unclosed: null } };
}

const NO_CHAIN = (): ChainState => ({ previous: null, previous_summary: null, since: [] });

const lastOf = ({ seq, block }: IndexLine): LastFrame => ({
  seq,
  t_ms: block.last_t_ms,
  elapsed_ms: block.elapsed_ms,
});

/** Walks back to the last line that repeats summaries; `null` where a line on the way cannot be true. */
function chainState(file: FileBytes, codec: Codec, last: IndexLine): ChainState | null {
  const since: IndexEntry[] = [];
  let index = last;
  while (index.blocks === null) {
    const { seq, byte_offset, at, block, previous } = index;
    since.unshift({ seq, byte_offset, at, block });
    if (previous === null) return { previous: last.at, previous_summary: null, since };
    const before = readIndexAt(file, codec, previous);
    if (before === null) return null;
    index = before.index;
  }
  return { previous: last.at, previous_summary: index.at, since };
}

interface Tail {
  readonly keepBytes: number;
  readonly closing: Uint8Array;
  readonly text: Uint8Array;
}

/** One unit, whole or to be closed, and what is left of a second one that was never written whole. */
function closeTail(bytes: Buffer, codec: Codec): Tail | null {
  const first = closeUnit(bytes, codec);
  if (first === null || first.keepBytes === 0 || first.isCut) return first;
  const second = closeUnit(bytes.subarray(first.keepBytes), codec);
  // An index line that is there but for its checksum is written again; anything more does not belong here.
  const isLeftOver = second !== null && (second.keepBytes === 0 || (second.isCut && isIndexLine(second.text)));
  return isLeftOver ? first : null;
}

function closeUnit(bytes: Buffer, codec: Codec): (Tail & { readonly isCut: boolean }) | null {
  const unit = codec.decodeUnit(bytes, MAX_UNIT_TEXT_BYTES);
  if (unit.length !== null) return { keepBytes: unit.length, closing: NOTHING, text: unit.text, isCut: false };
  const { keepBytes, closing, text } = codec.closeUnit(bytes) ?? { keepBytes: 0, closing: NOTHING, text: NOTHING };
  const isLoss = unit.damage !== null && bytes.subarray(keepBytes).some((byte) => byte !== 0);
  return isLoss ? null : { keepBytes, closing, text, isCut: true };
}

const isIndexLine = (text: Uint8Array): boolean =>
  decodeLine(Buffer.from(text).subarray(0, text.indexOf(NEWLINE)).toString()).kind === "index";

/** The whole lines of a text. */
export function* linesOf(text: Uint8Array): Generator<Line> {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.length);
  for (let start = 0, end = bytes.indexOf(NEWLINE); end >= 0; start = end + 1, end = bytes.indexOf(NEWLINE, start)) {
    yield decodeLine(bytes.toString("utf8", start, end));
  }
}

/** Of a block without index line; `null` where there is no frame in it. */
function lastOfBlock(text: Uint8Array): LastFrame | "damaged" | null {
  let last: LastFrame | null = null;
  for (const line of linesOf(text)) {
    if (line.kind === "index" || line.kind === "refused") return "damaged";
    if (line.kind !== "frame" || line.frame.seq === null) continue;
    const { seq, t_ms, elapsed_ms } = line.frame;
    last = { seq, t_ms, elapsed_ms: elapsed_ms ?? 0 };
  }
  return last;
}
