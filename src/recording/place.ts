import type { LineFacts } from "./line_facts.ts";

/**
 * Where frames stand on the timeline, which begins at 0 with the recording's first frame and never goes backwards:
 * by `elapsed_ms` where a frame has it, else by the positive steps of `t`. Where `elapsed_ms` itself goes backwards (two
 * recordings put together) counting goes on from there by the step of `t`. Frames out of order keep the order of the
 * file; doubled and equal times share a place.
 */
export interface PlaceState {
  readonly place_ms: number;
  readonly t_ms: number;
  /** `null` where that frame has none. */
  readonly elapsed_ms: number | null;
  /** What is added to `elapsed_ms`. */
  readonly offset_ms: number;
  /** Of the last frame that has one, since the last header of another recording; `null` where there is none. */
  readonly seq: number | null;
  /** Of the frame with a `seq` before that one. */
  readonly seq_before: number | null;
  /** Of the header under which the frame stands. */
  readonly recording: string | null;
}

/** The state after a frame that comes after `before` (`null`: it is the first), below a header of `recording`. */
export function placeAfter(
  before: PlaceState | null,
  { t_ms, seq, elapsed_ms }: LineFacts,
  recording: string | null,
): PlaceState {
  const counted =
    seq === null
      ? { seq: before?.seq ?? null, seq_before: before?.seq_before ?? null, recording }
      : { seq, seq_before: before?.seq ?? null, recording };
  if (before === null) return { place_ms: 0, t_ms, elapsed_ms, offset_ms: -(elapsed_ms ?? 0), ...counted };
  const stepped_ms = before.place_ms + Math.max(0, t_ms - before.t_ms);
  if (elapsed_ms === null) return { place_ms: stepped_ms, t_ms, elapsed_ms: null, offset_ms: 0, ...counted };
  if (before.elapsed_ms === null || elapsed_ms < before.elapsed_ms) {
    return { place_ms: stepped_ms, t_ms, elapsed_ms, offset_ms: stepped_ms - elapsed_ms, ...counted };
  }
  return { place_ms: before.offset_ms + elapsed_ms, t_ms, elapsed_ms, offset_ms: before.offset_ms, ...counted };
}

/**
 * The state behind a header. One of another recording, or one that does not say, begins to count anew: a `seq` need not
 * grow any more.
 */
export function belowHeader(before: PlaceState | null, recording: string | null): PlaceState | null {
  if (before === null || (recording !== null && recording === before.recording)) return before;
  return { ...before, seq: null, seq_before: null, recording };
}

/**
 * Whether a frame is a copy of one that is there already: its `seq` does not grow. Where it lies between those of the
 * two frames before it, and its time is later, it is the last one's `seq` that damage has made too high.
 */
export function isCopy(before: PlaceState | null, { t_ms, seq, elapsed_ms }: LineFacts): boolean {
  if (before === null || before.seq === null || seq === null || seq > before.seq) return false;
  const isLater =
    elapsed_ms !== null && before.elapsed_ms !== null ? elapsed_ms > before.elapsed_ms : t_ms > before.t_ms;
  return !(isLater && seq < before.seq && seq > (before.seq_before ?? -1));
}
