import type { Moment } from "./marks.ts";

/** Those of every GPU of the largest cluster, in several ways each. More are not kept track of. */
const MOST = 1 << 16;

/**
 * When each condition was last on, be there room for it or not: what had no room is counted once while it stays on, and
 * not with every frame.
 */
export class Presence {
  readonly #kinds = new Map<string, Map<string, number>>();
  #size = 0;
  #swept_ms = Number.NEGATIVE_INFINITY;

  /** It is on now. Whether it was not before, for so long that it is another time. `hold_ms`: as its definition has it. */
  confirm(kind: string, key: string, hold_ms: number, { place_ms, link_ms, lookback_ms }: Moment): boolean {
    this.#sweep(place_ms, lookback_ms);
    let keys = this.#kinds.get(kind);
    if (keys === undefined) {
      keys = new Map();
      this.#kinds.set(kind, keys);
    }
    const last_ms = keys.get(key);
    if (last_ms === undefined) {
      if (this.#size >= MOST) return false;
      this.#size++;
    }
    keys.set(key, place_ms);
    return last_ms === undefined || place_ms - last_ms > Math.max(hold_ms, link_ms);
  }

  /** What was not on for so long is forgotten; looked for no more often than that. */
  #sweep(place_ms: number, lookback_ms: number): void {
    if (place_ms - this.#swept_ms <= lookback_ms) return;
    this.#swept_ms = place_ms;
    for (const keys of this.#kinds.values()) {
      for (const [key, last_ms] of keys) {
        if (place_ms - last_ms <= lookback_ms) continue;
        keys.delete(key);
        this.#size--;
      }
    }
  }
}
