import type { ViewClock } from "../src/view/lapse.ts";

/** Moves done by promises alone are over after so many turns of the microtask queue. */
const TURNS = 50;

export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}

/** A clock that stands still until a test moves it on. */
export class TestClock implements ViewClock {
  #now_ms = 0;
  readonly #timers = new Set<{ readonly due_ms: number; readonly call: () => void }>();

  now(): number {
    return this.#now_ms;
  }

  after(delay_ms: number, call: () => void): () => void {
    const timer = { due_ms: this.#now_ms + Math.max(0, delay_ms), call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass, and everything happen that is due. */
  async pass(ms: number): Promise<void> {
    const end_ms = this.#now_ms + ms;
    await settled();
    for (let next = this.#next(end_ms); next !== null; next = this.#next(end_ms)) {
      this.#now_ms = Math.max(this.#now_ms, next.due_ms);
      this.#timers.delete(next);
      next.call();
      await settled();
    }
    this.#now_ms = end_ms;
  }

  /** Time passes, but nobody had the processor: what was due meanwhile is not done yet. */
  stall(ms: number): void {
    this.#now_ms += ms;
  }

  #next(end_ms: number) {
    const [first] = [...this.#timers].sort((a, b) => a.due_ms - b.due_ms);
    return first !== undefined && first.due_ms <= end_ms ? first : null;
  }
}
