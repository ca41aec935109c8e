import { expect, test } from "bun:test";
import fc from "fast-check";
import * as format from "./format.ts";

test("bytes in powers of 1024, five columns", () => {
  const values = [0, 512, 1023, 1024, 1536, 65.7e9, 512e9, 1e12, 9.9e17];
  expect(values.map(format.bytes)).toEqual(["0B", "512B", "1023B", "1.0K", "1.5K", "61.2G", "477G", "931G", "879P"]);
  expect(format.bytes(null)).toBe("–");
});

test("used of total, the unit once", () => {
  const GIB = 2 ** 30;
  expect(format.bytesOf(33.6 * GIB, 80 * GIB)).toBe("33.6/80.0G");
  expect(format.bytesOf(512 * 2 ** 20, 80 * GIB)).toBe("512M/80.0G");
  expect(format.bytesOf(0, 80 * GIB)).toBe("0.0/80.0G");
  expect(format.bytesOf(null, 80 * GIB)).toBe("–/80.0G");
  expect(format.bytesOf(null, null)).toBe("–");
});

test("power of one and of many", () => {
  expect(format.wattsOf(526.4, 700)).toBe("526/700W");
  expect(format.wattsOf(526.4, null)).toBe("526W");
  expect(format.wattsSum(4100, 5600)).toBe("4.1/5.6kW");
  expect(format.wattsSum(412_000, 560_000)).toBe("412/560kW");
  expect(format.wattsSum(300, 700)).toBe("300/700W");
  expect(format.wattsSum(999.7, null)).toBe("1.0kW");
  expect(format.wattsSum(383_000, 1_120_000)).toBe("0.4/1.1MW");
  expect(format.wattsSum(12_300_000, 560_000_000)).toBe("12/560MW");
  expect(format.wattsSum(999_700, null)).toBe("1.0MW");
  expect(format.wattsSum(null, 700)).toBe("–");
});

test("sums of power take nine columns at most", () => {
  const watts = fc.double({ min: 0, max: 999e6, noNaN: true });
  fc.assert(
    fc.property(watts, watts, (used, limit) => {
      expect(format.wattsSum(used, limit).length).toBeLessThanOrEqual(9);
    }),
  );
});

test("times", () => {
  expect([59, 669, 15_069, 274_269, null].map(format.duration)).toEqual(["00:59", "11:09", "4:11:09", "3d 04:11", "–"]);
  expect([59, 7200, 1_036_800].map(format.uptime)).toEqual(["0 min", "2 h", "12 d"]);
  expect([0, 754_999, 3_600_000, 3_000_000_000].map(format.timecode)).toEqual([
    "00:00:00",
    "00:12:34",
    "01:00:00",
    "833:20:00",
  ]);
});

test("speeds with as many decimals as they have", () => {
  expect([0.25, 0.5, 1, 2, 8, 64].map(format.speed)).toEqual(["0.25x", "0.5x", "1.0x", "2.0x", "8.0x", "64.0x"]);
});

test("no number is wider than a column, whatever a file says", () => {
  fc.assert(
    fc.property(fc.double(), (value) => {
      expect(format.count(value).length).toBeLessThanOrEqual(6);
      expect(format.percent(value).length).toBeLessThanOrEqual(7);
    }),
  );
});
