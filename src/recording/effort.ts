import type { CodecName } from "./codec.ts";
import type { SegmentReader } from "./segment_reader.ts";

/** How much it takes to read all of a recording. `little`: hardly longer than to open it; `some`: seconds. */
export type Effort = "little" | "some" | "much";

const LITTLE_TEXT_BYTES = 8 << 20;
const SOME_TEXT_BYTES = 512 << 20;
/** About so many times the bytes of a file its text has. */
const textFactor = (codec: CodecName): number => (codec === "none" ? 1 : 40);

export function effortOf(segments: readonly SegmentReader[]): Effort {
  const textBytes = segments.reduce((sum, { codec, file }) => sum + file.size * textFactor(codec.name), 0);
  if (textBytes <= LITTLE_TEXT_BYTES) return "little";
  return textBytes <= SOME_TEXT_BYTES ? "some" : "much";
}
