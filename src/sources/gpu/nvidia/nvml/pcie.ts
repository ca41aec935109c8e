import type { Device } from "./device.ts";

/** nvmlPcieUtilCounter_t. */
const SENT = 0;
const RECEIVED = 1;
const KIB = 1024;
const TWO_32 = 2 ** 32;

/** What one lane of the first generation carries in bytes per second; each generation doubles it, or nearly. */
const LANE_BYTES_PER_SECOND = 250e6;

/** How many bytes the link can carry in a second, at most. */
export const linkCapacity = (generation: number, width: number): number =>
  LANE_BYTES_PER_SECOND * 2 ** (generation - 1) * width;

export interface PcieCounters {
  readonly rx: number | null;
  readonly tx: number | null;
  /** The counters have 32 bits. */
  readonly isNarrow: boolean;
}

export interface PcieRates {
  readonly rx_bytes_per_second: number | null;
  readonly tx_bytes_per_second: number | null;
}

const UNKNOWN: PcieRates = { rx_bytes_per_second: null, tx_bytes_per_second: null };

interface Reading {
  readonly rx: number | null;
  readonly tx: number | null;
  readonly at_ms: number;
}

/** Bytes per second out of counters that only grow, or, once they wrap, begin at 0. */
export class PcieTraffic {
  #before: Reading | null = null;
  #isWide = false;
  #isNarrow = false;
  #hasFallen = false;
  #isAmbiguous = false;

  /** `capacity` is what the link can carry, in bytes per second; `null`: unknown. */
  rates(counters: PcieCounters, capacity: number | null, at_ms: number): PcieRates {
    const before = this.#before;
    const now = { rx: unlessFull(counters.rx), tx: unlessFull(counters.tx), at_ms };
    this.#before = now;
    this.#learn(before, now, counters.isNarrow);
    if (before === null || at_ms <= before.at_ms) return UNKNOWN;
    const seconds = (at_ms - before.at_ms) / 1000;
    const most = capacity === null ? Number.POSITIVE_INFINITY : capacity * seconds;
    this.#isAmbiguous = this.#isNarrow && most >= TWO_32;
    return {
      rx_bytes_per_second: this.#rate(before.rx, now.rx, seconds, most),
      tx_bytes_per_second: this.#rate(before.tx, now.tx, seconds, most),
    };
  }

  /** In the last reading the counters could have gone round more than once. */
  get isAmbiguous(): boolean {
    return this.#isAmbiguous;
  }

  /**
   * How wide the counters are, whatever the library calls them. They all go back when the card is reset; those that do
   * so twice, and were never seen beyond 32 bits, have no more.
   */
  #learn(before: Reading | null, now: Reading, isNarrow: boolean): void {
    this.#isWide ||= Math.max(now.rx ?? 0, now.tx ?? 0) >= TWO_32;
    const falls = before !== null && (isLess(now.rx, before.rx) || isLess(now.tx, before.tx));
    this.#isNarrow = !this.#isWide && (this.#isNarrow || isNarrow || (falls && this.#hasFallen));
    this.#hasFallen ||= falls;
  }

  #rate(before: number | null, now: number | null, seconds: number, mostBytes: number): number | null {
    if (before === null || now === null || this.#isAmbiguous) return null;
    const bytes = now < before && this.#isNarrow ? now - before + TWO_32 : now - before;
    return bytes < 0 || bytes > mostBytes ? null : Math.round(bytes / seconds);
  }
}

/** A counter that stands at its highest number may have stopped there. */
const unlessFull = (count: number | null): number | null =>
  count === TWO_32 - 1 || (count !== null && !Number.isSafeInteger(count)) ? null : count;

const isLess = (a: number | null, b: number | null): boolean => a !== null && b !== null && a < b;

/** Measured by the driver itself while it is asked: 20 ms for each direction. */
export function measureTraffic(device: Device): PcieRates {
  const measured = (direction: number) => {
    const kib = device.unsignedOf("nvmlDeviceGetPcieThroughput", direction);
    return kib === null ? null : kib * KIB;
  };
  return { rx_bytes_per_second: measured(RECEIVED), tx_bytes_per_second: measured(SENT) };
}
