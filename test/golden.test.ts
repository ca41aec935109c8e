import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { prometheusText } from "../src/api/prometheus.ts";
import { csvFormat, jsonFormat, type SnapshotFormat } from "../src/cli/snapshot_format.ts";
import { DEFAULT_COLUMNS } from "../src/frame/csv.ts";
import { decodeLine } from "../src/frame/decode.ts";
import type { Frame } from "../src/frame/frame.ts";
import { linuxFrame, nvidiaFrame, unknownFrame } from "./frames.ts";

/**
 * Whole outputs against files in test/golden/. After a change that is meant to show there:
 * `UPDATE_GOLDEN=1 npx bun test test/golden.test.ts`, then read the diff.
 */

const build = { version: "0.0.0", os: "linux", arch: "x86_64" };
const frames: Record<string, Frame> = { nvidia: nvidiaFrame, linux: linuxFrame, unknown: unknownFrame };

const formats: Record<string, (frame: Frame) => string> = {
  json: (frame) => whole(jsonFormat(1, true), frame),
  csv: (frame) => whole(csvFormat(1, DEFAULT_COLUMNS), frame),
  prometheus: (frame) => prometheusText(frame, build),
};

const whole = (format: SnapshotFormat, frame: Frame): string => format.begin + format.frame(frame, 0) + format.end;

for (const [name, frame] of Object.entries(frames)) {
  for (const [format, write] of Object.entries(formats)) {
    test(`${name}.${format}`, () => {
      const path = `${import.meta.dir}/golden/${name}.${format}`;
      const text = write(frame);
      if (process.env.UPDATE_GOLDEN) writeFileSync(path, text);
      expect(text).toBe(readFileSync(path, "utf8"));
    });
  }
  test(`${name}.json is read back as the frame it came from`, () => {
    const line = readFileSync(`${import.meta.dir}/golden/${name}.json`, "utf8");
    expect(decodeLine(line)).toEqual({ kind: "frame", frame });
  });
}
