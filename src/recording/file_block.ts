import type { Block, BlockFacts, BlockFindings } from "./block.ts";
import type { Trust } from "./line_judge.ts";
import type { SegmentReader, Where } from "./segment_reader.ts";

/** A block of a file. */
export interface FileBlock extends Block {
  readonly segment: SegmentReader;
  readonly where: Where;
  findings: BlockFindings | null;
}

/** Of the frame that comes after these blocks. */
export function nextOrdinal(blocks: readonly FileBlock[]): number {
  const last = blocks.at(-1);
  return last === undefined ? 0 : last.first_ordinal + last.frames;
}

export function addBlock(
  blocks: FileBlock[],
  segment: SegmentReader,
  facts: BlockFacts,
  where: Where,
  findings: BlockFindings | null,
  trust: Trust,
): void {
  blocks.push({ ...facts, trust, first_ordinal: nextOrdinal(blocks), segment, where, findings });
}

/** The same frames, found in the same way. A last block that has grown since is another. */
export const isSameBlock = (one: FileBlock, other: FileBlock | undefined): boolean =>
  other !== undefined &&
  one.segment === other.segment &&
  one.trust === other.trust &&
  one.first_ordinal === other.first_ordinal &&
  one.frames === other.frames &&
  one.first_place_ms === other.first_place_ms &&
  one.after.place_ms === other.after.place_ms &&
  isSamePlace(one.where, other.where);

/** The same frames and perhaps more of them: each still has its ordinal. */
export const isGrown = (one: FileBlock, other: FileBlock | undefined): boolean =>
  other !== undefined &&
  one.trust === other.trust &&
  one.first_ordinal === other.first_ordinal &&
  one.frames <= other.frames;

function isSamePlace(one: Where, other: Where): boolean {
  if (one.kind === "unit") {
    return (
      other.kind === "unit" && one.entry.at === other.entry.at && one.entry.byte_offset === other.entry.byte_offset
    );
  }
  if (other.kind === "unit") return false;
  const { unit_at, skipBytes, textBytes } = one.range;
  const { range } = other;
  return unit_at === range.unit_at && skipBytes === range.skipBytes && textBytes === range.textBytes;
}
