import { decodeBytes, type Line, type Untrusted } from "../frame/decode.ts";
import { type LineFacts, type LineKind, readFacts } from "./line_facts.ts";
import { decodeHeader } from "./lines.ts";
import { belowHeader, isCopy, type PlaceState, placeAfter } from "./place.ts";

/** What a line is; `copy`: a frame that is there already. */
export type Verdict = LineKind | "copy";

/** How far lines are looked at. */
export type Trust =
  /** As with `"shape"`; and there is nothing but frames, and perhaps a header: so it was written. */
  | "index"
  /** A line that begins as a frame's does is one: enough where nothing is damaged. */
  | "shape"
  /** All of every line is read. */
  | "nothing";

/** The lines of a text that count: frames that are no copies, headers, index lines, and those of another schema. */
export function* judgedLines(text: Uint8Array, judge: LineJudge): Generator<Line> {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.length);
  for (let start = 0, end = bytes.indexOf(NEWLINE); end >= 0; start = end + 1, end = bytes.indexOf(NEWLINE, start)) {
    const verdict = judge.judge(bytes, start, end);
    if (verdict !== "bad" && verdict !== "copy" && judge.line !== null) yield judge.line;
  }
}

const NEWLINE = 10;

/**
 * Tells line by line what is a frame of a recording, and where on the timeline. Whoever reads the same lines from the
 * same state on, with the same trust, is told the same: a scan, and later the block that it found.
 */
export class LineJudge {
  /** Of the last frame. */
  readonly facts: LineFacts = { t_ms: 0, seq: null, elapsed_ms: null };
  readonly #trust: Trust;
  #state: PlaceState | null;
  #recording: string | null;
  /** The last line that is no frame, or where nothing is trusted the last line, as it was read. */
  line: Line | null = null;

  /** `recording`: of the header above the first line. */
  constructor(state: PlaceState | null, recording: string | null, trust: Trust) {
    this.#state = state;
    this.#recording = recording;
    this.#trust = trust;
  }

  /** Behind the last frame. */
  get state(): PlaceState | null {
    return this.#state;
  }

  /** Of the last header. */
  get recording(): string | null {
    return this.#recording;
  }

  /** Judges the line from `start` to `end`, without its newline. */
  judge(text: Buffer, start: number, end: number): Verdict {
    const kind = readFacts(text, start, end, this.facts);
    if (kind === "bad") return kind;
    if (kind === "frame" && this.#trust !== "nothing") return this.#frame();
    this.line = decodeBytes(text, start, end);
    if (this.line.kind === "frame") return this.#frame();
    if (this.line.kind === "header") this.#header(this.line.value);
    return this.line.kind;
  }

  /**
   * Judges what stands behind the last newline. It may be cut off, so that its shape tells nothing; what no newline
   * ended is a whole line where all of it can be read.
   */
  judgeRest(text: Buffer, start: number, end: number): Verdict {
    const kind = readFacts(text, start, end, this.facts);
    if (kind !== "frame" || decodeBytes(text, start, end).kind !== "frame") return "bad";
    return this.#frame();
  }

  #frame(): Verdict {
    if (isCopy(this.#state, this.facts)) return "copy";
    this.#state = placeAfter(this.#state, this.facts, this.#recording);
    return "frame";
  }

  #header(value: Untrusted): void {
    this.#recording = decodeHeader(value).recording;
    this.#state = belowHeader(this.#state, this.#recording);
  }
}
