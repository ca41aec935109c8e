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

/** Bytes per second out of counters that only grow, or, once they wrap, begin at 0. */
export class PcieTraffic {
  #before: (PcieCounters & { readonly at_ms: number }) | null = null;
  #isNarrow = false;
  #isAmbiguous = false;

  /** `capacity` is what the link can carry, in bytes per second; `null`: unknown. */
  rates(counters: PcieCounters, capacity: number | null, at_ms: number): PcieRates {
    const before = this.#before;
    this.#before = { ...counters, at_ms };
    this.#isNarrow ||= counters.isNarrow;
    if (before === null || at_ms <= before.at_ms) return UNKNOWN;
    const seconds = (at_ms - before.at_ms) / 1000;
    const most = capacity === null ? Number.POSITIVE_INFINITY : capacity * seconds;
    this.#isAmbiguous = this.#isNarrow && most >= TWO_32;
    return {
      rx_bytes_per_second: this.#rate(before.rx, counters.rx, seconds, most),
      tx_bytes_per_second: this.#rate(before.tx, counters.tx, seconds, most),
    };
  }

  /** In the last reading the counters could have gone round more than once. */
  get isAmbiguous(): boolean {
    return this.#isAmbiguous;
  }

  #rate(before: number | null, now: number | null, seconds: number, mostBytes: number): number | null {
    if (before === null || now === null) return null;
    let bytes = now - before;
    if (bytes < 0) {
      if (!this.#isNarrow && before >= TWO_32) return null;
      this.#isNarrow = true;
      this.#isAmbiguous = mostBytes >= TWO_32;
      bytes += TWO_32;
    }
    if (this.#isAmbiguous) return null;
    return bytes > mostBytes ? null : Math.round(bytes / seconds);
  }
}

/** Measured by the driver itself while it is asked: 20 ms for each direction. */
export function measureTraffic(device: Device): PcieRates {
  const measured = (direction: number) => {
    const kib = device.unsignedOf("nvmlDeviceGetPcieThroughput", direction);
    return kib === null ? null : kib * KIB;
  };
  return { rx_bytes_per_second: measured(RECEIVED), tx_bytes_per_second: measured(SENT) };
}
