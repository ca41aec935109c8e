import type { Block, BlockFindings } from "./block.ts";
import { DecodedBlock } from "./decoded_block.ts";
import { untoldGap, withGap } from "./findings.ts";
import type { ScanStart } from "./scan_listener.ts";
import type { SegmentFacts, SegmentReader, Where } from "./segment_reader.ts";

/** A block of a file. */
export interface FileBlock extends Block {
  readonly segment: SegmentReader;
  readonly where: Where;
  findings: BlockFindings | null;
}

/** Where the frame stands that comes after these blocks; `first`: where those began. */
export function startBehind(blocks: readonly FileBlock[], first: ScanStart): ScanStart {
  const last = blocks.at(-1);
  return last === undefined ? first : { state: last.after, ordinal: last.first_ordinal + last.frames };
}

/** What is known of a file, with the frames of those of the blocks that are in it. */
export function factsOf(segment: SegmentReader, all: readonly FileBlock[]): SegmentFacts {
  const blocks = all.filter((block) => block.segment === segment);
  const frames = blocks.reduce((sum, block) => sum + block.frames, 0);
  const { path, codec, file, header } = segment;
  const highest_seq = blocks.reduce((highest, block) => Math.max(highest, block.highest_seq), -1);
  return { path, codec: codec.name, bytes: file.size, frames, header, ...segment.ending(highest_seq) };
}

/** Why there is nothing to show of files in which no frame was found. */
export function emptinessOf(segments: readonly SegmentReader[], hasHeader: boolean): string {
  if (segments.every(({ file }) => file.size === 0)) return "is empty";
  if (hasHeader) return "has a header and no frames";
  return segments.map(({ obstacle }) => obstacle).find((words) => words !== null) ?? "is not a recording";
}

/** A segment that was taken away is a gap, which no index line tells of. `block`: the first of the segment behind it. */
export async function noteMissing(block: FileBlock | undefined): Promise<void> {
  if (block?.findings == null) return;
  const { segment } = block;
  const gap_ms = untoldGap(block, block.findings, segment.header?.interval_ms ?? null);
  if (gap_ms === null) return;
  const text = await segment.load(block.where, new AbortController().signal, () => {});
  if (text === null) return;
  const decoded = new DecodedBlock(text, block);
  const frame = decoded.frames > 0 ? decoded.frame(0) : null;
  if (frame !== null) block.findings = withGap(block, block.findings, gap_ms, frame.hostname);
  decoded.free();
}

/** The same frames, found in the same way. A last block that has grown since is another. */
const isSameBlock = (one: FileBlock, other: FileBlock | undefined): boolean =>
  other !== undefined &&
  one.segment === other.segment &&
  one.trust === other.trust &&
  one.first_ordinal === other.first_ordinal &&
  one.frames === other.frames &&
  one.first_place_ms === other.first_place_ms &&
  one.after.place_ms === other.after.place_ms &&
  isSamePlace(one.where, other.where);

/** The same frames and perhaps more of them: each still has its ordinal. */
const isGrown = (one: FileBlock, other: FileBlock | undefined): boolean =>
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

/**
 * Blocks that were made anew: one that is as it was stays the same object, so that whoever has decoded it need not do so
 * again. `isGrown`: nothing but more frames has come.
 */
export function mergeBlocks(
  known: readonly FileBlock[],
  blocks: readonly FileBlock[],
): { readonly merged: FileBlock[]; readonly isGrown: boolean } {
  const isSame = known.map((block, n) => isSameBlock(block, blocks[n]));
  const merged = blocks.map((block, n) => (isSame[n] ? (known[n] ?? block) : block));
  return { merged, isGrown: known.every((block, n) => isSame[n] || isGrown(block, blocks[n])) };
}
