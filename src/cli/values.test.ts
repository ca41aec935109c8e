import { expect, test } from "bun:test";
import { InvalidArgumentError } from "commander";
import { duration_ms, interval_ms, sectionList, sizeBytes, wholeNumber } from "./values.ts";

test.each([
  ["30s", 30_000],
  ["5m", 300_000],
  ["1h", 3_600_000],
  ["1d", 86_400_000],
  ["90", 90_000],
  ["0", 0],
  ["0.5h", 1_800_000],
  ["1.5", 1500],
])("a duration of %p", (text, expected) => {
  expect(duration_ms(text)).toBe(expected);
});

test.each([
  ["3", 3000],
  ["0.1", 100],
  [".5", 500],
  ["1.25", 1250],
  ["86400", 86_400_000],
])("an interval of %p", (text, expected) => {
  expect(interval_ms(text)).toBe(expected);
});

test.each([
  ["0", 0],
  ["1000", 1000],
  ["1K", 1024],
  ["10M", 10 * 2 ** 20],
  ["2G", 2 ** 31],
  ["1T", 2 ** 40],
  ["100m", 100 * 2 ** 20],
  ["1.5K", 1536],
  ["64KiB", 65536],
  ["64kb", 65536],
])("a size of %p", (text, expected) => {
  expect(sizeBytes(text)).toBe(expected);
});

const parsers = { duration_ms, interval_ms, sizeBytes, sectionList, wholeNumber: wholeNumber(1, 100) };

test.each([
  ...["", " ", "s", "5 m", "-5", "1e3", "1h30m", "5w", "NaN", "0x10", "+5"].map((text) => ["duration_ms", text]),
  ...["", "0", "0.09", "86401", "-1", "3s", "1e1", "Infinity", "1.", "1,5"].map((text) => ["interval_ms", text]),
  ...["", "M", "-1", "1P", "1 M", "1MM", "1e6", "0x1"].map((text) => ["sizeBytes", text]),
  ...["", "gpu,", "gpus;cpus", "all", "constructor"].map((text) => ["sectionList", text]),
  ...["", "0", "101", "1.0", "-1", "1e1", "99999999999999999999"].map((text) => ["wholeNumber", text]),
] as [keyof typeof parsers, string][])("%s refuses %p", (name, text) => {
  expect(() => parsers[name](text)).toThrow(InvalidArgumentError);
});

test("a whole number says the range that is right", () => {
  expect(wholeNumber(0)("17")).toBe(17);
  expect(() => wholeNumber(1)("0")).toThrow("Give a whole number of at least 1.");
  expect(() => wholeNumber(1, 5)("6")).toThrow("Give a whole number from 1 to 5.");
});

test("sections go by several words, and each comes once", () => {
  expect(sectionList("GPU, mem,disk")).toEqual(["gpus", "memory", "storage"]);
  expect(sectionList("process,processes,cpu,cpus")).toEqual(["cpus", "processes"]);
});

test("sections come in the order of the frame, whatever the order of the words", () => {
  expect(sectionList("storage,process,chassis,memory,cpu,gpu")).toEqual([
    ...["gpus", "cpus", "memory", "chassis", "processes", "storage"],
  ] as ReturnType<typeof sectionList>);
});
