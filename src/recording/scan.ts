import { decodeBytes } from "../frame/decode.ts";
import { type FileBytes, lengthWithoutZeros } from "./bytes.ts";
import type { Codec } from "./codec.ts";
import { MAX_LINE_BYTES } from "./limits.ts";
import { textPieces } from "./pieces.ts";

/** One line without its newline, or why there is none. */
export type ScannedLine = { readonly line: Uint8Array } | { readonly skipped: string };

const NEWLINE = 10;

/**
 * All lines of a file in the order in which they stand, in bounded memory, whatever state it is in: what is cut off
 * gives its whole lines, what is damaged is said, and reading goes on behind it.
 */
export async function* scanLines(file: FileBytes, codec: Codec, from = 0): AsyncGenerator<ScannedLine> {
  const splitter = new LineSplitter();
  for await (const piece of textPieces(file, codec, from)) {
    if ("damage" in piece) {
      splitter.reset();
      yield { skipped: `damaged at byte ${piece.unit_at}: ${piece.damage}` };
    } else {
      yield* splitter.split(piece.text);
    }
  }
  const rest = splitter.rest();
  if (rest === null) return;
  yield rest.length > 0 && decodeBytes(rest, 0, rest.length).kind === "frame"
    ? { line: rest }
    : { skipped: "the last bytes are no whole line" };
}

class LineSplitter {
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #tooLong = false;

  *split(text: Uint8Array): Generator<ScannedLine> {
    let start = 0;
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
      const line = this.#finish(text.subarray(start, end));
      start = end + 1;
      if (line !== null) yield line;
    }
    this.#hold(text.subarray(start));
  }

  reset(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#tooLong = false;
  }

  /** What is left over that no newline ended, without zero bytes at its end; `null` where there is nothing. */
  rest(): Buffer | null {
    if (this.#heldBytes === 0) return null;
    const rest = Buffer.concat(this.#held);
    return rest.subarray(0, lengthWithoutZeros(rest));
  }

  #hold(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#heldBytes += part.length;
    this.#tooLong ||= this.#heldBytes > MAX_LINE_BYTES;
    if (this.#tooLong) this.#held = [];
    // A copy: the decoder's buffer may be large, and held for one short line.
    else this.#held.push(Buffer.from(part));
  }

  #finish(part: Uint8Array): ScannedLine | null {
    if (this.#heldBytes > 0) this.#hold(part);
    const line = this.#heldBytes > 0 ? Buffer.concat(this.#held) : part;
    const isTooLong = this.#tooLong || line.length > MAX_LINE_BYTES;
    this.reset();
    if (isTooLong) return { skipped: `a line is longer than ${MAX_LINE_BYTES} bytes` };
    return line.length === 0 ? null : { line };
  }
}
