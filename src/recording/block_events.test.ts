import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { textArbitrary } from "../../test/arbitrary.ts";
import { openAfter } from "../events/conditions.ts";
import type { DetectedEvent } from "../events/event.ts";
import { eventHost, eventName, eventText } from "../events/event_text.ts";
import { decodeLine, type Untrusted } from "../frame/decode.ts";
import { BlockEvents } from "./block_events.ts";
import { type BlockSummary, openAfterBlock } from "./block_summary.ts";
import { MAX_BLOCK_EVENTS } from "./limits.ts";
import { decodeIndex, type IndexEntry, type IndexLine, indexLine } from "./lines.ts";

const EVENT: DetectedEvent = {
  kind: "temperature",
  severity: "warning",
  state: "begin",
  seq: 7,
  t_ms: 1_776_513_600_000,
  elapsed_ms: 7000,
  host: "node-1",
  device: "GPU 3",
  text: "as hot as where it slows down: 94 °C, slows down at 92 °C",
};

const eventArbitrary: fc.Arbitrary<DetectedEvent> = fc.record({
  kind: fc.oneof(fc.constantFrom("temperature", "error", "power", "xid", "__proto__"), textArbitrary.map(eventName)),
  severity: fc.constantFrom("info", "warning", "critical"),
  state: fc.constantFrom("begin", "end", "once"),
  seq: fc.maxSafeNat(),
  t_ms: fc.integer({ min: 0, max: 253402300799999 }),
  elapsed_ms: fc.maxSafeNat(),
  host: textArbitrary.map(eventHost),
  device: fc.option(textArbitrary.map(eventName)),
  text: textArbitrary.map(eventText),
});

const BLOCK: BlockSummary = {
  first_seq: 0,
  first_t_ms: 0,
  last_t_ms: 0,
  lowest_t_ms: 0,
  highest_t_ms: 0,
  frames: 1,
  first_elapsed_ms: 0,
  elapsed_ms: 0,
  errors: 0,
  interval_ms: 1000,
  open: [],
  events: [],
  more: {},
  more_ends: {},
  refused_conditions: {},
  open_after: null,
};

const entryOf = (n: number, block: Partial<BlockSummary>): IndexEntry => ({
  seq: n,
  byte_offset: n * 100,
  at: n * 100 + 50,
  block: { ...BLOCK, ...block, first_seq: n },
});

const lineOf = (entry: IndexEntry, blocks: readonly IndexEntry[] | null): Uint8Array =>
  indexLine({ ...entry, previous: null, end: false, blocks, previous_summary: null });

function readBack(bytes: Uint8Array): IndexLine {
  const line = decodeLine(Buffer.from(bytes).toString());
  const index = line.kind === "index" ? decodeIndex(line.value) : null;
  if (index === null) throw new Error("no index line");
  return index;
}

describe("the events of a block", () => {
  const many = Array.from({ length: 500 }, (_, seq): DetectedEvent => {
    const severity = seq % 100 === 99 ? "critical" : seq % 2 === 0 ? "info" : "warning";
    return { ...EVENT, seq, severity, kind: severity };
  });

  test("are the gravest, and of those the first, in their order; the others are counted", () => {
    const collected = new BlockEvents();
    for (const event of many) collected.add([event], []);
    const { events, more } = collected.sum();
    expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).toSorted((a, b) => a - b));
    expect(events.filter(({ kind }) => kind === "critical").map(({ seq }) => seq)).toEqual([99, 199, 299, 399, 499]);
    expect(events.filter(({ kind }) => kind === "warning").map(({ seq }) => seq)).toEqual(
      many.filter(({ kind }) => kind === "warning").flatMap(({ seq }, n) => (n < 59 ? [seq] : [])),
    );
    expect(more).toEqual({ info: 250, warning: 245 - 59 });
  });

  test("of one host come before those of others only so far", () => {
    const collected = new BlockEvents();
    const critical = { ...EVENT, severity: "critical" } as const;
    const loud = Array.from({ length: 200 }, (_, seq): DetectedEvent => ({ ...critical, seq, host: "loud" }));
    const others = Array.from({ length: 20 }, (_, n): DetectedEvent => ({ ...critical, seq: 200 + n, host: `h${n}` }));
    for (const event of [...loud, ...others]) collected.add([event], []);
    const seqs = collected.sum().events.map(({ seq }) => seq);
    expect(seqs).toEqual([...loud.slice(0, 44), ...others].map(({ seq }) => seq));
  });

  test("do not depend on how many come at once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (sizes) => {
        const [one, other] = [new BlockEvents(), new BlockEvents()];
        one.add(many, []);
        for (let at = 0, n = 0; at < many.length; n++) {
          const size = sizes[n % sizes.length] ?? 1;
          other.add(many.slice(at, at + size), []);
          at += size;
        }
        expect(other.sum()).toEqual(one.sum());
      }),
    );
  });

  test("that are not listed are counted, their endings apart", () => {
    const collected = new BlockEvents();
    const ends = many.slice(0, 100).map((event) => ({ ...event, state: "end" as const, severity: "info" as const }));
    collected.add([...many.slice(0, 100), ...ends], ["throttle", "power", "throttle"]);
    const { events, more, more_ends, refused_conditions } = collected.sum();
    expect(events).toHaveLength(MAX_BLOCK_EVENTS);
    expect(more).toEqual({ info: 36 + 50, warning: 49, critical: 1 });
    expect(more_ends).toEqual({ info: 50, warning: 49, critical: 1 });
    expect(refused_conditions).toEqual({ throttle: 2, power: 1 });
  });

  test("of any number of kinds are counted by few", () => {
    const collected = new BlockEvents();
    collected.add(
      many.map((event, n) => ({ ...event, severity: "info", kind: `kind-${n}` })),
      Array.from({ length: 300 }, (_, n) => `kind-${n}`),
    );
    const { more, refused_conditions } = collected.sum();
    for (const [counts, sum] of [
      [more, many.length - MAX_BLOCK_EVENTS],
      [refused_conditions, 300],
    ] as const) {
      expect(Object.keys(counts)).toHaveLength(64);
      expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(sum);
    }
  });

  test("are all there where there is room", () => {
    const collected = new BlockEvents();
    collected.add(many.slice(0, MAX_BLOCK_EVENTS), []);
    expect(collected.sum()).toEqual({
      events: many.slice(0, MAX_BLOCK_EVENTS),
      more: {},
      more_ends: {},
      refused_conditions: {},
    });
  });
});

describe("an index line", () => {
  test("is read back with any events", () => {
    const events = fc.array(eventArbitrary, { maxLength: 10 });
    const more = fc.dictionary(textArbitrary.map(eventName), fc.nat(), { maxKeys: 3, noNullPrototype: true });
    fc.assert(
      fc.property(events, events, more, more, (open, found, more, refused_conditions) => {
        const entry = entryOf(1, { open, events: found, more, more_ends: more, refused_conditions });
        expect(readBack(lineOf(entry, null)).block).toEqual(entry.block);
      }),
    );
  });

  test("says what was on when the block ended where its events do not tell, but does not repeat it", () => {
    const storm = entryOf(1, { events: [EVENT], more: { power: 3 }, open_after: [EVENT] });
    expect(readBack(lineOf(storm, null)).block).toEqual(storm.block);
    expect(readBack(lineOf(entryOf(2, {}), [storm])).blocks?.[0]?.block.open_after).toBeNull();
    expect(openAfterBlock(storm.block)).toEqual([EVENT]);
    expect(openAfterBlock({ ...storm.block, open_after: null })).toBeNull();
  });

  test("tells nothing of events where nobody looked", () => {
    const line = Buffer.from(lineOf(entryOf(1, { events: null }), null));
    expect(line.includes("open") || line.includes("events") || line.includes("more")).toBe(false);
    expect(readBack(line).block).toEqual({ ...BLOCK, first_seq: 1, events: null });
  });

  test("repeats what was on only where it does not follow", () => {
    const begins = { open: [], events: [EVENT] };
    const goesOn = { open: [EVENT], events: [] };
    const storm = { open: [EVENT], events: [EVENT], more: { power: 3 } };
    const entries = [begins, goesOn, goesOn, storm, goesOn].map((block, n) => entryOf(n, block));
    const line = lineOf(entryOf(5, goesOn), entries);
    expect(readBack(line).blocks).toEqual(entries);
    // Of the entry behind the storm, and of the line's own block.
    expect(
      Buffer.from(line)
        .toString()
        .match(/"open":\[[^\]]/g),
    ).toHaveLength(2);
  });

  test("of 64 blocks of a quiet recording is small", () => {
    const entries = Array.from({ length: 63 }, (_, n) => entryOf(n, {}));
    expect(lineOf(entryOf(63, {}), entries).length).toBeLessThan(25_000);
  });

  test("of 64 blocks is within what a reader takes, whatever goes on", () => {
    const word = (length: number) => "\u8f66".repeat(length);
    const loud = { ...EVENT, kind: word(64), host: word(100), device: word(64), text: word(240) };
    const storm = { open: Array(256).fill(loud), events: Array(64).fill(loud), more: { power: 1 } };
    const entries = Array.from({ length: 63 }, (_, n) => entryOf(n, storm));
    const line = lineOf(entryOf(63, storm), entries);
    expect(line.length).toBeLessThan(8 << 20);
    const blocks = readBack(line).blocks ?? [];
    expect(blocks.length).toBe(63);
    // Those for which there was no room are as if nobody had looked.
    expect(blocks.map(({ block }) => block.events?.length)).toEqual([64, 64, 64, ...Array(60).fill(undefined)]);
  });

  test("that lies about events is read for the rest", () => {
    const bad: unknown[] = [1, null, {}, { ...EVENT, t: "no time" }, { ...EVENT, t: "2026-04-18T12:00:00Z", seq: -1 }];
    const lies: Untrusted[] = [
      { events: bad, open: bad, more: { power: -1, aer: "x", xid: 3 } },
      { events: "all", open: {}, more: [] },
      { events: Array(10_000).fill({ ...EVENT, t: "2026-04-18T12:00:00Z", severity: "constructor" }), open: [] },
    ];
    for (const lie of lies) {
      const value = JSON.parse(Buffer.from(lineOf(entryOf(1, {}), null)).toString());
      const index = decodeIndex({ ...value, block: { ...value.block, ...lie } });
      expect(index?.block).toMatchObject({ frames: 1, open: [] });
      expect(index?.block.events ?? []).toEqual([]);
    }
  });
});

test("what is on after a block follows from what was on before it", () => {
  const end: DetectedEvent = { ...EVENT, state: "end", seq: 9 };
  const other: DetectedEvent = { ...EVENT, kind: "xid", state: "once" };
  expect(openAfter([], [EVENT, other])).toEqual([EVENT]);
  expect(openAfter([EVENT], [other, end])).toEqual([]);
  expect(openAfter([EVENT], [{ ...end, device: "GPU 4" }])).toEqual([EVENT]);
});
