import { codecs } from "../../src/recording/codec.ts";
import { codecOfName } from "./in_process.ts";

const NEWLINE = Buffer.from("\n");
const INDEX_START = '{"schema":1,"index":true,';

/** The lines of a unit, as bytes: they may be no text. */
export type Unit = readonly Buffer[];

/** An index line that tells of the unit before it, and where it stands itself. */
function placed(line: Buffer, byte_offset: number, at: number, previous: number | null): Buffer {
  const { previous: _, ...rest } = JSON.parse(line.toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...rest, byte_offset, at, ...(previous === null ? {} : { previous }) }));
}

/** A file of these units. Index lines, each in a unit of its own, are told where they stand, so that they are believed. */
export function encodedUnits(extension: string, units: readonly Unit[]): Buffer {
  const codec = codecs[codecOfName(extension).name];
  const parts: Uint8Array[] = [];
  let [size, unit_at] = [0, 0];
  let previous: number | null = null;
  for (const unit of units) {
    const [first = Buffer.alloc(0)] = unit;
    const isIndex = first.subarray(0, INDEX_START.length).equals(Buffer.from(INDEX_START));
    const lines = isIndex ? [placed(first, unit_at, size, previous)] : unit;
    const bytes = codec.encodeUnit(Buffer.concat(lines.flatMap((line) => [line, NEWLINE])));
    if (isIndex) previous = size;
    else unit_at = size;
    parts.push(bytes);
    size += bytes.length;
  }
  return Buffer.concat(parts);
}
