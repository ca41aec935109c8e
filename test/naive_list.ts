import zlib from "node:zlib";
import { decodeLine } from "../src/frame/decode.ts";
import type { Frame } from "../src/frame/frame.ts";
import { eachPoint } from "../src/frame/points.ts";
import type { WrittenSegment } from "./odd_recordings.ts";

/** What a recording holds, found in the plainest way: all text decoded, all lines read, each frame placed by the rule. */

export interface NaiveFrame {
  readonly frame: Frame;
  readonly place_ms: number;
  /** Its `seq`; of one that has none, its number among all frames. */
  readonly seq: number;
}

const C = zlib.constants;

/** The text of a unit of which the end is missing. */
function partOf(codec: string, bytes: Buffer): Buffer {
  try {
    if (codec === "zstd") return zlib.zstdDecompressSync(bytes, { finishFlush: C.ZSTD_e_flush });
    return codec === "gzip" ? zlib.gunzipSync(bytes, { finishFlush: C.Z_SYNC_FLUSH }) : bytes;
  } catch {
    return Buffer.alloc(0);
  }
}

/** All lines of a file; what no newline ends is one where it can be read. */
export function linesOf({ bytes, units, codec }: WrittenSegment): string[] {
  const text = units.map(({ at, end, text }) => {
    if (end <= bytes.length) return text;
    return at < bytes.length ? partOf(codec.name, bytes.subarray(at)) : Buffer.alloc(0);
  });
  const lines = Buffer.concat(text).toString().split("\n");
  return decodeLine(lines.at(-1) ?? "").kind === "frame" ? lines : lines.slice(0, -1);
}

/** By `elapsed_ms`, where this frame and the one before have one that did not go backwards; else by a forward step of `t`. */
function step_ms(before: Frame, frame: Frame): number {
  const hasElapsed = before.elapsed_ms !== null && frame.elapsed_ms !== null;
  if (hasElapsed && (frame.elapsed_ms ?? 0) >= (before.elapsed_ms ?? 0)) {
    return (frame.elapsed_ms ?? 0) - (before.elapsed_ms ?? 0);
  }
  return Math.max(0, frame.t_ms - before.t_ms);
}

export function placed(frames: readonly Frame[]): NaiveFrame[] {
  let place_ms = 0;
  return frames.map((frame, n) => {
    const before = frames[n - 1];
    if (before !== undefined) place_ms += step_ms(before, frame);
    return { frame, place_ms, seq: frame.seq ?? n };
  });
}

/** The frames of a recording's files, oldest first. */
export function naiveFrames(segments: readonly WrittenSegment[]): NaiveFrame[] {
  const frames: Frame[] = [];
  // All are of one recording: a frame whose `seq` does not grow is a copy.
  let highest = -1;
  for (const text of segments.flatMap(linesOf)) {
    const line = decodeLine(text);
    if (line.kind !== "frame" || (line.frame.seq ?? highest + 1) <= highest) continue;
    frames.push(line.frame);
    highest = line.frame.seq ?? highest;
  }
  return placed(frames);
}

/** The values of a series up to a frame, the oldest first; NaN where there is none. */
export function naiveSeries(frames: readonly NaiveFrame[], at: number, length: number, key: string): number[] {
  return Array.from({ length }, (_, n) => {
    let found = Number.NaN;
    const one = frames[at - length + 1 + n];
    if (one !== undefined) {
      eachPoint(one.frame, (name, value) => {
        if (name === key) found = Math.fround(value);
      });
    }
    return found;
  });
}
