import { decodeBytes } from "../frame/decode.ts";
import type { Frame } from "../frame/frame.ts";
import { type Block, BlockMismatch } from "./block.ts";
import { freeText } from "./block_text.ts";
import { MAX_LINE_BYTES } from "./limits.ts";
import { LineJudge } from "./line_judge.ts";
import { decodeHeader } from "./lines.ts";
import type { PlaceState } from "./place.ts";

const NEWLINE = 10;

/** The frame of that number of a block, read in full. Throws BlockMismatch where its line turns out to be none. */
export function frameOf(block: Block, decoded: DecodedBlock, n: number): Frame {
  const frame = decoded.frame(n);
  if (frame === null) throw new BlockMismatch(block);
  return frame;
}

/** Where the frames of a decoded stretch of text are, and when. */
export class DecodedBlock {
  #text: Buffer;
  /** Of the frames' lines, in `text`. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #places: number[] = [];
  readonly #times: number[] = [];
  readonly #seqs: (number | null)[] = [];
  /** The frames before which a header stands, and the interval that it tells of. */
  readonly stretches = new Map<number, number | null>();
  /** Whether there is a line of another schema in it, behind which nothing is to be read. */
  isRefused = false;
  /** How many lines are no frames, or copies. */
  skipped = 0;
  readonly #judge: LineJudge;

  /** Of the block only what stands before its text is needed. */
  constructor(text: Buffer, { before, recording, trust }: Pick<Block, "before" | "recording" | "trust">) {
    this.#text = text;
    this.#judge = new LineJudge(before, recording, trust);
    this.#readLines();
  }

  #readLines(): void {
    const text = this.#text;
    let start = 0;
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
      if (end > start && end - start <= MAX_LINE_BYTES) this.#readLine(start, end);
      start = end + 1;
    }
    // A last line that no newline ends.
    if (start === text.length) return;
    if (this.#judge.judgeRest(text, start, text.length) === "frame") this.#addFrame(start, text.length);
    else this.skipped++;
  }

  #readLine(start: number, end: number): void {
    const judge = this.#judge;
    const verdict = judge.judge(this.#text, start, end);
    if (verdict === "frame") this.#addFrame(start, end);
    else if (judge.line?.kind === "header" && verdict === "header") {
      this.stretches.set(this.frames, decodeHeader(judge.line.value).interval_ms);
    }
    this.isRefused ||= verdict === "refused";
    if (verdict === "bad" || verdict === "copy") this.skipped++;
  }

  #addFrame(start: number, end: number): void {
    const { facts, state } = this.#judge;
    this.#starts.push(start);
    this.#ends.push(end);
    this.#places.push(state?.place_ms ?? 0);
    this.#times.push(facts.t_ms);
    this.#seqs.push(facts.seq);
  }

  get textBytes(): number {
    return this.#text.length;
  }

  /** Gives back the memory of the text; no frame can be read after that. */
  free(): void {
    const text = this.#text;
    this.#text = Buffer.alloc(0);
    freeText(text);
  }

  get frames(): number {
    return this.#starts.length;
  }

  /** Behind the last frame. */
  get state(): PlaceState | null {
    return this.#judge.state;
  }

  place_ms(n: number): number {
    return this.#places[n] ?? 0;
  }

  t_ms(n: number): number {
    return this.#times[n] ?? 0;
  }

  seq(n: number): number | null {
    return this.#seqs[n] ?? null;
  }

  /** Whether the lowest and highest wall-clock time are these. */
  hasTimes(lowest_t_ms: number, highest_t_ms: number): boolean {
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (const t_ms of this.#times) {
      if (t_ms < lowest) lowest = t_ms;
      if (t_ms > highest) highest = t_ms;
    }
    return lowest === lowest_t_ms && highest === highest_t_ms;
  }

  /** The frame, read in full; `null` where its line only has the shape of one. */
  frame(n: number): Frame | null {
    const line = decodeBytes(this.#text, this.#starts[n] ?? 0, this.#ends[n] ?? 0);
    // Where a key stands twice in a line, what the timeline goes by counts.
    return line.kind === "frame" ? { ...line.frame, t_ms: this.t_ms(n), seq: this.seq(n) } : null;
  }

  /** The last frame at or before a place, -1 where all are behind it. */
  lastAtOrBefore(place_ms: number): number {
    let low = 0;
    let high = this.frames;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#places[middle] ?? 0) <= place_ms) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The first frame at or after a wall-clock time; -1 where there is none. */
  firstAtWall(t_ms: number): number {
    return this.#times.findIndex((time) => time >= t_ms);
  }

  /** The first frame with that `seq` or a later one; one that has none counts as its ordinal. -1 where there is none. */
  firstWithSeq(seq: number, first_ordinal: number): number {
    return this.#seqs.findIndex((one, n) => (one ?? first_ordinal + n) >= seq);
  }
}
