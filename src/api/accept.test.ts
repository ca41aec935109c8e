import { describe, expect, test } from "bun:test";
import { chooseEncoding, prefersOpenMetrics } from "./accept.ts";

describe("the encoding", () => {
  test.each([
    [undefined, "identity"],
    ["", "identity"],
    ["identity", "identity"],
    ["br", "identity"],
    ["gzip", "gzip"],
    ["zstd", "zstd"],
    ["GZIP", "gzip"],
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip;q=1.0, zstd;q=0.5", "gzip"],
    ["zstd;q=0, gzip", "gzip"],
    ["zstd;q=0, gzip;q=0", "identity"],
    ["*", "zstd"],
    ["*;q=0", "identity"],
    ["zstd;q=0, *", "gzip"],
    ["identity;q=1, gzip;q=0.5", "identity"],
    ["identity, gzip", "gzip"],
    ["gzip;q=nonsense", "identity"],
    ["gzip;q=7", "identity"],
    [";;;,,,=q", "identity"],
  ] as const)("of %p is %s", (header, encoding) => {
    expect(chooseEncoding(header)).toBe(encoding);
  });
});

describe("OpenMetrics", () => {
  test.each([
    [undefined, false],
    ["*/*", false],
    ["text/plain", false],
    ["application/openmetrics-text", true],
    ["application/openmetrics-text; version=1.0.0; charset=utf-8", true],
    ["application/openmetrics-text;version=2.0.0", false],
    ["application/openmetrics-text;q=0", false],
    // As Prometheus asks, of before and after its third version.
    [
      "application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      true,
    ],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      true,
    ],
    ["text/plain;version=0.0.4;q=0.8,application/openmetrics-text;version=1.0.0;q=0.5", false],
  ])("for %p: %p", (header, wanted) => {
    expect(prefersOpenMetrics(header)).toBe(wanted);
  });
});
