import { gzip } from "./gzip.ts";
import { plain } from "./plain.ts";
import { zstd } from "./zstd.ts";

/**
 * A recording is a row of units that decode on their own: blocks of data frames, and index lines. How a unit is begun,
 * flushed, ended and decoded is all that differs between the three codecs.
 */
export interface Codec {
  readonly name: CodecName;
  /** How the names of its files end. */
  readonly extension: string;
  /** The bytes that every unit begins with; none for plain text. */
  readonly magic: Uint8Array;
  /** What the units of our own encoder begin with. */
  readonly start: Uint8Array;
  /** Encodes unit after unit, one at a time. */
  encoder(): UnitEncoder;
  /** A whole small unit at once: an index line. */
  encodeUnit(text: Uint8Array): Uint8Array;
  /** Decodes the unit that begins where `bytes` does, as far as it goes. Never throws. */
  decodeUnit(bytes: Uint8Array, maxTextBytes: number): DecodedUnit;
  /** What is sure of the text of a unit that has no end in `bytes`, or is damaged. Never throws. */
  cutText(bytes: Uint8Array): Uint8Array;
  /**
   * The length of the text of a unit that is `bytes` and nothing else, decoded into `memory`; `null` where it does not
   * fit into it, or is damaged.
   */
  decodeInto?(bytes: Uint8Array, memory: Uint8Array): number | null;
  /**
   * How a unit that was never ended can be: which of its bytes to keep (up to the last whole line that was flushed),
   * and which bytes end it there. `null` where not even one line is whole.
   */
  closeUnit(bytes: Uint8Array): ClosedUnit | null;
}

export type CodecName = "zstd" | "gzip" | "none";

export interface UnitEncoder {
  /** Adds text to the unit (begins one if none is open) and gives bytes from which all of it can be decoded. They are the caller's. */
  flush(text: Uint8Array): Promise<Uint8Array>;
  /** The bytes that end the unit. */
  end(): Promise<Uint8Array>;
  /** Gives back native memory. */
  close(): void;
}

export interface DecodedUnit {
  readonly text: Uint8Array;
  /** Encoded bytes of the unit; `null` where its end is not in `bytes`, or it is damaged. */
  readonly length: number | null;
  /** Why it could not be decoded to the end of `bytes`. */
  readonly damage: string | null;
}

export interface ClosedUnit {
  readonly keepBytes: number;
  /** Whether what is not kept holds nothing that was flushed: a line that was cut off, or what is no part of the unit. */
  readonly isAll: boolean;
  readonly closing: Uint8Array;
  readonly text: Uint8Array;
}

export const codecs: Readonly<Record<CodecName, Codec>> = { zstd, gzip, none: plain };

const startsWith = (bytes: Uint8Array, magic: Uint8Array): boolean =>
  bytes.length >= magic.length && magic.every((byte, n) => bytes[n] === byte);

/** A zstd file may begin with a skippable frame: 50..5f 2a 4d 18. */
const isSkippable = (bytes: Uint8Array): boolean =>
  ((bytes[0] ?? 0) & 0xf0) === 0x50 && bytes[1] === 0x2a && bytes[2] === 0x4d && bytes[3] === 0x18;

/** The codec of a file, by its first bytes and not its name. */
export function codecOf(firstBytes: Uint8Array): Codec {
  if (startsWith(firstBytes, zstd.magic) || isSkippable(firstBytes)) return zstd;
  if (startsWith(firstBytes, gzip.magic)) return gzip;
  return plain;
}
