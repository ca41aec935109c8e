import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseProcessStat, parseResidentPages } from "./process_stat.ts";

const parse = (text: string) => parseProcessStat(Buffer.from(text));
const tail = "S 1 2 2 0 -1 4194560 9 8 7 6 150 25 3 2 -51 -20 12 0 8801 2199023255552 375 18446744073709551615 1 1\n";

test("reads the fields of proc_pid_stat(5)", () => {
  expect(parse(`42 (python3) ${tail}`)).toEqual({
    comm: "python3",
    state: "S",
    ppid: 1,
    cpu_ticks: 175,
    priority: -51,
    nice: -20,
    threads: 12,
    start_ticks: 8801,
    vms_bytes: 2199023255552,
    rss_pages: 375,
  });
});

test.each(["a b", "x) S 1 (y", ")", "(", "", "(sd-pam)", "tmux: server", ") R 9 9 9", "é\u0301\n"])(
  "a process may call itself %j",
  (comm) => {
    expect(parse(`42 (${comm}) ${tail}`)).toMatchObject({ comm, state: "S", ppid: 1, threads: 12 });
  },
);

test.each([
  "",
  "42",
  "42 (a",
  "42 (a)",
  "42 (a) S",
  "42 (a) S 1 2 3",
  `42 a ${tail}`,
  `42 (a) ${tail.replace("8801", "x")}`,
  `42 (a) ${tail.replace("12 0", " 12 0")}`,
])("%j is no reading", (text) => {
  expect(parse(text)).toBeNull();
});

test("reads this very process", () => {
  expect(parseProcessStat(readFileSync("/proc/self/stat"))).toMatchObject({ ppid: process.ppid, state: "R" });
});

test("parseResidentPages takes the second number", () => {
  expect(parseResidentPages(Buffer.from("730 460 432 5 0 112 0\n"))).toBe(460);
  expect(parseResidentPages(Buffer.from("730\n"))).toBeNull();
  expect(parseResidentPages(Buffer.from(""))).toBeNull();
});
