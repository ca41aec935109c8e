import { decodeBytes } from "../frame/decode.ts";
import { lengthWithoutZeros } from "./bytes.ts";
import type { ClosedUnit } from "./codec.ts";

const NEWLINE = 10;
const NOTHING = new Uint8Array(0);

/**
 * What to keep of plain text that a recording ends with: all up to the last line that is one of a recording. `null`
 * where there is none.
 */
export const closePlain = (bytes: Buffer): ClosedUnit | null => lastWholeWithout(bytes) ?? upToLastLine(bytes);

/** Where the last line is whole but for its newline, that is added; zero bytes may stand behind it. */
function lastWholeWithout(bytes: Buffer): ClosedUnit | null {
  const end = lengthWithoutZeros(bytes);
  const start = bytes.lastIndexOf(NEWLINE, end - 1) + 1;
  if (start >= end || decodeBytes(bytes, start, end).kind !== "frame") return null;
  const closing = Buffer.from([NEWLINE]);
  return { keepBytes: end, isAll: true, closing, text: Buffer.concat([bytes.subarray(0, end), closing]) };
}

/** Up to the last line that is one of a recording. */
function upToLastLine(bytes: Buffer): ClosedUnit | null {
  let end = bytes.lastIndexOf(NEWLINE) + 1;
  while (end > 0) {
    const start = end < 2 ? 0 : bytes.lastIndexOf(NEWLINE, end - 2) + 1;
    if (decodeBytes(bytes, start, end - 1).kind !== "bad") break;
    end = start;
  }
  return end === 0 ? null : { keepBytes: end, isAll: true, closing: NOTHING, text: bytes.subarray(0, end) };
}
