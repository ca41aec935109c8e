import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import type { CodecName } from "./codec.ts";
import { listSegments, resolveOutput, segmentPath } from "./name.ts";

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

describe("segments", () => {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-name-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const listed = (name: string): [number, string][] =>
    listSegments(join(folder, name)).map(({ number, path }) => [number, path.slice(folder.length + 1)]);

  test.each([
    ["a.ndjson.zst", 1, "a.0001.ndjson.zst"],
    ["dgx-01.local.ndjson.zst", 12, "dgx-01.local.0012.ndjson.zst"],
    ["a.ndjson", 9999, "a.9999.ndjson"],
    ["a.gz", 10_000, "a.10000.gz"],
  ])("of %s, number %d is %s", (name, number, expected) => {
    expect(segmentPath(join("/r", name), number)).toBe(join("/r", expected));
  });

  test("are found by number, however many digits it has, and nothing else is", () => {
    const ours = ["a.0002.ndjson.zst", "a.0001.ndjson.zst", "a.10000.ndjson.zst", "a.9999.ndjson.zst"];
    const others = ["a.ndjson.zst", "a.001.ndjson.zst", "a.0003.ndjson.gz", "ab.0004.ndjson.zst", "a.0005.ndjson.zst~"];
    for (const name of [...ours, ...others, "a.00x6.ndjson.zst"]) writeFileSync(join(folder, name), "");
    mkdirSync(join(folder, "a.0007.ndjson.zst"));
    symlinkSync("a.0001.ndjson.zst", join(folder, "a.0008.ndjson.zst"));
    expect(listed("a.ndjson.zst")).toEqual([
      [1, "a.0001.ndjson.zst"],
      [2, "a.0002.ndjson.zst"],
      [9999, "a.9999.ndjson.zst"],
      [10_000, "a.10000.ndjson.zst"],
    ]);
  });

  test("the Rust tool's are found, too: it puts the number before the first dot", () => {
    for (const name of ["dgx.0001.local.ndjson", "dgx.local.0002.ndjson"]) writeFileSync(join(folder, name), "");
    expect(listed("dgx.local.ndjson")).toEqual([
      [1, "dgx.0001.local.ndjson"],
      [2, "dgx.local.0002.ndjson"],
    ]);
  });

  test("of a name with characters that mean something in a pattern", () => {
    for (const name of ["(b+)[1].0001.ndjson", "bb1.0001.ndjson", "(b+)[1]x0001xndjson"])
      writeFileSync(join(folder, name), "");
    expect(listed("(b+)[1].ndjson")).toEqual([[1, "(b+)[1].0001.ndjson"]]);
  });

  test("of a name whose folder is the current one", () => {
    expect(listSegments("no-such-recording.ndjson")).toEqual([]);
  });
});
