import type { DetectedEvent } from "../events/event.ts";
import type { Frame } from "../frame/frame.ts";

/** Where a frame stands. */
export interface Position {
  readonly frame: Frame;
  /** Counted over all frames that are there, in the order of the file. */
  readonly ordinal: number;
  /** On the timeline, from the recording's first frame: never goes backwards. */
  readonly place_ms: number;
}

/** What there is to go through. It grows while something is recorded, scanned or followed. */
export interface CursorRange {
  readonly first_t_ms: number;
  readonly last_t_ms: number;
  /** On the timeline, of the first and the last frame. The first is 0 in a recording; a ring forgets its beginning. */
  readonly first_place_ms: number;
  readonly last_place_ms: number;
  readonly frames: number;
  /** How much of the file has been looked at, 0 to 1; below 1 the rest is not known yet. */
  readonly scanned: number;
}

/** The numbers of the last frames up to the current one, for what is drawn as history. */
export interface History {
  /** How many points a series has, the current frame's last. */
  readonly length: number;
  /** One value a frame, oldest first; NaN where it is unknown or not read yet. Keys: `frame/points.ts`. */
  series(key: string): Float32Array;
  /** False while older frames are still being read; the view draws it dim until then. */
  readonly isComplete: boolean;
}

/** One column of the scrubber: lowest, mean and highest GPU utilization (%) in its stretch of time. */
export interface EnvelopeColumn {
  readonly lowest: number;
  readonly mean: number;
  readonly highest: number;
}

/** Raised by what a later seek has overtaken. */
export class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/**
 * A place among frames that one can move: over a recording, or over what is still in memory of a live machine. Whoever
 * holds a cursor cannot tell which. Of several moves under way the latest wins; the others reject with Overtaken.
 */
export interface Cursor {
  /** `null` before the first move, or where there is no frame. */
  readonly current: Position | null;
  readonly range: CursorRange;
  /** The earliest time by the wall clock; before the first frame's where that clock was set back. */
  readonly lowest_t_ms: number;
  /**
   * Where the frame after the current one stands, so that playing knows when it is due; `null` where there is none (yet).
   * Of frames that came in since the last move, an estimate.
   */
  readonly nextPlace_ms: number | null;
  /** The frame after (before) the current one; `null`, and no move, where there is none. */
  next(): Promise<Position | null>;
  previous(): Promise<Position | null>;
  /** What was on the screen at that place of the timeline: the last frame at or before it, at least the first one. */
  seek(place_ms: number): Promise<Position | null>;
  /** The first frame whose wall clock is at or after it; the last one where there is none. */
  seekWall(t_ms: number): Promise<Position | null>;
  /** The frame with that `seq`, or the first after it. */
  seekTo(seq: number): Promise<Position | null>;
  first(): Promise<Position | null>;
  last(): Promise<Position | null>;
  /** Gives up the move under way. */
  cancel(): void;
  history(length: number): History;
  /** The scrubber's curve, over the whole range; `null` where nothing is known in a column. */
  envelope(columns: number): readonly (EnvelopeColumn | null)[];
  /** All events known so far, in the order of the timeline. */
  events(): readonly DetectedEvent[];
  /** Conditions that are no events, as too many were on, by kind, as far as known. */
  refusedConditions(): ReadonlyMap<string, number>;
  /** Share of the move under way that is done, 0 to 1, where it takes long; `null` where none does. */
  readonly progress: number | null;
  /** How much of the frames has been looked at for events and the envelope, 0 to 1; it goes on by itself. */
  readonly analysed: number;
  /** Lines that were skipped so far, and why. */
  readonly skipped: ReadonlyMap<string, number>;
  /** The words for a line of an unknown schema that ended the reading; `null` where there was none. */
  readonly refused: string | null;
  /** Whether a recorder has closed what is followed: nothing more comes, unless it is gone on with. */
  readonly isEnded: boolean;
  /** Called when range, history, events or progress have changed. Returns what ends it. */
  onChange(listener: () => void): () => void;
  close(): void;
}
