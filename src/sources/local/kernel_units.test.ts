import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseAuxiliaryVector, parseBootTime, parseMemoryTotal, parseOpenFilesLimit } from "./kernel_units.ts";

const vector = (...words: number[]) => Buffer.from(new BigUint64Array(words.map(BigInt)).buffer);

test("page size and clock ticks come from the auxiliary vector", () => {
  // As an ARM server with pages of 64 KiB has it.
  expect(parseAuxiliaryVector(vector(33, 0, 6, 65536, 17, 100, 0, 0))).toEqual({
    page_bytes: 65536,
    ticks_per_second: 100,
  });
});

test.each([[Buffer.alloc(0)], [Buffer.alloc(7)], [vector(3, 1, 0, 0)]])("%j leaves the usual ones", (bytes) => {
  expect(parseAuxiliaryVector(bytes)).toEqual({ page_bytes: 4096, ticks_per_second: 100 });
});

test("this machine's are those that getconf tells", () => {
  const getconf = (name: string) => Number(Bun.spawnSync(["getconf", name]).stdout.toString());
  expect(parseAuxiliaryVector(readFileSync("/proc/self/auxv"))).toEqual({
    page_bytes: getconf("PAGESIZE"),
    ticks_per_second: getconf("CLK_TCK"),
  });
});

test("single values of larger files", () => {
  expect(parseBootTime("cpu  1 2 3\nbtime 1769251434\nprocesses 5\n")).toBe(1769251434);
  expect(parseBootTime("cpu  1 2 3\n")).toBeNull();
  expect(parseMemoryTotal("MemTotal:       16314404 kB\nMemFree: 1 kB\n")).toBe(16314404 * 1024);
  expect(parseMemoryTotal("")).toBeNull();
  expect(parseOpenFilesLimit("Limit  Soft  Hard  Units\nMax open files            1024   524288   files\n")).toBe(1024);
  expect(parseOpenFilesLimit("Max open files            unlimited   unlimited   files\n")).toBeNull();
});
