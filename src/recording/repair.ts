import type { FileBytes } from "./bytes.ts";
import { findLastIndex, readIndexAt } from "./chain.ts";
import type { Codec } from "./codec.ts";
import { DecodedBlock } from "./decoded_block.ts";
import { LARGEST_BLOCK_TEXT_BYTES, MAX_BLOCK_BYTES, MAX_UNIT_TEXT_BYTES, SUMMARY_EVERY } from "./limits.ts";
import { judgedLines, LineJudge } from "./line_judge.ts";
import type { IndexEntry, IndexLine } from "./lines.ts";
import type { PlaceState } from "./place.ts";
import { closePlain } from "./plain_tail.ts";
import type { ChainState } from "./segment_writer.ts";

/** The last frame of a recording: where counting goes on. */
export interface LastFrame {
  readonly seq: number;
  readonly t_ms: number;
  readonly elapsed_ms: number;
}

/** The text of a block without index line, whose unit begins at `start`, and what it stands behind. */
export interface UnclosedText {
  readonly start: number;
  readonly text: Uint8Array;
  readonly before: PlaceState | null;
  readonly recording: string;
}

/** How a file is made whole: cut off at `keepBytes`, add `closing`; then `unclosed` wants its index line. */
export interface Repair {
  readonly keepBytes: number;
  readonly closing: Uint8Array;
  /** The last index line. */
  readonly index: IndexLine | null;
  readonly chain: ChainState;
  /** The block behind it. */
  readonly unclosed: UnclosedText | null;
}

const NOTHING = new Uint8Array(0);
const NEWLINE = 10;

/**
 * What a recorder that was killed left open in a file of ours. Behind the last index line there is one block, and
 * perhaps an index line that was cut off; what something else has left there goes. `"empty"` where there is no whole
 * frame in the file; `null` where the file is damaged, so that bytes would be lost that somebody may still want to look
 * at, where another recording stands behind it, or its last index line is not true. `recording`: the file's own.
 */
export function findRepair(
  file: FileBytes,
  codec: Codec,
  recording: string,
): { last: LastFrame; repair: Repair } | "empty" | null {
  const found = findLastIndex(file, codec);
  const start = found?.end ?? 0;
  if (file.size - start > LARGEST_BLOCK_TEXT_BYTES) return null;
  const chain = found === null ? NO_CHAIN() : chainState(file, codec, found.index);
  const tail = closeTail(file.read(start, file.size - start), codec);
  const index = found?.index ?? null;
  if (chain === null || tail === null || (index !== null && !isTrue(file, codec, index))) return null;
  const before = index && stateBehind(index, recording);
  const last = lastOfBlock(tail.text, new LineJudge(before, recording, "nothing"), recording);
  if (last === "damaged") return null;
  if (last !== null) {
    const { keepBytes, closing, text } = tail;
    const unclosed = { start, text, before, recording };
    return { last, repair: { keepBytes: start + keepBytes, closing, index, chain, unclosed } };
  }
  if (index === null) return "empty";
  return { last: lastOf(index), repair: { keepBytes: start, closing: NOTHING, index, chain, unclosed: null } };
}

/** How things stand behind a block, of which nothing but its last frame matters. */
const stateBehind = ({ seq, block }: IndexLine, recording: string): PlaceState => ({
  ...{ place_ms: 0, offset_ms: 0, t_ms: block.last_t_ms, elapsed_ms: block.elapsed_ms },
  ...{ seq, seq_before: seq - 1, recording },
});

/** Whether the block that an index line tells of is there, and ends with the frame that it says: counting goes on there. */
function isTrue(file: FileBytes, codec: Codec, { seq, byte_offset, at, block }: IndexLine): boolean {
  if (at - byte_offset > MAX_BLOCK_BYTES) return false;
  const { text } = codec.decodeUnit(file.read(byte_offset, at - byte_offset), LARGEST_BLOCK_TEXT_BYTES);
  const decoded = new DecodedBlock(asBuffer(text), { before: null, recording: null, trust: "shape" });
  const last = decoded.frames - 1;
  return last >= 0 && decoded.seq(last) === seq && decoded.t_ms(last) === block.last_t_ms;
}

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length);

const NO_CHAIN = (): ChainState => ({ previous: null, previous_summary: null, since: [] });

const lastOf = ({ seq, block }: IndexLine): LastFrame => ({
  seq,
  t_ms: block.last_t_ms,
  elapsed_ms: block.elapsed_ms,
});

/**
 * Walks back to the last line that repeats summaries; `null` where a line on the way cannot be true, or there are more
 * of them than a recorder writes.
 */
function chainState(file: FileBytes, codec: Codec, last: IndexLine): ChainState | null {
  const since: IndexEntry[] = [];
  let index = last;
  while (index.blocks === null) {
    const { seq, byte_offset, at, block, previous } = index;
    if (since.length === SUMMARY_EVERY) return null;
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

/** One unit, whole or to be closed. What is behind it goes, unless there are lines of a recording in it. */
function closeTail(bytes: Buffer, codec: Codec): Tail | null {
  const unit = codec.decodeUnit(bytes, MAX_UNIT_TEXT_BYTES);
  const isWhole = unit.length !== null && unit.text.at(-1) === NEWLINE && codec.magic.length > 0;
  const closed = isWhole ? { keepBytes: unit.length ?? 0, isAll: true, closing: NOTHING, text: unit.text } : null;
  const end = codec.magic.length > 0 ? codec.closeUnit : closePlain;
  const tail = closed ?? end(bytes) ?? { keepBytes: 0, isAll: true, closing: NOTHING, text: NOTHING };
  const behind = bytes.subarray(tail.keepBytes);
  return tail.isAll && !holdsLines(behind, codec) ? tail : null;
}

/** What looks like the beginning of a unit, and may be none. */
const MOST_CANDIDATES = 32;
const LINE_START = '{"schema":1,';

/** An index line that is there but for its checksum is written again; any other line does not go. */
function holdsLines(bytes: Buffer, codec: Codec): boolean {
  if (codec.magic.length === 0) return false;
  const magic = Buffer.from(codec.magic);
  let at = bytes.indexOf(magic);
  // Plain lines behind a compressed file; a unit that was cut off may hold the beginning of a line as it is.
  if (at !== 0 && bytes.includes(LINE_START)) return true;
  for (let n = 0; at >= 0 && n < MOST_CANDIDATES; n++, at = bytes.indexOf(magic, at + 1)) {
    const unit = bytes.subarray(at);
    const { text, length } = codec.decodeUnit(unit, MAX_UNIT_TEXT_BYTES);
    const judge = new LineJudge(null, null, "nothing");
    for (const { kind } of judgedLines(length === null ? codec.cutText(unit) : text, judge)) {
      if (kind !== "index" || length !== null) return true;
    }
  }
  return false;
}

/** Of a block without index line; `null` where there is no frame in it. */
function lastOfBlock(text: Uint8Array, judge: LineJudge, recording: string): LastFrame | "damaged" | null {
  let last: LastFrame | null = null;
  for (const line of judgedLines(text, judge)) {
    if (line.kind === "index" || line.kind === "refused" || judge.recording !== recording) return "damaged";
    if (line.kind !== "frame" || line.frame.seq === null) continue;
    const { seq, t_ms, elapsed_ms } = line.frame;
    last = { seq, t_ms, elapsed_ms: elapsed_ms ?? 0 };
  }
  return last;
}
