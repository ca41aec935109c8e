import { GAP_INTERVALS } from "./gap.ts";

/** Below this two readings belong together, however short the interval is. */
const MIN_LINK_MS = 15_000;
/** Where nobody says what the interval is, it is the median of so many steps. */
const STEPS = 5;
/** The Rust tool's frames have times in whole seconds. */
const COARSE_MS = 1000;

/** How far apart two readings may be that one draws a line between. */
const linkOf = (interval_ms: number): number => Math.max(MIN_LINK_MS, GAP_INTERVALS * interval_ms);

/** {@link BUSY_MS} and {@link LOW_MS} of the cliff, and the links before, between and behind them. */
const LONGEST_RULE_MS = 70_000;

/**
 * What the detector remembers besides the conditions that are on comes from the frames of so long a time. Fed with
 * those, and told what was on, it goes on as if it had seen everything.
 */
export const lookback_ms = (interval_ms: number | null): number => LONGEST_RULE_MS + 3 * linkOf(interval_ms ?? 0);

const isInterval = (interval_ms: number | null): interval_ms is number => interval_ms !== null && interval_ms > 0;

/** Knows how far apart frames are, and so when some are missing. */
export class Pace {
  #interval_ms: number | null;
  #last_ms: number | null;
  #steps: number[] = [];

  /** `interval_ms`: what the header says. `last_ms`: the place of the frame before the first. */
  constructor(interval_ms: number | null, last_ms: number | null) {
    this.#interval_ms = isInterval(interval_ms) ? interval_ms : null;
    this.#last_ms = last_ms;
  }

  set interval_ms(interval_ms: number | null) {
    this.#interval_ms = isInterval(interval_ms) ? interval_ms : null;
  }

  /** Two readings that are farther apart say nothing of the time between them. */
  get link_ms(): number {
    return linkOf(this.#interval() ?? 0);
  }

  get lookback_ms(): number {
    return lookback_ms(this.#interval());
  }

  #interval(): number | null {
    if (this.#interval_ms !== null) return this.#interval_ms;
    const median = this.#steps.toSorted((a, b) => a - b)[this.#steps.length >> 1];
    return median === undefined ? null : Math.max(median, COARSE_MS);
  }

  /** Goes on to the next frame; how long there was none before it, where that is a gap. */
  step(place_ms: number): number | null {
    const step_ms = this.#last_ms === null ? 0 : place_ms - this.#last_ms;
    this.#last_ms = place_ms;
    const interval_ms = this.#interval();
    if (step_ms > 0 && this.#interval_ms === null) this.#steps = [...this.#steps, step_ms].slice(-STEPS);
    return interval_ms !== null && step_ms > GAP_INTERVALS * interval_ms ? step_ms : null;
  }
}
