import { decodeLine } from "../frame/decode.ts";
import type { Frame } from "../frame/frame.ts";
import { freeText } from "./block_text.ts";
import { MAX_LINE_BYTES } from "./limits.ts";
import { type LineFacts, readFacts } from "./line_facts.ts";
import { decodeHeader } from "./lines.ts";
import { type PlaceState, placeAfter } from "./place.ts";

const NEWLINE = 10;

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
  #state: PlaceState | null;
  #read = 0;

  /** `before` is the state behind the block before it. */
  constructor(text: Buffer, before: PlaceState | null) {
    this.#text = text;
    this.#state = before;
    this.#readLines();
  }

  #readLines(): void {
    const text = this.#text;
    const facts: LineFacts = { t_ms: 0, seq: null, elapsed_ms: null };
    for (let end = text.indexOf(NEWLINE, this.#read); end >= 0; end = text.indexOf(NEWLINE, this.#read)) {
      const start = this.#read;
      this.#read = end + 1;
      if (end - start > MAX_LINE_BYTES) continue;
      const kind = readFacts(text, start, end, facts);
      if (kind === "header") this.stretches.set(this.frames, intervalOf(text.toString("utf8", start, end)));
      this.isRefused ||= kind === "refused";
      if (kind !== "frame") continue;
      this.#state = placeAfter(this.#state, facts);
      this.#starts.push(start);
      this.#ends.push(end);
      this.#places.push(this.#state.place_ms);
      this.#times.push(facts.t_ms);
      this.#seqs.push(facts.seq);
    }
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
    return this.#state;
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

  /** The frame, read in full. One whose line turns out to be unreadable stands there empty, and says so. */
  frame(n: number): Frame {
    const line = decodeLine(this.#text.toString("utf8", this.#starts[n], this.#ends[n]));
    // Where a key stands twice in a line, what the timeline goes by counts.
    if (line.kind === "frame") return { ...line.frame, t_ms: this.t_ms(n), seq: this.seq(n) };
    const reason = line.kind === "bad" ? line.reason : line.kind;
    return {
      t_ms: this.t_ms(n),
      seq: this.seq(n),
      elapsed_ms: null,
      source: null,
      hostname: "",
      errors: [`recording: this frame cannot be read: ${reason}`],
    };
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

function intervalOf(header: string): number | null {
  const line = decodeLine(header);
  return line.kind === "header" ? decodeHeader(line.value).interval_ms : null;
}
