import { expect, test } from "bun:test";
import { linkCapacity, PcieTraffic } from "./pcie.ts";

const GIB = 1024 ** 3;
const FAST = linkCapacity(5, 16);
const SLOW = linkCapacity(1, 1);

const wide = (rx: number | null, tx: number | null = 0) => ({ rx, tx, isNarrow: false });
const narrow = (rx: number | null, tx: number | null = 0) => ({ rx, tx, isNarrow: true });

test("the rate is that of the time between two readings", () => {
  const traffic = new PcieTraffic();
  expect(traffic.rates(wide(100), FAST, 1000)).toEqual({ rx_bytes_per_second: null, tx_bytes_per_second: null });
  expect(traffic.rates(wide(100 + 5 * GIB, 50), FAST, 1500)).toEqual({
    rx_bytes_per_second: 10 * GIB,
    tx_bytes_per_second: 100,
  });
  expect(traffic.isAmbiguous).toBe(false);
});

test("a counter that was not read gives no rate, nor does the next one", () => {
  const traffic = new PcieTraffic();
  traffic.rates(wide(100), FAST, 1000);
  expect(traffic.rates(wide(null), FAST, 2000).rx_bytes_per_second).toBeNull();
  expect(traffic.rates(wide(500), FAST, 3000).rx_bytes_per_second).toBeNull();
  expect(traffic.rates(wide(700), FAST, 4000).rx_bytes_per_second).toBe(200);
});

test("a counter of 64 bits that begins anew is unknown once", () => {
  const traffic = new PcieTraffic();
  traffic.rates(wide(9 * GIB), FAST, 1000);
  expect(traffic.rates(wide(100), FAST, 2000).rx_bytes_per_second).toBeNull();
  expect(traffic.rates(wide(300), FAST, 3000).rx_bytes_per_second).toBe(200);
});

test("one of 32 bits goes on at 0, and tells nothing of a link that is fast enough to take it round", () => {
  const traffic = new PcieTraffic();
  traffic.rates(narrow(2 ** 32 - 100), SLOW, 1000);
  expect(traffic.rates(narrow(400), SLOW, 2000).rx_bytes_per_second).toBe(500);
  expect(traffic.rates(narrow(900), FAST, 3000).rx_bytes_per_second).toBeNull();
  expect(traffic.isAmbiguous).toBe(true);
});

test("one that is called 64 bits wide and goes round twice below 2^32 is one of 32", () => {
  const traffic = new PcieTraffic();
  traffic.rates(wide(2 ** 32 - 100), SLOW, 1000);
  expect(traffic.rates(wide(400), SLOW, 2000).rx_bytes_per_second).toBeNull();
  traffic.rates(wide(2 ** 32 - 300), SLOW, 30_000);
  expect(traffic.rates(wide(200), SLOW, 31_000).rx_bytes_per_second).toBe(500);
  expect(traffic.isAmbiguous).toBe(false);
  expect(traffic.rates(wide(700), FAST, 32_000).rx_bytes_per_second).toBeNull();
  expect(traffic.isAmbiguous).toBe(true);
});

test("counters that both go back once were reset; those that have been beyond 2^32 never go round there", () => {
  const traffic = new PcieTraffic();
  traffic.rates(wide(GIB, GIB), FAST, 1000);
  expect(traffic.rates(wide(100, 200), FAST, 2000)).toEqual({ rx_bytes_per_second: null, tx_bytes_per_second: null });
  expect(traffic.rates(wide(300, 500), FAST, 3000)).toEqual({ rx_bytes_per_second: 200, tx_bytes_per_second: 300 });
  traffic.rates(wide(5 * GIB, 500), FAST, 4000);
  traffic.rates(wide(GIB, 0), FAST, 5000);
  traffic.rates(wide(0, 0), FAST, 6000);
  expect(traffic.rates(wide(100, 200), FAST, 7000)).toEqual({ rx_bytes_per_second: 100, tx_bytes_per_second: 200 });
  expect(traffic.isAmbiguous).toBe(false);
});

test("a counter that stands at its highest number tells nothing", () => {
  for (const full of [2 ** 32 - 1, 2 ** 64]) {
    const traffic = new PcieTraffic();
    traffic.rates(wide(full - 2 ** 12), null, 1000);
    expect(traffic.rates(wide(full), null, 2000).rx_bytes_per_second).toBeNull();
    expect(traffic.rates(wide(full), null, 3000).rx_bytes_per_second).toBeNull();
  }
});

test("more than the link can carry is no reading", () => {
  const traffic = new PcieTraffic();
  traffic.rates(wide(0), SLOW, 1000);
  expect(traffic.rates(wide(5 * GIB), SLOW, 2000).rx_bytes_per_second).toBeNull();
});
