import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { ExpositionParser } from "./exposition.ts";

interface Sample {
  readonly family: string;
  readonly labels: Record<string, string>;
  readonly value: number | null;
}

const encoder = new TextEncoder();

/** Reads all families, in pieces of so many bytes. */
function parse(text: string | Uint8Array, piece = Number.MAX_SAFE_INTEGER, isWhole = true) {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const samples: Sample[] = [];
  const parser = new ExpositionParser((family) => (labels, value) => {
    samples.push({ family, labels: Object.fromEntries(labels), value });
  });
  for (let at = 0; at < bytes.length; at += piece) parser.feed(bytes.subarray(at, at + piece));
  if (isWhole) parser.finish();
  return { samples, series: parser.series, bad: parser.bad };
}

const one = (line: string): Sample | undefined => parse(`${line}\n`).samples[0];

describe("a series", () => {
  test.each<[string, Record<string, string>, number | null]>([
    ["up 1", {}, 1],
    ["up\t 1 ", {}, 1],
    ["  up 1", {}, 1],
    ["up{} 1", {}, 1],
    ["up {} 1", {}, 1],
    ['up{a="b"} 3.831959552e+09', { a: "b" }, 3831959552],
    ['up{a="b", c="d"} -1', { a: "b", c: "d" }, -1],
    ['up{a="b",c="d",} +.5', { a: "b", c: "d" }, 0.5],
    ['up{ a = "b" , c="d" } 1.', { a: "b", c: "d" }, 1],
    ['up{a="}{,#\\"\\\\\\n"} 1', { a: '}{,#"\\\n' }, 1],
    ['up{a="ends with a backslash\\\\"} 1', { a: "ends with a backslash\\" }, 1],
    ['up{a="日本語"} 1', { a: "日本語" }, 1],
    ["up 1 1700000000000", {}, 1],
    ["up 1 1700000000.123", {}, 1],
    ['up_bucket{le="+Inf"} 1 # {trace="x y"} 0.5 1700000000.1', { le: "+Inf" }, 1],
    ['up 1 1700000000 # {a="b"} 1', {}, 1],
    ["up NaN", {}, null],
    ["up +Inf", {}, null],
    ["up -Inf", {}, null],
    ["up 1e999", {}, null],
    ["up 1\r", {}, 1],
  ])("%j", (line, labels, value) => {
    const sample = one(line);
    expect({ labels: sample?.labels, value: sample?.value }).toEqual({ labels, value });
  });

  test.each([
    "up",
    "up ",
    "up one",
    "up 1 2 3",
    "up 0x10",
    "up 1_000",
    "up {{VALUE}}",
    '{a="b"} 1',
    'up{a="b" 1',
    'up{a="b} 1',
    "up{a=b} 1",
    "up{a} 1",
    'up{="b"} 1',
    'up{a="b";c="d"} 1',
    'up{a="b"c="d"} 1',
    'up{a="b"}',
    'up{a="b\\"} 1',
    '{"a","b"} 1',
    'a{"b"} 1',
    '{""} 1',
    '{"a} 1',
    `{"${"n".repeat(300)}} 1`,
    "<html>",
    '{"schema":1}',
    "\u0000\u0001\u0002",
  ])("%j is none", (line) => {
    expect(parse(`${line}\n`)).toEqual({ samples: [], series: 0, bad: 1 });
  });

  test("comments, HELP and TYPE any number of times, empty lines, EOF", () => {
    const text = '# HELP up Help\n# TYPE up gauge\nup 1\n\n# HELP up Help\n# TYPE up gauge\n#\nup{a="b"} 2\n# EOF\n';
    expect(parse(text).samples.map(({ value }) => value)).toEqual([1, 2]);
    expect(parse(text).bad).toBe(0);
  });

  test("families are told apart where one begins like the other", () => {
    const families = parse("node_load1 1\nnode_load15 2\nnode_load1 3\nnode_load 4\n").samples.map((s) => s.family);
    expect(families).toEqual(["node_load1", "node_load15", "node_load1", "node_load"]);
  });

  test("a line that was cut off is not read: half a number is a wrong one", () => {
    expect(parse("a 12\nb 345", 5, false).samples.map(({ family }) => family)).toEqual(["a"]);
  });

  test("the last line of a whole text may be without an end", () => {
    for (const text of ["a 12\nb 345", "a 12\r\nb 345\r", "a 12\nb 345 ", "a 12\nb 345\n# EOF"]) {
      for (const piece of [1, 4, 100]) expect(parse(text, piece).samples.map(({ value }) => value)).toEqual([12, 345]);
    }
    expect(parse("a 12\n# a comment")).toMatchObject({ series: 1, bad: 0 });
    expect(parse(`a 12\n${"x".repeat(70_000)}`)).toMatchObject({ series: 1 });
  });

  test.each<[string, string, Record<string, string>, number | null]>([
    ['{"up"} 1', "up", {}, 1],
    ['{"metric.name","label.x"="v"} 2', "metric.name", { "label.x": "v" }, 2],
    ['{"metric.name",label="v",} 2 1700000000000', "metric.name", { label: "v" }, 2],
    ['{ "a \\"quoted\\" {name}" , "l=," = "}" } +Inf', 'a "quoted" {name}', { "l=,": "}" }, null],
    ['{label="v","metric.name"} 3 # {trace_id="x"} 0.5', "metric.name", { label: "v" }, 3],
    ['up{"label.x"="v",plain="w"} 4', "up", { "label.x": "v", plain: "w" }, 4],
    ['{"DCGM_FI_DEV_GPU_UTIL","gpu"="0"} 5', "DCGM_FI_DEV_GPU_UTIL", { gpu: "0" }, 5],
  ])("names in quotes: %s", (line, family, labels, value) => {
    expect(parse(line).samples).toEqual([{ family, labels, value }]);
  });

  test("names in quotes do not mix with those without", () => {
    const text = '{"a b",x="1"} 1\na b\na 2\n{"a"} 3\na{x="1"} 4\n{"a",x="1"} 5\n';
    expect(parse(text)).toMatchObject({ series: 5, bad: 1 });
    expect(parse(text).samples.map(({ family }) => family)).toEqual(["a b", "a", "a", "a", "a"]);
  });

  test("of families that nobody wants only the name is looked at", () => {
    const parser = new ExpositionParser(() => null);
    parser.feed(encoder.encode('a 1\nb{x="y"} 2\nc rubbish\n'));
    expect(parser.series).toBe(3);
  });
});

describe("in pieces", () => {
  const page = readFileSync(join(import.meta.dir, "../../../test/fixtures/exporters/all_smi_mock_nvidia.metrics"));

  test("of any size a page is the same", () => {
    const whole = parse(page);
    expect(whole.samples.length).toBeGreaterThan(50);
    for (const piece of [1, 7, 64, 1000]) expect(parse(page, piece)).toEqual(whole);
  });

  test("a character cut in two is one again", () => {
    expect(parse('up{a="日本"} 1\n', 1).samples[0]?.labels).toEqual({ a: "日本" });
  });
});

describe("hostile text", () => {
  test("a line of 16 MiB is skipped, and what stands behind it is read", () => {
    const parsed = parse(`a 1\n${"x".repeat(16 << 20)}\nb 2\nc{d="${"y".repeat(1 << 20)}"} 3\ne 4\n`, 1 << 16);
    expect(parsed.samples.map(({ family }) => family)).toEqual(["a", "b", "e"]);
    expect(parsed.bad).toBe(2);
  });

  test("more labels than anybody needs make it no series; long values are cut off", () => {
    const labels = (count: number) => Array.from({ length: count }, (_, n) => `l${n}="v"`).join(",");
    expect(one(`a{${labels(100)}} 1`)?.value).toBe(1);
    expect(one(`a{${labels(101)}} 1`)).toBeUndefined();
    expect(one(`a{b="${"y".repeat(5000)}"} 1`)?.labels.b).toHaveLength(1024);
  });

  test("16 MiB of quotes, of backslashes, of braces or of one long name", () => {
    for (const text of ['"', "\\", "{", "}", 'a{b="', '{"a","b"=', "gpu_", "a{", ",", "a 1", "a .", "a 1e", "1", " "]) {
      const line = text.repeat(Math.floor(60_000 / text.length));
      expect(parse(`${line}\n`.repeat(270), 1 << 16).samples).toEqual([]);
      expect(parse(`a ${line}x\n`.repeat(270), 1 << 16).samples).toEqual([]);
    }
    expect(parse("x".repeat(60_000), 1).series).toBe(0);
  });

  test("a label called __proto__ is a label", () => {
    const seen: (string | undefined)[] = [];
    const parser = new ExpositionParser(() => (labels) => void seen.push(labels.get("__proto__")));
    parser.feed(encoder.encode('a{__proto__="x"} 1\n'));
    expect(seen).toEqual(["x"]);
  });

  test("no bytes whatever make it fail", () => {
    const characters = fc.constantFrom(...'ab_:09{}="\\,# \t\n\r.+-eENaInf\0é');
    const texts = fc.oneof(
      fc.string({ unit: characters, maxLength: 200 }),
      fc.string({ unit: "binary", maxLength: 60 }),
    );
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 9 }), (text, piece) => {
        const whole = parse(text);
        expect(parse(text, piece)).toEqual(whole);
        for (const { value } of whole.samples) expect(value === null || Number.isFinite(value)).toBe(true);
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void parse(bytes, 5)),
      { numRuns: 200 },
    );
  });
});
