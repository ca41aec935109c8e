/** When a frame is looked at, on the timeline. */
export interface Moment {
  readonly place_ms: number;
  /** Two readings that are farther apart say nothing of the time between them. */
  readonly link_ms: number;
  /** What is older than this is forgotten. */
  readonly lookback_ms: number;
  /** Of the first frame after a header line: nothing is remembered from before it. */
  readonly since_ms: number;
}

/** A stretch of time in which something was so whenever one looked. */
export class Run {
  #since_ms = Number.NEGATIVE_INFINITY;
  #last_ms = Number.NEGATIVE_INFINITY;

  goesOn({ place_ms, link_ms }: Moment): boolean {
    return place_ms - this.#last_ms <= link_ms;
  }

  /** It is so now. */
  confirm(now: Moment): void {
    if (!this.goesOn(now)) this.#since_ms = now.place_ms;
    this.#last_ms = now.place_ms;
  }

  /** It is not so now. */
  end(): void {
    this.#last_ms = Number.NEGATIVE_INFINITY;
  }

  /** From its first to its last confirmation. */
  get lasted_ms(): number {
    return this.#last_ms - this.#since_ms;
  }
}

/** A reading that is compared with the next one. */
export class Reading {
  #value = 0;
  #place_ms = Number.NEGATIVE_INFINITY;

  /** Takes note of a new value; gives the one before it, `null` where there is none that still counts. */
  follow(value: number | null | undefined, { place_ms, link_ms }: Moment): number | null {
    if (value === null || value === undefined) return null;
    const before = place_ms - this.#place_ms <= link_ms ? this.#value : null;
    this.#value = value;
    this.#place_ms = place_ms;
    return before;
  }
}

/** By how much a counter rose; `null` where that cannot be said. One that was reset did not rise. */
export function rise(counter: Reading, value: number | null | undefined, now: Moment): number | null {
  const before = counter.follow(value, now);
  return before === null || value === null || value === undefined ? null : Math.max(0, value - before);
}
