import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import type { CodecName } from "./codec.ts";
import { freeNumber, numberedAmong, ownersOf, resolveOutput, segmentPath } from "./name.ts";

describe("the output", () => {
  test.each([
    ["trace", undefined, "trace.ndjson.zst", "zstd"],
    ["trace", "zstd", "trace.ndjson.zst", "zstd"],
    ["trace", "gzip", "trace.ndjson.gz", "gzip"],
    ["trace", "none", "trace.ndjson", "none"],
    ["trace.ndjson", undefined, "trace.ndjson", "none"],
    ["trace.ndjson", "none", "trace.ndjson", "none"],
    ["trace.ndjson", "zstd", "trace.ndjson.zst", "zstd"],
    ["trace.ndjson", "gzip", "trace.ndjson.gz", "gzip"],
    ["trace.ndjson.zst", undefined, "trace.ndjson.zst", "zstd"],
    ["trace.ndjson.zst", "zstd", "trace.ndjson.zst", "zstd"],
    ["trace.ndjson.gz", undefined, "trace.ndjson.gz", "gzip"],
    ["trace.ndjson.gz", "gzip", "trace.ndjson.gz", "gzip"],
    ["trace.zst", undefined, "trace.zst", "zstd"],
    ["trace.gz", "gzip", "trace.gz", "gzip"],
    ["dgx-01.local", undefined, "dgx-01.local.ndjson.zst", "zstd"],
    ["dgx-01.local", "none", "dgx-01.local.ndjson", "none"],
    ["a.json", undefined, "a.json.ndjson.zst", "zstd"],
    ["./records/t.1.ndjson.gz", undefined, "./records/t.1.ndjson.gz", "gzip"],
    ["dir.gz/trace", undefined, "dir.gz/trace.ndjson.zst", "zstd"],
  ] as [string, CodecName | undefined, string, CodecName][])(
    "%s with --compress %s is %s",
    (given, codec, path, out) => {
      expect(resolveOutput(given, codec)).toEqual({ path, codec: out });
    },
  );

  test.each([
    ["t.ndjson.gz", "zstd"],
    ["t.ndjson.zst", "gzip"],
    ["t.ndjson.zst", "none"],
    ["t.ndjson.gz", "none"],
    ["t.gz", "none"],
    ["t.zst", "gzip"],
  ] as [string, CodecName][])("%s contradicts --compress %s", (given, codec) => {
    expect(() => resolveOutput(given, codec)).toThrow(UsageError);
    expect(() => resolveOutput(given, codec)).toThrow("contradict");
  });
});

describe("closed segments", () => {
  test.each([
    ["a.ndjson.zst", 1, "a.0001.ndjson.zst"],
    ["dgx-01.local.ndjson.zst", 12, "dgx-01.local.0012.ndjson.zst"],
    ["a.ndjson", 9999, "a.9999.ndjson"],
    ["a.gz", 10_000, "a.10000.gz"],
  ])("of %s, number %d is %s", (name, number, expected) => {
    expect(segmentPath(join("/r", name), number)).toBe(join("/r", expected));
  });

  const numbered = (path: string, names: string[]): [number, string][] =>
    numberedAmong(path, names).map(({ number, path: one }) => [number, one]);

  test("are called by a number, however many digits it has, and nothing else is", () => {
    const ours = ["a.0002.ndjson.zst", "a.0001.ndjson.zst", "a.10000.ndjson.zst", "a.20260418.ndjson.zst"];
    const others = ["a.ndjson.zst", "a.001.ndjson.zst", "a.0003.ndjson.gz", "ab.0004.ndjson.zst", "a.0005.ndjson.zst~"];
    const most = ["a.00x6.ndjson.zst", "a.1234567890123456.ndjson.zst", ".0001.ndjson.zst"];
    expect(numbered("/r/a.ndjson.zst", [...ours, ...others, ...most])).toEqual([
      [1, "/r/a.0001.ndjson.zst"],
      [2, "/r/a.0002.ndjson.zst"],
      [10_000, "/r/a.10000.ndjson.zst"],
      [20_260_418, "/r/a.20260418.ndjson.zst"],
    ]);
  });

  test("of the Rust tool have the number before the first dot", () => {
    expect(numbered("dgx.local.ndjson", ["dgx.0001.local.ndjson", "dgx.local.0002.ndjson"])).toEqual([
      [1, "dgx.0001.local.ndjson"],
      [2, "dgx.local.0002.ndjson"],
    ]);
  });

  test("of a name with characters that mean something in a pattern", () => {
    const names = ["(b+)[1].0001.ndjson", "bb1.0001.ndjson", "(b+)[1]x0001xndjson"];
    expect(numbered("(b+)[1].ndjson", names)).toEqual([[1, "(b+)[1].0001.ndjson"]]);
  });

  test.each([
    ["/r/a.ndjson", []],
    ["/r/0001.ndjson", []],
    ["/r/a.0001.ndjson", [[1, "/r/a.ndjson"]]],
    [
      "/r/run.4711.0002.ndjson.zst",
      [
        [2, "/r/run.4711.ndjson.zst"],
        [4711, "/r/run.0002.ndjson.zst"],
      ],
    ],
    ["/r/dgx.0003.local.gz", [[3, "/r/dgx.local.gz"]]],
  ] as [string, [number, string][]][])("whose %s may be", (path, owners) => {
    expect(ownersOf(path).map((owner) => [owner.number, owner.path])).toEqual(owners);
  });

  test("get the first number under which nothing stands, whatever it is", () => {
    const names = ["a.0001.ndjson", "a.0002.ndjson.zst", "a.0003.ndjson", "b.0002.ndjson"];
    expect([1, 2, 3].map((from) => freeNumber("/r/a.ndjson", from, names))).toEqual([2, 2, 4]);
  });
});
