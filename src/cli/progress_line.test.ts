import { describe, expect, test } from "bun:test";
import { type Progress, progressLine, summaryLine } from "./progress_line.ts";

const PROGRESS: Progress = {
  elapsed_ms: 12_000,
  duration_ms: 0,
  hosts: "",
  frames: 1200,
  writtenBytes: 290_000,
  missing: 0,
  errors: 0,
  lastError: "",
  cpuPercent: 2.6,
};
const FAILING: Progress = { ...PROGRESS, errors: 1, lastError: "gpus: the driver's library does not answer" };

describe("the line that updates", () => {
  test("figures, and the last error in what is left", () => {
    expect(progressLine(PROGRESS, 119)).toBe("recording  00:00:12  1200 frames  283 KB  CPU 2.6 %  242 B a frame");
    expect(progressLine({ ...FAILING, missing: 3 }, 79)).toBe(
      "recording  00:00:12  1200 frames  283 KB  3 missing  1 error  CPU 2.6 %",
    );
    expect(progressLine(FAILING, 119)).toEndWith(
      "  1 error  CPU 2.6 %  242 B a frame  (gpus: the driver's library does not answe",
    );
  });

  test("80 columns have room for errors and CPU, be there hosts or a duration", () => {
    for (const more of [{ hosts: "1 of 2 hosts up" }, { duration_ms: 3_600_000 }]) {
      expect(progressLine({ ...FAILING, ...more }, 79)).toMatch(/1200 frames {2}283 KB {2}1 error {2}.*CPU 2\.6 %/);
    }
  });

  test("what has no room is left out whole, CPU before errors", () => {
    const both = { ...FAILING, hosts: "99 of 100 hosts up", duration_ms: 3_600_000 };
    expect(progressLine(both, 82)).toBe(
      "recording  00:00:12 / 01:00:00  1200 frames  283 KB  1 error  99 of 100 hosts up",
    );
    expect(progressLine(both, 79)).toEndWith("  1 error");
    expect(progressLine(FAILING, 29)).toBe("recording  00:00:12");
    expect(progressLine(FAILING, 5)).toBe("");
  });
});

test("the closing line has all figures, and no words of errors", () => {
  expect(summaryLine({ ...FAILING, missing: 2 }, "t.ndjson.zst")).toBe(
    "recorded 00:00:12 to t.ndjson.zst: 1200 frames, 283 KB, 242 B a frame, CPU 2.6 %, 2 missing, 1 error",
  );
});
