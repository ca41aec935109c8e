import { threadCpu_ms } from "../../libc.ts";

/** Of one host in one cycle, on the average: a page of 400 KB takes 4 ms. */
const CPU_MS = 50;
/** What arrives in many small pieces costs more than its bytes: to be called, and what HTTP is made of. */
const CALL_MS = 0.015;

/** A short piece of work takes no more, however long this process had to wait meanwhile. */
const SHORT_MS = 5;

const now_ms = (): number => threadCpu_ms() ?? performance.now();

/**
 * The thread's own clock is a system call, of 70 µs on some virtual machines: it is read for hosts that took long of
 * late. One long piece may be a pause of this process; whoever makes it again within so many pieces is measured.
 */
const WATCHED_PIECES = 10;

/**
 * The CPU that one host takes in this process, which must not keep others waiting. What it did not use in one cycle it
 * may use in the next: then a pause of the engine's is no fault of its.
 */
export class Effort {
  #left_ms = 2 * CPU_MS;
  /** So many pieces are still measured by the thread's own clock. */
  #watched = 0;

  /** A new cycle. */
  renew(): void {
    this.#left_ms = Math.min(2 * CPU_MS, Math.max(0, this.#left_ms) + CPU_MS);
  }

  /** It has had its share: nothing more is done for it in this cycle. */
  get isSpent(): boolean {
    return this.#left_ms <= 0;
  }

  /** Does some work for it. */
  spend<T>(work: () => T): T {
    const isWatched = this.#watched > 0;
    const clock = isWatched ? now_ms : () => performance.now();
    const from = clock();
    try {
      return work();
    } finally {
      const took_ms = clock() - from;
      this.#left_ms -= isWatched ? took_ms : Math.min(CPU_MS, took_ms);
      this.#watched = took_ms > SHORT_MS ? WATCHED_PIECES : Math.max(0, this.#watched - 1);
    }
  }

  /** The same of a short piece of work; the clock that is read for it costs less than the thread's own. */
  spendShort<T>(work: () => T): T {
    const from = performance.now();
    try {
      return work();
    } finally {
      this.#left_ms -= Math.min(SHORT_MS, performance.now() - from) + CALL_MS;
    }
  }
}
