import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { DetectedEvent, EventState, Severity } from "../events/event.ts";
import { decodeRows, decodeTexts, encodeRows, type Origin, TextTable } from "./event_rows.ts";

const ORIGIN: Origin = { first_seq: 1001, first_t_ms: Date.UTC(2026, 3, 18, 12), first_elapsed_ms: 3_003_000 };
const EVENT: DetectedEvent = {
  kind: "temperature",
  severity: "warning",
  state: "begin",
  seq: 1042,
  t_ms: ORIGIN.first_t_ms + 123_000,
  elapsed_ms: ORIGIN.first_elapsed_ms + 123_000,
  host: "dgx-01",
  device: "GPU 3",
  text: "as hot as where it slows down: 92 °C",
};

const word = fc.string({ maxLength: 20, unit: fc.constantFrom("a", "é", "°", " ", "车", "😀") });
const event: fc.Arbitrary<DetectedEvent> = fc.record({
  kind: word,
  severity: fc.constantFrom<Severity>("info", "warning", "critical"),
  state: fc.constantFrom<EventState>("begin", "end", "once"),
  seq: fc.nat(),
  t_ms: fc.integer({ min: -1e12, max: 1e13 }),
  elapsed_ms: fc.nat(),
  host: word,
  device: fc.option(word),
  text: word,
});

/** Through JSON, as in a line. */
function throughLine(lists: readonly (readonly DetectedEvent[])[]): (DetectedEvent[] | null)[] {
  const table = new TextTable();
  const rows = lists.map((events) => encodeRows(events, ORIGIN, table));
  const line = JSON.parse(JSON.stringify({ rows, texts: table.texts }));
  const texts = decodeTexts(line.texts);
  return line.rows.map((one: unknown) => decodeRows(one, ORIGIN, texts));
}

describe("events as numbers", () => {
  test("are read back, of several blocks with the same texts", () => {
    fc.assert(
      fc.property(fc.array(fc.array(event, { maxLength: 20 }), { maxLength: 4 }), (lists) => {
        expect(throughLine(lists)).toEqual(lists);
      }),
    );
  });

  test("count from the beginning of their block, and say a text once", () => {
    const table = new TextTable();
    const end: DetectedEvent = { ...EVENT, state: "end", seq: 1050, device: null };
    expect(encodeRows([EVENT, end], ORIGIN, table)).toEqual([
      ...[0, 1, 0, 41, 123_000, 123_000, 1, 2, 3],
      ...[0, 1, 1, 49, 123_000, 123_000, 1, -1, 3],
    ]);
    expect(table.texts).toEqual(["temperature", "dgx-01", "GPU 3", EVENT.text]);
  });

  test("that lie are left out, and the others stay", () => {
    const table = new TextTable();
    const rows = encodeRows([EVENT], ORIGIN, table);
    const texts = decodeTexts(table.texts);
    const lies: readonly (readonly [at: number, value: unknown])[] = [
      ...rows.flatMap((_, at) => [null, "length", "0", {}, [], true, 0.5].map((lie) => [at, lie] as const)),
      ...[0, 6, 7, 8].map((at) => [at, table.texts.length] as const),
      ...[0, 1, 2, 6, 8].map((at) => [at, -1] as const),
      ...[3, 4, 5].flatMap((at) => [1e300, -1e16].map((lie) => [at, lie] as const)),
    ];
    for (const [at, lie] of lies) {
      const found = decodeRows([...rows.with(at, lie as number), ...rows], ORIGIN, texts) ?? [];
      expect(found.at(-1)).toEqual(EVENT);
      for (const one of found) {
        expect([one.kind, one.severity, one.state, one.host, one.text].every((part) => typeof part === "string")).toBe(
          true,
        );
        expect([one.seq, one.elapsed_ms, one.t_ms].every(Number.isSafeInteger)).toBe(true);
        expect(() => new Date(one.t_ms).toISOString()).not.toThrow();
      }
    }
    for (const none of [null, "rows", {}, 7]) expect(decodeRows(none, ORIGIN, texts)).toBeNull();
    expect(decodeRows(rows.slice(0, 5), ORIGIN, texts)).toEqual([]);
  });

  test("have texts that are one line of bounded length, whatever the file says", () => {
    const texts = decodeTexts([`a\u001b[2J\n${"b".repeat(1000)}`, 7, null]);
    const [found] = decodeRows([0, 0, 0, 0, 0, 0, 0, 0, 0], ORIGIN, texts) ?? [];
    expect(found?.kind).toHaveLength(64);
    expect(found?.host).toHaveLength(100);
    expect(found?.text).toHaveLength(240);
    expect(found?.text).toStartWith("a [2J b");
    expect(decodeRows([1, 0, 0, 0, 0, 0, 2, 2, 2], ORIGIN, texts)?.[0]).toMatchObject({ kind: "", text: "" });
  });
});
