import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { frameArbitrary } from "../../test/arbitrary.ts";
import { decodeLine } from "../frame/decode.ts";
import { frameLine } from "../frame/encode.ts";
import { DecodedBlock } from "./decoded_block.ts";
import { type LineFacts, type LineKind, readFacts } from "./line_facts.ts";
import type { Trust } from "./line_judge.ts";

const RUNS = 3000;

interface Read extends LineFacts {
  readonly kind: LineKind;
}

/** Read with something before and behind it, which must not matter. */
function read(text: string): Read {
  const line = Buffer.from(text);
  const facts: LineFacts = { t_ms: 0, seq: null, elapsed_ms: null };
  const kind = readFacts(Buffer.concat([Buffer.from("}\n"), line, Buffer.from("\n{")]), 2, 2 + line.length, facts);
  return { kind, ...facts };
}

/** What the whole line says, where it is a frame. */
function expectSame(text: string): void {
  const line = decodeLine(text);
  if (line.kind !== "frame") return;
  const { t_ms, seq, elapsed_ms } = line.frame;
  expect({ text, ...read(text) }).toEqual({ text, kind: "frame", t_ms, seq, elapsed_ms });
}

const theirLine = (line: string): string => {
  const { t: _t, seq: _seq, elapsed_ms: _elapsed, source: _source, ...rest } = JSON.parse(line);
  return JSON.stringify(Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))));
};

const ours = frameArbitrary.map(frameLine);
const theirs = ours.map(theirLine);

describe("the facts of a line are what all of it says", () => {
  test("of lines as this program and the Rust tool write them", () => {
    const property = fc.property(ours, theirs, (our, their) => {
      expectSame(our);
      expectSame(their);
      expect([read(our).kind, read(their).kind]).toEqual(["frame", "frame"]);
    });
    fc.assert(property, { numRuns: RUNS / 50 });
  });

  test("of the recordings of the Rust tool", () => {
    const folder = join(import.meta.dir, "../../test/fixtures/rust");
    const files = readdirSync(folder).filter((name) => name.endsWith(".ndjson") && !name.startsWith("zstd"));
    const lines = files.flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").filter(Boolean));
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      expectSame(line);
      expect(read(line).kind).toBe(decodeLine(line).kind);
    }
  });

  test("of lines of which a few characters were changed", () => {
    const start = '{"schema":1,"t":"2026-04-18T12:02:06.000Z","seq":42,"elapsed_ms":126000,"hostname":"a","errors":[]}';
    const sorted = '{"cpus":[],"hostname":"a","schema":1,"timestamp":"2026-04-18T12:02:06Z"}';
    const change = fc.record({ at: fc.nat({ max: 110 }), length: fc.nat({ max: 3 }), by: fc.string({ maxLength: 3 }) });
    const text = fc
      .tuple(fc.constantFrom<string>(start, sorted), fc.array(change, { maxLength: 3 }))
      .map(([line, changes]) => changes.reduce((one: string, { at, length, by }) => splice(one, at, length, by), line))
      .filter((one) => !one.includes("\n"));
    fc.assert(fc.property(text, expectSame), { numRuns: RUNS });
  });

  test("of any time and any number", () => {
    const part = (max: number, digits: number) => fc.nat({ max }).map((one) => String(one).padStart(digits, "0"));
    const time = fc
      .tuple(part(9999, 4), part(13, 2), part(32, 2), part(24, 2), part(60, 2), part(60, 2), part(999, 3))
      .map(([y, month, day, h, m, s, ms]) => `${y}-${month}-${day}T${h}:${m}:${s}.${ms}Z`);
    const number = fc.oneof(
      fc.nat().map(String),
      fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String),
      fc.constantFrom("0", "-1", "1.5", "1e3", "null", '"7"', String(Number.MAX_SAFE_INTEGER), "9007199254740993"),
    );
    const line = fc
      .tuple(time, number, number)
      .map(([t, seq, elapsed]) => `{"schema":1,"t":"${t}","seq":${seq},"elapsed_ms":${elapsed},"errors":[]}`);
    fc.assert(fc.property(line, expectSame), { numRuns: RUNS });
  });
});

const splice = (text: string, at: number, length: number, by: string): string =>
  text.slice(0, at) + by + text.slice(at + length);

describe("lines that are no frames", () => {
  test.each([
    ["header", '{"schema":1,"header":true,"t":"2026-04-18T12:00:00.000Z","interval_ms":3000,"source":"local"}'],
    ["header", '{"all_smi_version":"0.28.1","header":true,"hosts":["a"],"interval_ms":1000,"schema":1}'],
    ["index", '{"schema":1,"index":true,"seq":3,"byte_offset":100,"t":"2026-04-18T12:02:06.000Z"}'],
    ["index", '{"byte_offset":100,"index":true,"schema":1,"seq":3}'],
    ["refused", '{"schema":2,"t":"2026-04-18T12:02:06.000Z","seq":42,"elapsed_ms":126000,"errors":[]}'],
    ["bad", ""],
    ["bad", "{}"],
    ["bad", '{"schema":1,"t":"2026-13-18T12:02:06.000Z","seq":42,"elapsed_ms":126000,"errors":[]}'],
    ["bad", '{"schema":1,"t":"2026-04-18T12:02:06.000Z","seq":42,"elapsed_ms":126000'],
  ] as const)("%s: %s", (kind, text) => {
    expect(read(text).kind).toBe(kind);
    expect(decodeLine(text).kind).toBe(kind);
  });
});

describe("a frame that only looks like one", () => {
  const time = '"t":"2026-04-18T12:02:06.000Z"';
  const decoded = (text: string, trust: Trust) =>
    new DecodedBlock(Buffer.from(`${text}\n`), { before: null, recording: null, trust });

  test.each([
    ["no JSON behind the first keys", `{"schema":1,${time},"seq":42,"elapsed_ms":126000,"gpus":[}`],
    ["a section of the wrong type", `{"schema":1,${time},"seq":42,"elapsed_ms":126000,"gpus":7}`],
    ["a value of the wrong type", `{"schema":1,${time},"seq":42,"elapsed_ms":126000,"gpus":[{"uuid":7}]}`],
    ["another schema behind", `{"schema":1,${time},"seq":42,"elapsed_ms":126000,"schema":2}`],
    ["no JSON before the last keys", '{"cpus":[,"schema":1,"timestamp":"2026-04-18T12:02:06Z"}'],
  ])("%s: reading it tells, and where nothing is trusted it is none", (_what, text) => {
    const trusting = decoded(text, "shape");
    expect([trusting.frames, trusting.frame(0)]).toEqual([1, null]);
    expect(decoded(text, "nothing").frames).toBe(0);
  });

  test("a key that stands twice: frame and timeline agree", () => {
    const line = `{"schema":1,${time},"seq":42,"elapsed_ms":126000,"t":"2030-01-01T00:00:00.000Z","seq":7,"errors":[]}`;
    const block = decoded(line, "shape");
    expect(block.frame(0)).toMatchObject({ t_ms: block.t_ms(0), seq: block.seq(0) ?? -1 });
  });
});
