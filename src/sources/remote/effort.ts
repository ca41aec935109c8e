import { threadCpu_ms } from "../../libc.ts";

/** Of one host in one cycle, on the average: a page of 400 KB takes 4 ms. */
const CPU_MS = 50;
/** What arrives in many small pieces costs more than its bytes: to be called, and what HTTP is made of. */
const CALL_MS = 0.015;

/** A short piece of work takes no more, however long this process had to wait meanwhile. */
const SHORT_MS = 5;

const now_ms = (): number => threadCpu_ms() ?? performance.now();

/**
 * The thread's own clock is a system call, of 70 µs on some virtual machines. It is read this seldom beforehand, and
 * behind a piece of work only where that took long: what others took since it was read is counted with it then.
 */
const FRESH_MS = 10;

/** When the thread's own clock was read last, and what it said. */
const lastRead = { at_ms: Number.NEGATIVE_INFINITY, cpu_ms: 0 };

function refresh(at_ms: number): void {
  if (at_ms - lastRead.at_ms <= FRESH_MS) return;
  lastRead.at_ms = at_ms;
  lastRead.cpu_ms = now_ms();
}

/**
 * The CPU that one host takes in this process, which must not keep others waiting. What it did not use in one cycle it
 * may use in the next: then a pause of the engine's is no fault of its.
 */
export class Effort {
  #left_ms = 2 * CPU_MS;

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
    const from = performance.now();
    refresh(from);
    try {
      return work();
    } finally {
      const took_ms = performance.now() - from;
      this.#left_ms -= took_ms <= SHORT_MS ? took_ms : Math.min(took_ms, now_ms() - lastRead.cpu_ms);
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
