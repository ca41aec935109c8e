import type { Untrusted } from "../frame/decode.ts";
import type { BlockFacts } from "./block.ts";
import { BLOCK_FRAMES, BLOCK_TEXT_BYTES } from "./limits.ts";
import type { PlaceState } from "./place.ts";

/** Where the text of a block is: behind `skipBytes` of the text from the unit at `unit_at` on. */
export interface TextRange {
  readonly unit_at: number;
  readonly skipBytes: number;
  readonly textBytes: number;
}

export interface ScanListener {
  /** A stretch of frames, and where its text is. */
  block(facts: BlockFacts, range: TextRange): void;
  header(value: Untrusted): void;
  skipped(reason: string): void;
  /** A line of another schema: nothing behind it is read. */
  refused(schema: number): void;
}

/** Where a stretch of frames ends. */
export interface BlockLimits {
  readonly frames: number;
  readonly textBytes: number;
}

export const BLOCK_LIMITS: BlockLimits = { frames: BLOCK_FRAMES, textBytes: BLOCK_TEXT_BYTES };

/** What comes before the frames that a scan will find. */
export interface ScanStart {
  readonly state: PlaceState | null;
  /** Of the next frame. */
  readonly ordinal: number;
}
