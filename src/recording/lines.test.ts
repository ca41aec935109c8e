import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cleanTextArbitrary } from "../../test/arbitrary.ts";
import { decodeLine, type Untrusted } from "../frame/decode.ts";
import { CURVES } from "../frame/summary.ts";
import type { BlockSummary } from "./block_summary.ts";
import {
  decodeHeader,
  decodeIndex,
  type Header,
  headerLine,
  type IndexEntry,
  type IndexLine,
  indexLine,
} from "./lines.ts";

const text = (line: Uint8Array): string => Buffer.from(line).toString();

function valueIn(line: Uint8Array, kind: "header" | "index"): Untrusted {
  const decoded = decodeLine(text(line));
  if (decoded.kind !== kind) throw new Error(JSON.stringify(decoded));
  return decoded.value;
}

const t_ms = fc.integer({ min: 0, max: 253402300799999 });
const count = fc.maxSafeNat();

const headerArbitrary: fc.Arbitrary<Header> = fc.record({
  t_ms,
  interval_ms: count,
  source: fc.constantFrom("local", "remote"),
  hosts: fc.array(cleanTextArbitrary),
  all_smi_version: cleanTextArbitrary,
  recording: cleanTextArbitrary,
  segment: count,
  machine: cleanTextArbitrary,
  file: cleanTextArbitrary,
  first_seq: count,
  timezone: cleanTextArbitrary,
});

describe("a header", () => {
  test("is read back as it was, from one line", () => {
    fc.assert(
      fc.property(headerArbitrary, (header) => {
        const line = headerLine(header);
        expect<object>(decodeHeader(valueIn(line, "header"))).toEqual(header);
        expect(text(line).indexOf("\n")).toBe(text(line).length - 1);
      }),
    );
  });

  test("begins with the schema, and says at once that it is one", () => {
    const [header] = fc.sample(headerArbitrary, 1);
    expect(text(headerLine(header as Header))).toStartWith('{"schema":1,"header":true,"t":"');
  });

  test("of the Rust tool is known as far as it says something", () => {
    const line = '{"all_smi_version":"0.28.1","header":true,"hosts":["a",5,null,"b"],"interval_ms":1000,"schema":1}';
    expect(decodeHeader(valueIn(Buffer.from(line), "header"))).toEqual({
      ...{ t_ms: null, interval_ms: 1000, source: null, hosts: ["a", "b"], all_smi_version: "0.28.1" },
      ...{ recording: null, segment: null, file: null, machine: null, first_seq: null, timezone: null },
    });
  });

  test("holds 1024 hosts at most", () => {
    const hosts = Array.from({ length: 5000 }, (_, n) => `node-${n}`);
    expect(decodeHeader({ hosts }).hosts).toEqual(hosts.slice(0, 1024));
  });

  test("of any values is one of known ones and of unknown ones", () => {
    const keys = fc.constantFrom(
      "t",
      "interval_ms",
      "source",
      "hosts",
      "recording",
      "segment",
      "first_seq",
      "__proto__",
    );
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (value) => {
        const { hosts, segment, source, t_ms } = decodeHeader(value);
        expect(segment === null || Number.isSafeInteger(segment)).toBe(true);
        expect(t_ms === null || Number.isFinite(t_ms)).toBe(true);
        expect([null, "local", "remote"]).toContain(source);
        expect((hosts ?? []).every((one) => typeof one === "string")).toBe(true);
      }),
    );
  });
});

const tenths = fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 10);

const blockArbitrary: fc.Arbitrary<BlockSummary> = fc
  .record(
    {
      ...{ first_seq: fc.nat({ max: 1e6 }), frames: count, errors: count },
      ...{ first_t_ms: t_ms, last_t_ms: t_ms, lowest_t_ms: t_ms, highest_t_ms: t_ms },
      ...{ first_elapsed_ms: count, elapsed_ms: count, interval_ms: fc.option(count) },
      ...Object.fromEntries(CURVES.map((curve) => [curve, fc.tuple(tenths, tenths, tenths)])),
    },
    { requiredKeys: ["first_seq", "frames", "errors", "first_t_ms", "last_t_ms", "lowest_t_ms", "highest_t_ms"] },
  )
  .map((block) => ({
    ...{ first_elapsed_ms: 0, elapsed_ms: 0, interval_ms: null, open: [], events: null },
    ...{ more: {}, more_ends: {}, refused_conditions: {}, open_after: null },
    ...block,
  })) as fc.Arbitrary<BlockSummary>;

/** An entry whose numbers can be true, somewhere behind `from`. */
const entryArbitrary = (from: number): fc.Arbitrary<IndexEntry> =>
  fc
    .tuple(blockArbitrary, fc.nat({ max: 1e6 }), fc.nat({ max: 1e6 }), fc.nat({ max: 1e6 }))
    .map(([block, more, gap, length]) => ({
      seq: block.first_seq + more,
      byte_offset: from + gap,
      at: from + gap + 1 + length,
      block,
    }));

const FAR = 1e7;
const indexArbitrary: fc.Arbitrary<IndexLine> = fc
  .tuple(
    entryArbitrary(FAR),
    fc.option(fc.nat({ max: FAR - 1 })),
    fc.boolean(),
    fc.option(fc.array(entryArbitrary(0), { maxLength: 5 })),
    fc.option(fc.nat({ max: FAR - 1 })),
  )
  .map(([entry, previous, end, blocks, previous_summary]) => ({ ...entry, previous, end, blocks, previous_summary }));

describe("an index line", () => {
  test("is read back as it was", () => {
    fc.assert(
      fc.property(indexArbitrary, (index) => expect(decodeIndex(valueIn(indexLine(index), "index"))).toEqual(index)),
    );
  });

  test("begins with what it is looked for by", () => {
    const [index] = fc.sample(indexArbitrary, 1);
    expect(text(indexLine(index as IndexLine))).toStartWith('{"schema":1,"index":true,"seq":');
  });

  test("of the Rust tool, which knows no blocks, is none of ours", () => {
    expect(decodeIndex({ byte_offset: 1234567, index: true, schema: 1, seq: 1000 })).toBeNull();
  });

  const [sample] = fc.sample(indexArbitrary, { numRuns: 1, seed: 5 });
  const sound = valueIn(indexLine(sample as IndexLine), "index");
  const { seq, at, byte_offset } = sample as IndexLine;

  test.each([
    ["at", byte_offset],
    ["at", byte_offset - 1],
    ["byte_offset", at],
    ["byte_offset", -1],
    ["byte_offset", 1e300],
    ["seq", ((sample as IndexLine).block.first_seq || 1) - 1.5],
    ["seq", String(seq)],
    ["block", null],
    ["block", []],
    ["block", {}],
    ["blocks", [null]],
    ["blocks", [{ seq: 1 }]],
  ])("that cannot be true is none: %s is %p", (key, value) => {
    expect(decodeIndex(sound)).not.toBeNull();
    expect(decodeIndex({ ...sound, [key]: value })).toBeNull();
  });

  test.each([
    ["previous", at],
    ["previous", byte_offset],
    ["previous", -1],
    ["previous_summary", Number.MAX_SAFE_INTEGER],
    ["previous_summary", "0"],
  ])("leads backwards only: %s is %p", (key, value) => {
    const index = decodeIndex({ ...sound, [key]: value });
    expect(index?.[key as "previous" | "previous_summary"]).toBeNull();
  });

  test("that repeats more than a recorder ever does is none", () => {
    const entry = { seq, byte_offset, at, block: sound.block };
    expect(decodeIndex({ ...sound, blocks: Array(63).fill(entry) })?.blocks?.length).toBe(63);
    expect(decodeIndex({ ...sound, blocks: Array(64).fill(entry) })).toBeNull();
  });

  test("of any values is one or none, and never more", () => {
    const keys = fc.constantFrom("seq", "byte_offset", "at", "previous", "end", "block", "blocks", "previous_summary");
    const value = fc.oneof(fc.jsonValue(), fc.constant(sound.block), fc.nat(), fc.array(fc.constant(sound)));
    fc.assert(
      fc.property(fc.dictionary(keys, value), (changes) => {
        const index = decodeIndex({ ...sound, ...changes });
        if (index !== null) expect(index.byte_offset).toBeLessThan(index.at);
      }),
    );
  });
});
