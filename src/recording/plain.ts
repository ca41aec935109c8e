import type { ClosedUnit, Codec, DecodedUnit, UnitEncoder } from "./codec.ts";

const NEWLINE = 10;
const NOTHING = new Uint8Array(0);

const encoder: UnitEncoder = {
  flush: async (text) => text.slice(),
  end: async () => NOTHING,
  close: () => {},
};

const wholeLines = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);

/** Plain text: a unit is a stretch of whole lines, and nothing marks its end. */
export const plain: Codec = {
  name: "none",
  extension: ".ndjson",
  magic: NOTHING,
  start: NOTHING,
  encoder: () => encoder,
  encodeUnit: (text) => text,
  decodeUnit(bytes): DecodedUnit {
    const text = wholeLines(bytes);
    return { text, length: text.length === bytes.length ? bytes.length : null, damage: null };
  },
  cutText: wholeLines,
  closeUnit(bytes): ClosedUnit | null {
    const text = wholeLines(bytes);
    return text.length === 0 ? null : { keepBytes: text.length, isAll: true, closing: NOTHING, text };
  },
};
