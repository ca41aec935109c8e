/** Comes due once in so many ms. Those of several cards lie apart, so that they do not all fall into one cycle. */
export class Beat {
  readonly #every_ms: number;
  readonly #ahead_ms: number;
  #due_ms = Number.NEGATIVE_INFINITY;

  /** Of `among` beats the n-th one. */
  constructor(every_ms: number, n: number, among: number) {
    this.#every_ms = every_ms;
    this.#ahead_ms = (every_ms * (n % among)) / among;
  }

  /** Whether it is due, as it is at first; with `now`, in any case. */
  comes(monotonic_ms: number, now: boolean): boolean {
    if (!now && monotonic_ms < this.#due_ms) return false;
    const isFirst = this.#due_ms === Number.NEGATIVE_INFINITY;
    this.#due_ms = monotonic_ms + this.#every_ms - (isFirst ? this.#ahead_ms : 0);
    return true;
  }
}
