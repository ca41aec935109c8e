import { expect, test } from "bun:test";
import type { Position } from "../recording/cursor.ts";
import {
  formatElapsed,
  needsEnd,
  outsideWords,
  parseTimecode,
  placeOf,
  type Target,
  TimecodeError,
} from "./timecode.ts";

/** 2026-04-18 23:30 in Seoul, where it is a day later than in UTC from 15:00 on. */
const SEOUL = { t_ms: Date.UTC(2026, 3, 18, 14, 30), zone: "Asia/Seoul" };
const UTC = { ...SEOUL, zone: "UTC" };

const fromStart: [text: string, seconds: number][] = [
  ["0", 0],
  ["90", 90],
  ["12.5", 12.5],
  ["00:30", 30],
  ["75:00", 4500],
  ["00:14:32", 872],
  ["1:02:03", 3723],
  ["800:00:00", 2_880_000],
  [" 00:00:01.5 ", 1.5],
];
test.each(fromStart)("%p counts from the beginning", (text, seconds) => {
  expect(parseTimecode(text, UTC)).toEqual({ kind: "start", offset_ms: seconds * 1000 });
});

test("every frame is reached by its own time", () => {
  const times_ms = Array.from({ length: 10_000 }, (_, ms) => ms);
  expect(times_ms.map((ms) => parseTimecode(`${ms / 1000}`, UTC))).toEqual(
    times_ms.map((offset_ms) => ({ kind: "start", offset_ms })),
  );
});

const fromEnd: [text: string, seconds: number][] = [
  ["-5m", 300],
  ["-90", 90],
  ["-1.5h", 5400],
  ["-2d", 172_800],
  ["-30s", 30],
  ["-00:10:00", 600],
];
test.each(fromEnd)("%p counts from the end", (text, seconds) => {
  expect(parseTimecode(text, UTC)).toEqual({ kind: "end", offset_ms: seconds * 1000 });
});

test("a share", () => {
  expect(parseTimecode("50%", UTC)).toEqual({ kind: "share", share: 0.5 });
  expect(parseTimecode("0%", UTC)).toEqual({ kind: "share", share: 0 });
  expect(parseTimecode("99.5%", UTC)).toEqual({ kind: "share", share: 0.995 });
});

const [SECOND, MINUTE, DAY] = [1000, 60_000, 86_400_000];

const wall: [text: string, context: typeof UTC, iso: string, unit_ms: number][] = [
  ["@14:31:58", UTC, "2026-04-18T14:31:58Z", SECOND],
  ["@14:31:58.5", UTC, "2026-04-18T14:31:58.500Z", 1],
  ["@9:05", UTC, "2026-04-18T09:05:00Z", MINUTE],
  ["@14:31:58", SEOUL, "2026-04-18T05:31:58Z", SECOND],
  ["@2026-04-18 14:31", SEOUL, "2026-04-18T05:31:00Z", MINUTE],
  ["@2026-04-17 00:00:30", UTC, "2026-04-17T00:00:30Z", SECOND],
  ["2026-04-18T14:31:58Z", SEOUL, "2026-04-18T14:31:58Z", SECOND],
  ["2026-04-18T14:31:58+09:00", UTC, "2026-04-18T05:31:58Z", SECOND],
  ["2026-04-18T14:31", SEOUL, "2026-04-18T05:31:00Z", MINUTE],
  ["2026-04-18T14:31+09:00", UTC, "2026-04-18T05:31:00Z", MINUTE],
  ["@2026-04-18", UTC, "2026-04-18T00:00:00Z", DAY],
];
test.each(wall)("%p is a time by the clock", (text, context, iso, unit_ms) => {
  expect(parseTimecode(text, context)).toEqual({ kind: "wall", t_ms: Date.parse(iso), unit_ms });
});

test("the day is the playhead's in the zone shown", () => {
  const late = { t_ms: Date.UTC(2026, 3, 18, 16), zone: "Asia/Seoul" };
  expect(parseTimecode("@01:30", late)).toEqual({ kind: "wall", t_ms: Date.UTC(2026, 3, 18, 16, 30), unit_ms: MINUTE });
});

test("the hour that summer time skips, and the one that comes twice", () => {
  const berlin = (text: string) => parseTimecode(text, { t_ms: 0, zone: "Europe/Berlin" });
  expect(berlin("@2026-03-29 02:30")).toEqual({
    kind: "wall",
    t_ms: Date.parse("2026-03-29T01:30:00Z"),
    unit_ms: MINUTE,
  });
  expect(berlin("@2026-10-25 02:30")).toEqual({
    kind: "wall",
    t_ms: Date.parse("2026-10-25T00:30:00Z"),
    unit_ms: MINUTE,
  });
});

const nonsense = [
  ...["", "abc", "1:2:3:4", "00:61", "00:00:99", "-", "-5x", "5m5", "101%", "-1%", "%", "@", "@25:00", "@14:61"],
  ...[
    "@yesterday",
    "2026-13-01T00:00",
    "2026-04-31",
    "@2026-02-31 12:00",
    "@2100-02-29 12:00",
    "@24:00",
    "@12:00:60",
    "2026-04-18T23:59:60Z",
    "1e3",
    "NaN",
    "Infinity",
    "٣",
    "--5m",
    "@2026-04-18T14:31:58+99:00",
  ],
];
test.each(nonsense)("%p is refused with a word why", (text) => {
  let problem = "";
  try {
    parseTimecode(text, UTC);
  } catch (error) {
    expect(error).toBeInstanceOf(TimecodeError);
    problem = (error as Error).message;
  }
  expect(problem).not.toBe("");
});

test("places on the timeline of a ring, which has forgotten its beginning", () => {
  const range = { first_t_ms: 0, last_t_ms: 0, first_place_ms: 60_000, last_place_ms: 160_000, frames: 9, scanned: 1 };
  expect(placeOf({ kind: "start", offset_ms: 5000 }, range)).toBe(65_000);
  expect(placeOf({ kind: "end", offset_ms: 30_000 }, range)).toBe(130_000);
  expect(placeOf({ kind: "end", offset_ms: 999_000 }, range)).toBe(60_000);
  expect(placeOf({ kind: "share", share: 0.25 }, range)).toBe(85_000);
  expect(needsEnd({ kind: "share", share: 0.25 })).toBe(true);
  expect(needsEnd({ kind: "start", offset_ms: 1 })).toBe(false);
});

const range = {
  first_t_ms: 1500,
  last_t_ms: 101_500,
  first_place_ms: 0,
  last_place_ms: 100_000,
  frames: 101,
  scanned: 1,
};
const shownAt = (t_ms: number): Position => ({
  frame: { t_ms, seq: 0, elapsed_ms: t_ms - 1500, source: "local", hostname: "dgx-01", errors: [] },
  ordinal: 0,
  place_ms: t_ms - 1500,
});

test.each<[Target, Position, RegExp | null]>([
  [{ kind: "start", offset_ms: 100_000 }, shownAt(101_500), null],
  [{ kind: "start", offset_ms: 100_001 }, shownAt(101_500), /^after the end.* last frame/],
  [{ kind: "end", offset_ms: 100_000 }, shownAt(1500), null],
  [{ kind: "end", offset_ms: 100_001 }, shownAt(1500), /^before the beginning.* first frame/],
  [{ kind: "share", share: 1 }, shownAt(101_500), null],
  [{ kind: "wall", t_ms: 1000, unit_ms: SECOND }, shownAt(1500), null],
  [{ kind: "wall", t_ms: 999, unit_ms: 1 }, shownAt(1500), /^before/],
  [{ kind: "wall", t_ms: 0, unit_ms: SECOND }, shownAt(1500), /^before/],
  [{ kind: "wall", t_ms: 0, unit_ms: MINUTE }, shownAt(1500), null],
  [{ kind: "wall", t_ms: 101_500, unit_ms: SECOND }, shownAt(101_500), null],
  [{ kind: "wall", t_ms: 101_501, unit_ms: 1 }, shownAt(101_500), /^after/],
])("whether %j is outside of the recording", (target, shown, words) => {
  const said = outsideWords(target, shown, { range, lowest_t_ms: 1500 });
  if (words === null) expect(said).toBeNull();
  else expect(said).toMatch(words);
});

test("where the wall clock was set back, a time that came later is not before the beginning", () => {
  const target = { kind: "wall", t_ms: 1000, unit_ms: 1 } as const;
  expect(outsideWords(target, shownAt(1500), { range, lowest_t_ms: 1000 })).toBeNull();
  expect(outsideWords(target, shownAt(1500), { range, lowest_t_ms: 1001 })).toMatch(/^before/);
});

test("nothing is outside of a recording whose end is not known yet", () => {
  const target = { kind: "start", offset_ms: 999_000 } as const;
  expect(outsideWords(target, shownAt(101_500), { range: { ...range, scanned: 0.5 }, lowest_t_ms: 1500 })).toBeNull();
});

test("elapsed time", () => {
  expect([0, 999, 61_000, 3_599_999, 2_880_000_000].map(formatElapsed)).toEqual([
    "00:00:00",
    "00:00:00",
    "00:01:01",
    "00:59:59",
    "800:00:00",
  ]);
});

test("by the clock of a zone that POSIX writes", () => {
  const context = { t_ms: Date.UTC(2026, 3, 18, 21, 30), zone: "<+0330>-3:30" };
  expect(parseTimecode("@14:31", context)).toMatchObject({ t_ms: Date.UTC(2026, 3, 19, 11, 1) });
  expect(parseTimecode("@2026-01-01 00:00", context)).toMatchObject({ t_ms: Date.UTC(2025, 11, 31, 20, 30) });
});
