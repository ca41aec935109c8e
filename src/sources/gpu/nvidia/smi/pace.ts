/** The period before it is known how often cards are read. */
const FIRST_MS = 1000;
/** nvidia-smi takes tens of ms of CPU for each round; and without it, cards without persistence mode go to sleep. */
const SHORTEST_MS = 200;
const LONGEST_MS = 5000;
/** What is read at nearly this period needs no other one. */
const FACTOR = 1.5;

/** At which period nvidia-smi should look: that at which it is asked. */
export class Pace {
  #period_ms = FIRST_MS;
  #last_ms: number | null = null;
  #gap_ms: number | null = null;

  get period_ms(): number {
    return this.#period_ms;
  }

  /** Notes a reading. A period is changed when two gaps say so: one alone may be a cycle that was skipped. */
  note(now_ms: number): void {
    const before = this.#gap_ms;
    this.#gap_ms = this.#last_ms === null ? null : now_ms - this.#last_ms;
    this.#last_ms = now_ms;
    if (before === null || this.#gap_ms === null) return;
    const wanted = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, Math.round(this.#gap_ms)));
    if (isFar(wanted, this.#period_ms) && !isFar(this.#gap_ms, before)) this.#period_ms = wanted;
  }
}

const isFar = (a: number, b: number): boolean => Math.max(a, b) > Math.min(a, b) * FACTOR;
