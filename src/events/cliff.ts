import type { Gpu } from "../frame/schema.ts";
import { type Moment, Reading, Run } from "./marks.ts";
import type { Verdict } from "./verdict.ts";

/** Percent of utilization from which a GPU is busy, and below which it does nothing. */
const BUSY = 30;
const LOW = 5;
/** It must have been busy for so long, and do nothing for so long: a job that ends frees its memory sooner. */
const BUSY_MS = 60_000;
const LOW_MS = 10_000;
/** Share of the memory of its busy time that must still be in use. */
const STAYS = 0.8;
/** A fall below this share of the reading before is the end of a process. */
const GOES = 0.5;
/** What a driver keeps for itself is no job's: this share of all memory, or so many bytes where that is unknown. */
const IDLE_SHARE = 0.05;
const IDLE_BYTES = 512 * 1024 ** 2;

const isHeld = (used: number, total: number | null): boolean =>
  used >= (total !== null && total > 0 ? total * IDLE_SHARE : IDLE_BYTES);

/** Finds out when a busy GPU stops while its memory stays in use: a job that hangs. */
export class Cliff {
  readonly #busy = new Run();
  readonly #low = new Run();
  readonly #memory = new Reading();
  /** Memory in use when it was last busy. */
  #busyMemory: number | null = null;
  /** That of the busy minute that the present low follows; `null` where it follows none, or was judged. */
  #expected: number | null = null;

  look(gpu: Gpu, now: Moment): Verdict {
    const { utilization, used_memory, total_memory } = gpu;
    const before = this.#memory.follow(used_memory, now);
    const hasFallen = this.#hasFallen(gpu, now);
    if (utilization !== null && utilization >= BUSY) return "off";
    if (used_memory !== null) {
      if (!isHeld(used_memory, total_memory)) return "off";
      if (before !== null && used_memory < before * GOES) return "off";
    }
    if (utilization === null) return "unknown";
    return hasFallen ? "on" : "near";
  }

  #hasFallen({ utilization, used_memory, total_memory }: Gpu, now: Moment): boolean {
    if (utilization === null) return false;
    if (utilization >= BUSY) this.#isBusy(used_memory, now);
    if (utilization >= LOW) return false;
    if (!this.#low.goesOn(now)) this.#fall(now);
    this.#low.confirm(now);
    const expected = this.#expected;
    if (expected === null || this.#low.lasted_ms < LOW_MS) return false;
    this.#expected = null;
    return used_memory !== null && used_memory >= expected * STAYS && isHeld(used_memory, total_memory);
  }

  #isBusy(used_memory: number | null, now: Moment): void {
    // After a low, short as it was, the minute begins anew: what falls again and again is not told each time.
    if (this.#low.goesOn(now)) this.#busy.end();
    this.#low.end();
    this.#busy.confirm(now);
    this.#busyMemory = used_memory;
  }

  #fall(now: Moment): void {
    const wasBusy = this.#busy.goesOn(now) && this.#busy.lasted_ms >= BUSY_MS;
    this.#expected = wasBusy ? this.#busyMemory : null;
  }
}
