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
}

/** The state after a frame that comes after `before` (`null`: it is the first). */
export function placeAfter(before: PlaceState | null, { t_ms, elapsed_ms }: LineFacts): PlaceState {
  if (before === null) return { place_ms: 0, t_ms, elapsed_ms, offset_ms: -(elapsed_ms ?? 0) };
  const stepped_ms = before.place_ms + Math.max(0, t_ms - before.t_ms);
  if (elapsed_ms === null) return { place_ms: stepped_ms, t_ms, elapsed_ms: null, offset_ms: 0 };
  if (before.elapsed_ms === null || elapsed_ms < before.elapsed_ms) {
    return { place_ms: stepped_ms, t_ms, elapsed_ms, offset_ms: stepped_ms - elapsed_ms };
  }
  return { place_ms: before.offset_ms + elapsed_ms, t_ms, elapsed_ms, offset_ms: before.offset_ms };
}
