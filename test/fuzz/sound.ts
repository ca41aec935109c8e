import { cleanReading } from "../../src/frame/clean_reading.ts";
import { decodeLine } from "../../src/frame/decode.ts";
import { frameLine } from "../../src/frame/encode.ts";
import { fitLine } from "../../src/frame/fit.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { MAX_LINE_BYTES } from "../../src/recording/limits.ts";
import type { Reading } from "../../src/sources/source.ts";

/** Anything that a terminal would take for more than a character to show. */
export const DANGEROUS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

/** No text of a frame is longer. */
const LONGEST_TEXT = 8192;

/** What a source says, as a frame made of it; throws where the frame is not fit for a recording. */
export function checkReading(reading: Reading): Frame {
  const { errors = [], ...sections } = reading;
  const frame: Frame = {
    t_ms: 1_786_194_000_000,
    seq: 0,
    elapsed_ms: 0,
    source: "local",
    hostname: "h",
    errors: [...errors],
    ...sections,
  };
  // As the sampler and the recorder do it.
  cleanReading(frame);
  const text = fitLine(frame, MAX_LINE_BYTES, frameLine);
  const line = decodeLine(text);
  if (line.kind !== "frame") throw new Error(`the frame is not read back: ${JSON.stringify(line)}`);
  const isCut = line.frame.errors.length > frame.errors.length;
  const other = isCut ? null : difference(frame, line.frame, "");
  if (other !== null) throw new Error(`the frame is read back as another: ${other}`);
  for (const [path, value] of textsIn(JSON.parse(text))) {
    if (DANGEROUS.test(value)) throw new Error(`${path} holds ${JSON.stringify(value).slice(0, 200)}`);
    if (value.length > LONGEST_TEXT) throw new Error(`${path} has ${value.length} characters`);
  }
  return frame;
}

/** Every text in a value, keys included, by its place. */
function* textsIn(value: unknown, path = ""): Generator<readonly [path: string, text: string]> {
  if (typeof value === "string") yield [path, value];
  if (value === null || typeof value !== "object") return;
  for (const [key, one] of Object.entries(value)) {
    yield [`${path}.${key} (key)`, key];
    yield* textsIn(one, `${path}.${key}`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** A file rounds to what its schema says, to whole numbers at most; what no such thing can be is unknown in it. */
const isRounded = (a: unknown, b: unknown): boolean =>
  typeof a === "number" && Number.isFinite(a) && (b === null || (typeof b === "number" && Math.abs(a - b) <= 0.5));

/** The first place at which two values differ; `null`: they do not. A key without a value is no key. */
function difference(a: unknown, b: unknown, path: string): string | null {
  if (!isObject(a) || !isObject(b)) {
    return a === b || isRounded(a, b)
      ? null
      : `${path}: ${JSON.stringify(a)?.slice(0, 100)} and ${JSON.stringify(b)?.slice(0, 100)}`;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[key], b[key], `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}
