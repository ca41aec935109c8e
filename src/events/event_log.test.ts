import { expect, test } from "bun:test";
import { eventAt } from "../../test/event_frames.ts";
import type { DetectedEvent } from "./event.ts";
import { latestLines } from "./event_log.ts";

const lost = { kind: "host_lost", severity: "critical", text: "does not answer: timed out" } as const;
const hot = { kind: "temperature", device: "GPU 3", text: "91°C" } as const;
const xid = { kind: "xid", state: "once", text: "XID 79" } as const;

const EVENTS: readonly DetectedEvent[] = [
  eventAt(10, { ...lost, host: "a", state: "begin" }),
  eventAt(20, { ...lost, host: "b", state: "begin" }),
  eventAt(30, { ...hot, host: "a", state: "begin" }),
  eventAt(70, { ...xid, host: "a" }),
  eventAt(74, { ...lost, host: "a", state: "end" }),
  eventAt(90, { ...hot, host: "a", state: "end" }),
  eventAt(100, { ...lost, host: "a", state: "begin" }),
];

/** When, what, where, and for how many seconds. */
const lines = (place_s: number, count: number, events = EVENTS) =>
  latestLines(events, place_s * 1000, count).map(({ event, lasted_ms }) =>
    [event.elapsed_ms / 1000, event.kind, event.state, event.host, lasted_ms === null ? null : lasted_ms / 1000].join(
      " ",
    ),
  );

test("what is back has a line of its own, what is over says at its beginning how long it lasted", () => {
  expect(lines(1000, 10)).toEqual([
    "100 host_lost begin a ",
    "74 host_lost end a 64",
    "70 xid once a ",
    // It counts as over when it was off for 10 s.
    "30 temperature begin a 50",
    "20 host_lost begin b ",
    "10 host_lost begin a 64",
  ]);
});

test("nothing is known of what is still to come", () => {
  expect(lines(73, 10)).toEqual([
    "70 xid once a ",
    "30 temperature begin a ",
    "20 host_lost begin b ",
    "10 host_lost begin a ",
  ]);
});

test("few lines know of beginnings that have no line", () => {
  expect(lines(80, 1)).toEqual(["74 host_lost end a 64"]);
  expect(lines(1000, 0)).toEqual([]);
});

test("of an end whose beginning is missing it is not said how long it lasted", () => {
  const ends = [...EVENTS.slice(4, 5), eventAt(80, { ...lost, host: "a", state: "end" })];
  expect(lines(1000, 10, ends)).toEqual(["80 host_lost end a ", "74 host_lost end a "]);
});
