import { expect, test } from "bun:test";
import { allSmi, type Pty } from "./pty.ts";
import { TEST_MS, testFolder } from "./run.ts";
import { everySecond, writeRecording } from "./view_recordings.ts";

const folder = testFolder();
const HOUR = writeRecording(folder, "hour", everySecond(3601));
const THREE = writeRecording(folder, "three", everySecond(60), { hosts: 3 });

const LEFT = "\x1b[D";
const RIGHT = "\x1b[C";
const DOWN = "\x1b[B";
const SHIFT_TAB = "\x1b[Z";

const replay = (path: string, ...options: string[]): Pty => allSmi(["view", "--replay", path, ...options]);

const chip = (elapsed: string, rest: string, total = "01:00:00"): string => `REPLAY | ${elapsed} / ${total} | ${rest}`;

async function quit(pty: Pty): Promise<void> {
  pty.type("q");
  expect(await pty.exit()).toBe(0);
}

test(
  "the keys of replay",
  async () => {
    const pty = replay(HOUR, "--paused", "--start", "00:12:34");
    await pty.untilChip(chip("00:12:34", "1.0x | paused"));
    const press = async (keys: string, elapsed: string, rest = "1.0x | paused") => {
      pty.type(keys);
      await pty.untilChip(chip(elapsed, rest));
    };
    await press("]", "00:12:35");
    await press("[[", "00:12:33");
    await press("k", "00:12:43");
    await press("j", "00:12:33");
    await press("}", "00:13:33");
    await press("{", "00:12:33");
    await press("\x1b[H", "00:00:00");
    await press("5", "00:30:00");
    await press("9", "00:54:00");
    await press("0", "00:00:00");
    await press("\x1b[F", "01:00:00", "1.0x | end");
    await press("[", "00:59:59");
    for (const speed of ["2.0x", "4.0x", "8.0x"]) await press("+", "00:59:59", `${speed} | paused`);
    await press("+-", "00:59:59", "4.0x | paused");
    await press("=", "00:59:59", "8.0x | paused");
    for (const speed of ["4.0x", "2.0x", "1.0x", "0.5x", "0.25x"]) await press("-", "00:59:59", `${speed} | paused`);
    await press("L", "00:59:59", "0.25x | paused | loop");
    await press("L", "00:59:59", "0.25x | paused");
    await press("5", "00:30:00", "0.25x | paused");
    pty.type(" ");
    await pty.untilChip(chip("00:30:00", "0.25x | playing"));
    pty.type("+++++");
    await pty.untilChip(/^REPLAY \| 00:30:0[1-9] \/ 01:00:00 \| 8\.0x \| playing$/);
    pty.type("]");
    await pty.untilChip(/\| paused$/);
    await quit(pty);
  },
  TEST_MS,
);

test(
  "a timecode is typed, corrected, refused with a word why, and taken",
  async () => {
    const pty = replay(HOUR, "--paused");
    await pty.untilChip(chip("00:00:00", "1.0x | paused"));
    const go = async (text: string, elapsed: string, rest = "1.0x | paused") => {
      pty.type(`g${text}\r`);
      await pty.untilChip(chip(elapsed, rest));
    };
    await go("00:14:32", "00:14:32");
    await go("00:30", "00:00:30");
    await go("90", "00:01:30");
    await go("@12:31:58", "00:31:58");
    await go("@2026-04-18 12:05", "00:05:00");
    await go("-5m", "00:55:00");
    await go("50%", "00:30:00");
    await go("99:00:00", "01:00:00", "1.0x | end");
    await go("00:09:0\x7f5", "00:09:05".replace("09:05", "09:05"));

    pty.type("gnonsense");
    await pty.untilText("go to nonsense");
    pty.type("\r");
    await pty.untilText("try 00:14:32");
    expect(pty.text).toContain("go to nonsense");
    pty.type("\x1500:20:00\r");
    await pty.untilChip(chip("00:20:00", "1.0x | paused"));

    pty.type("g123");
    await pty.untilText("go to 123");
    pty.type("\x1b");
    await pty.until("the entry gone", ({ text }) => !text.includes("go to 123"));
    await pty.untilChip(chip("00:20:00", "1.0x | paused"));
    await quit(pty);
  },
  TEST_MS,
);

test(
  "z changes the zone, and a time of day is one of the zone shown",
  async () => {
    const pty = replay(HOUR, "--paused");
    await pty.untilText("2026-04-18 12:00:00 UTC");
    pty.type("z");
    await pty.untilText(/2026-04-18 21:00:00/);
    pty.type("g@21:20\r");
    await pty.untilChip(chip("00:20:00", "1.0x | paused"));
    pty.type("z");
    await pty.untilText("2026-04-18 12:20:00 UTC");
    await quit(pty);
  },
  TEST_MS,
);

test(
  "n and N go from event to event, and say what it is",
  async () => {
    const pty = replay(HOUR, "--paused");
    await pty.untilText(/[▲X]─/);
    const elapsed = () => /REPLAY \| ([\d:]+)/.exec(pty.chip)?.[1] ?? "";
    const next = async (key: string, isThere: (now: string) => boolean) => {
      pty.type(key);
      await pty.until(`an event by ${key}`, () => isThere(elapsed()));
      return elapsed();
    };
    const first = await next("n", (now) => now > "00:00:00");
    await pty.untilText(/REPLAY \| .* paused {3}\S.*: /);
    const second = await next("n", (now) => now > first);
    expect(await next("N", (now) => now < second)).toBe(first);
    pty.type("\x1b[F");
    await pty.untilChip(/end$/);
    // Events are found behind what is shown: until all are, it says "found yet".
    while (!/no later event(?! found yet)/.test(pty.rows.join("\n"))) {
      pty.type("n");
      await Bun.sleep(100);
    }
    const last = await next("N", (now) => now < "01:00:00");
    pty.type("n");
    await pty.untilText("no later event");
    expect(elapsed()).toBe(last);
    // It is about where one was, and goes with the next key.
    pty.type("0");
    await pty.untilChip(chip("00:00:00", "1.0x | paused"));
    expect(pty.text).not.toContain("no later event");
    await quit(pty);
  },
  TEST_MS,
);

test(
  "the scrubber: a click seeks, and so does dragging, beyond its ends to the ends",
  async () => {
    const pty = replay(HOUR, "--paused");
    await pty.untilText(/┃/);
    const row = pty.rows.findIndex((line) => line.includes("┃"));
    const from = pty.rows[row]?.indexOf("┃") ?? -1;
    pty.type("\x1b[F");
    await pty.untilChip(/end$/);
    await pty.until("the playhead at the end", ({ rows }) => (rows[row]?.indexOf("┃") ?? -1) > from + 50);
    const to = pty.rows[row]?.indexOf("┃") ?? -1;

    pty.click(from, row);
    await pty.untilChip(chip("00:00:00", "1.0x | paused"));
    pty.click(Math.round((from + to) / 2), row);
    await pty.untilChip(/^REPLAY \| 00:(29|30):/);

    pty.mouse(0, from, row);
    for (let column = from; column <= to; column++) pty.mouse(32, column, row - 3);
    await pty.untilChip(chip("01:00:00", "1.0x | end"));
    pty.mouse(32, 0, 0);
    await pty.untilChip(chip("00:00:00", "1.0x | paused"));
    pty.mouse(0, 0, 0, true);
    pty.mouse(32, to, row);
    pty.type("]");
    await pty.untilChip(chip("00:00:01", "1.0x | paused"));
    await quit(pty);
  },
  TEST_MS,
);

test(
  "at the end it says so, Space begins again, and with --loop it goes round",
  async () => {
    const path = writeRecording(folder, "short", everySecond(9));
    const pty = replay(path, "--speed", "32", "--start", "00:05");
    await pty.untilChip(chip("00:00:08", "32.0x | end", "00:00:08"));
    pty.type(" ");
    await pty.untilChip(/playing$/);
    await pty.untilChip(chip("00:00:08", "32.0x | end", "00:00:08"));
    await quit(pty);

    const looping = replay(path, "--speed", "8", "--loop");
    const seen: string[] = [];
    await looping.until("three rounds", ({ chip }) => {
      if (chip !== "" && seen.at(-1) !== chip) seen.push(chip);
      return seen.filter((one) => one.includes("00:00:00 /")).length >= 3;
    });
    for (const one of seen) expect(one).toMatch(/^REPLAY \| 00:00:0\d \/ 00:00:08 \| 8\.0x \| playing \| loop$/);
    await quit(looping);
  },
  TEST_MS,
);

test(
  "time passes no faster than it was recorded, across irregular intervals",
  async () => {
    const path = writeRecording(folder, "irregular", [0, 200, 1400, 1500, 3000, 4000]);
    const pty = replay(path, "--paused", "--speed", "2");
    await pty.untilChip(/paused$/);
    const begin = performance.now();
    pty.type(" ");
    await pty.untilChip(/end$/);
    // How exactly it keeps time the player's own tests say, with a clock of their own; this machine may be busy.
    expect(performance.now() - begin).toBeGreaterThan(2000 * 0.8);
    await quit(pty);
  },
  TEST_MS,
);

test(
  "a gap is jumped, with a note",
  async () => {
    const path = writeRecording(folder, "gap", [0, 1000, 3_601_000, 3_602_000]);
    const pty = replay(path);
    await pty.untilText("gap of 01:00:00 skipped");
    await pty.untilChip(chip("01:00:02", "1.0x | end", "01:00:02"));
    await quit(pty);
  },
  TEST_MS,
);

test(
  "three hosts are three tabs and an overview",
  async () => {
    const pty = replay(THREE, "--paused");
    await pty.untilText("mock-0001  mock-0002  mock-0003");
    const onOverview = ({ text }: Pty) => /3 hosts/.test(text);
    const isHost =
      (name: string) =>
      ({ rows }: Pty) =>
        rows.some((row) => row.startsWith(` ${name}  2× `));
    expect(onOverview(pty)).toBe(true);
    pty.type("\t");
    await pty.until("the first host", isHost("mock-0001"));
    pty.type("\t");
    await pty.until("the second host", isHost("mock-0002"));
    pty.type(RIGHT);
    await pty.until("the third host", isHost("mock-0003"));
    pty.type("\t");
    await pty.until("the overview", onOverview);
    pty.type(SHIFT_TAB);
    await pty.until("the third host", isHost("mock-0003"));
    pty.type(LEFT);
    await pty.until("the second host", isHost("mock-0002"));
    pty.type("\x1b");
    await pty.until("the overview", onOverview);
    // The host one comes from is marked.
    pty.type(`${DOWN}\r`);
    await pty.until("the third host", isHost("mock-0003"));

    const tabs = pty.rows.findIndex((row) => row.includes("mock-0001  mock-0002"));
    pty.click(pty.rows[tabs]?.indexOf("mock-0001") ?? -1, tabs);
    await pty.until("the first host", isHost("mock-0001"));
    pty.click(pty.rows[tabs]?.indexOf("All") ?? -1, tabs);
    await pty.until("the overview", onOverview);
    const row = pty.rows.findIndex((line) => line.startsWith(" mock-0002"));
    pty.click(3, row);
    await pty.until("the second host", isHost("mock-0002"));
    await quit(pty);
  },
  TEST_MS,
);

test(
  "processes are sorted, filtered and scrolled by keys and mouse",
  async () => {
    const pty = allSmi(["view", "--replay", HOUR, "--paused"], { rows: 24 });
    await pty.untilText("COMMAND");
    const header = pty.rows.findIndex((row) => row.includes("COMMAND"));
    const pids = () =>
      pty.rows
        .slice(header + 1)
        .flatMap((row) => /^\s+(\d+)\s/.exec(row)?.[1] ?? [])
        .map(Number);
    const isSorted = (list: number[]) =>
      list.length > 2 && list.every((pid, n) => n === 0 || pid >= (list[n - 1] ?? 0));
    pty.type("p");
    await pty.until("PIDs upwards", () => isSorted(pids()));
    const [first] = pids();
    pty.type(DOWN);
    await pty.until("a row further", () => (pids()[0] ?? 0) > (first ?? 0));
    pty.mouse(64, 10, header + 2);
    await pty.until("back again", () => pids()[0] === first);
    pty.mouse(65, 10, header + 2);
    await pty.until("scrolled", () => pids()[0] !== first);
    pty.type("\x1b[5~");
    await pty.until("back again", () => pids()[0] === first);
    pty.type("\x1b[6~");
    await pty.until("a page further", () => pids()[0] !== first);
    pty.click((pty.rows[header]?.indexOf("PID") ?? -1) + 1, header);
    await pty.until("PIDs downwards", () => isSorted(pids().toReversed()));

    pty.type("/eun-ji");
    await pty.untilText("filter eun-ji");
    await pty.until("only that user's", ({ rows }) => {
      const shown = rows.slice(header + 1).filter((row) => /^\s+\d+\s/.test(row));
      return shown.length > 0 && shown.every((row) => row.includes("eun-ji"));
    });
    pty.type("\r");
    await pty.until("the entry gone", ({ text }) => !text.includes("filter eun-ji  "));
    pty.type("\x1b");
    await pty.until("the filter gone", ({ text }) => !text.includes("filter eun-ji"));
    await quit(pty);
  },
  TEST_MS,
);

test(
  "help opens over the screen, and closes by any key",
  async () => {
    const pty = replay(HOUR, "--paused");
    await pty.untilChip(/paused$/);
    for (const key of ["?", "h"]) {
      pty.type(key);
      await pty.untilText("this help");
      pty.type("]");
      await pty.until("help gone", ({ text }) => !text.includes("this help"));
    }
    await pty.untilChip(chip("00:00:00", "1.0x | paused"));
    await quit(pty);
  },
  TEST_MS,
);
