import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { DetectedEvent, EventState } from "../events/event.ts";
import type { Severity } from "../frame/severity.ts";
import { decodeRows, decodeWhatTable, encodeRows, type Origin, WhatTable } from "./event_rows.ts";

const ORIGIN: Origin = { first_seq: 1001, first_t_ms: Date.UTC(2026, 3, 18, 12), first_elapsed_ms: 3_003_000 };
const EVENT: DetectedEvent = {
  kind: "temperature",
  severity: "warning",
  state: "begin",
  seq: 1042,
  t_ms: ORIGIN.first_t_ms + 123_400,
  elapsed_ms: ORIGIN.first_elapsed_ms + 123_000,
  host: "dgx-01",
  device: "GPU 3",
  text: "as hot as where it slows down: 92 °C",
};

const word = fc.string({ maxLength: 20, unit: fc.constantFrom("a", "é", "°", '"', " ", "车", "😀") });
const event: fc.Arbitrary<DetectedEvent> = fc.record({
  kind: fc.oneof(fc.constant("xid"), word),
  severity: fc.constantFrom<Severity>("info", "warning", "critical"),
  state: fc.constantFrom<EventState>("begin", "end", "once"),
  seq: fc.nat(),
  t_ms: fc.integer({ min: -1e12, max: 1e13 }),
  elapsed_ms: fc.nat(),
  host: fc.oneof(fc.constant("dgx-01"), word),
  device: fc.option(word),
  text: word,
});

/** Through JSON, as in a line. */
function throughLine(lists: readonly (readonly DetectedEvent[])[]): (DetectedEvent[] | null)[] {
  const table = new WhatTable();
  const rows = lists.map((events) => encodeRows(events, ORIGIN, table));
  const line = JSON.parse(JSON.stringify({ rows, what: table.list }));
  const what = decodeWhatTable(line.what);
  return line.rows.map((one: unknown) => decodeRows(one, ORIGIN, what));
}

describe("events as numbers", () => {
  test("are read back, of several blocks in which the same happened", () => {
    fc.assert(
      fc.property(fc.array(fc.array(event, { maxLength: 20 }), { maxLength: 4 }), (lists) => {
        expect(throughLine(lists)).toEqual(lists);
      }),
    );
  });

  test("count from the beginning of their block, and say once what happened", () => {
    const table = new WhatTable();
    const again: DetectedEvent = { ...EVENT, state: "once", device: null, seq: 1050 };
    const end: DetectedEvent = { ...EVENT, state: "end" };
    const rows = encodeRows([EVENT, end, again], ORIGIN, table);
    expect(rows).toEqual([0, 41, 123_400, 123_000, 1, 41, 123_400, 123_000, 5, 49, 123_400, 123_000]);
    const { kind, severity, host, device, text } = EVENT;
    const what = { kind, severity, host, device, text };
    expect(table.list).toEqual([what, { ...what, device: null }]);
  });

  test("that lie are left out, and the others stay", () => {
    const table = new WhatTable();
    const rows = encodeRows([EVENT], ORIGIN, table);
    const what = decodeWhatTable(table.list);
    const lies: readonly (readonly [at: number, value: unknown])[] = [
      ...rows.flatMap((_, at) => [null, "length", "0", {}, [], true, 0.5, -1e16].map((lie) => [at, lie] as const)),
      ...[3, -1].map((number) => [0, number] as const),
    ];
    for (const [at, lie] of lies) {
      const found = decodeRows([...rows.with(at, lie as number), ...rows], ORIGIN, what) ?? [];
      expect(found.at(-1)).toEqual(EVENT);
      for (const { seq, elapsed_ms, t_ms } of found) {
        expect([seq, elapsed_ms, t_ms].every(Number.isSafeInteger)).toBe(true);
        expect(() => new Date(t_ms).toISOString()).not.toThrow();
      }
    }
    for (const none of [null, "rows", {}, 7]) expect(decodeRows(none, ORIGIN, what)).toBeNull();
    expect(decodeRows(rows.slice(0, 3), ORIGIN, what)).toEqual([]);
  });

  test("of what is none keep their numbers, and texts are one line of bounded length", () => {
    const loud = { ...EVENT, kind: "b".repeat(1000), text: `a\u001b[2J\n${"b".repeat(1000)}` };
    const what = decodeWhatTable([null, { ...EVENT, severity: "constructor" }, { ...EVENT, host: 7 }, loud]);
    const found = decodeRows(
      [0, 3, 6, 9].flatMap((number) => [number, 0, 0, 0]),
      ORIGIN,
      what,
    );
    expect(found).toHaveLength(1);
    expect(found?.[0]?.kind).toHaveLength(64);
    expect(found?.[0]?.text).toHaveLength(240);
    expect(found?.[0]?.text).toStartWith("a [2J b");
    expect(decodeWhatTable("all")).toEqual([]);
  });
});
