import { expect, test } from "bun:test";
import { parseUniqueId } from "./card.ts";
import { parseLocation } from "./kfd.ts";
import { findName } from "./names.ts";
import { parseBadPages, parseErrorCount } from "./ras.ts";
import { highestLevel } from "./slow.ts";
import { throttleBetween } from "./throttle.ts";

test("the fastest level of a clock, wherever the one in use stands", () => {
  expect(highestLevel("0: 500Mhz\n1: 31Mhz *\n2: 2219Mhz")).toBe(2219);
  expect(highestLevel("S: 132Mhz *\n0: 500Mhz \n1: 2100Mhz ")).toBe(2100);
  expect(highestLevel("0: 96Mhz *")).toBe(96);
  // A clock that does not run, a file of another kind, none.
  for (const text of ["0: 0Mhz *\n1: 0Mhz *", "0: 16.0GT/s, x16 78Mhz *", "no", "", null]) {
    expect(highestLevel(text)).toBeNull();
  }
});

test("errors that were corrected or not", () => {
  expect(parseErrorCount("ue: 2\nce: 17")).toEqual({ uncorrected: 2, corrected: 17 });
  expect(parseErrorCount("ue: 0\nce: 1\nde: 4")).toEqual({ uncorrected: 0, corrected: 1 });
  for (const text of [null, "", "ue: 1", "ce: 1", "ue: x\nce: 1", "Query currently inaccessible"]) {
    expect(parseErrorCount(text)).toBeNull();
  }
});

test("pages that are out of use, and those that wait for it", () => {
  const pages = "0x00000001 : 0x00001000 : R\n0x00000002 : 0x00001000 : P\n0x00000003 : 0x00001000 : F\n";
  expect(parseBadPages(pages)).toEqual({ retired_pages: 1, pending_pages: 2 });
  expect(parseBadPages("")).toEqual({ retired_pages: 0, pending_pages: 0 });
  for (const text of [null, "?", `${pages}more`, "0x1 : 0x1000 : X"]) {
    expect(parseBadPages(text)).toEqual({ retired_pages: null, pending_pages: null });
  }
});

test("a name fits both ids", () => {
  const list =
    "# comment\n1.0.0\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n744C,\tCC,\tAMD Radeon RX 7900 XT\n7408,\t0,\tMI250X\n";
  expect(findName(list, "744c", "cc")).toBe("AMD Radeon RX 7900 XT");
  expect(findName(list, "7408", "00")).toBe("MI250X");
  expect(findName(list, "744c", "00")).toBeNull();
  expect(findName(list, "744c", null)).toBeNull();
  expect(findName(null, "744c", "cc")).toBeNull();
});

test("where ROCm's driver has its cards", () => {
  expect(parseLocation("cpu_cores_count 0\nlocation_id 49408\ndomain 0\n")).toBe("0000:c1:00.0");
  expect(parseLocation("location_id 1283\ndomain 1")).toBe("0001:05:00.3");
  for (const text of [null, "", "location_id x", "xlocation_id 12"]) expect(parseLocation(text)).toBeNull();
});

test("ids that are none", () => {
  expect(parseUniqueId("946D7E1EF9B172DD")).toBe("GPU-946d7e1ef9b172dd");
  expect(parseUniqueId("0x946d7e1ef9b172dd")).toBe("GPU-946d7e1ef9b172dd");
  for (const text of [null, "", "0000000000000000", "N/A", "946d"]) expect(parseUniqueId(text)).toBeNull();
});

test("held back is what it was between two readings", () => {
  const before = { power: 10, thermal: 4 };
  expect(throttleBetween(before, before)).toEqual([]);
  expect(throttleBetween(before, { power: 11, thermal: 4 })).toEqual(["power"]);
  // The driver was loaded anew.
  expect(throttleBetween(before, { power: 1, thermal: 0 })).toEqual([]);
  expect([throttleBetween(null, before), throttleBetween(before, null)]).toEqual([null, null]);
});
