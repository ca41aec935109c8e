/** The arithmetic of playing. */

/** The speeds that `+` and `-` go through; a recording may be started with any other. */
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8] as const;
export const SLOWEST = 0.25;
export const FASTEST = 64;

/** The next speed of the ladder; where there is none, the one it was. */
export const faster = (speed: number): number => SPEEDS.find((step) => step > speed) ?? speed;
export const slower = (speed: number): number => SPEEDS.findLast((step) => step < speed) ?? speed;

/** More frames than this a second nobody sees, and most terminals cannot show. */
export const SHORTEST_FRAME_MS = 40;
/** What takes longer to play than this is jumped, if it is a gap and not the interval of the recording. */
const LONGEST_WAIT_MS = 10_000;
/** The frame before a gap stays so long before the jump. */
export const GAP_PAUSE_MS = 1000;
/** More than so many intervals without a frame are a gap. */
const GAP_INTERVALS = 2.5;

/** Whether playing jumps from one frame to the next, `distance_ms` later on the timeline. */
export function isJumped(distance_ms: number, speed: number, interval_ms: number | null): boolean {
  return distance_ms > LONGEST_WAIT_MS * speed && distance_ms > GAP_INTERVALS * (interval_ms ?? 0);
}

/** How long the last frame stays before a loop begins again. */
export const loopPause_ms = (speed: number, interval_ms: number | null): number =>
  Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_FRAME_MS, (interval_ms ?? 1000) / speed));

/** After the last growth a recording still counts as being written for so long. */
export const growthPatience_ms = (interval_ms: number | null): number =>
  Math.max(5000, GAP_INTERVALS * (interval_ms ?? 0));
