import type { Line } from "../frame/decode.ts";
import { type FileBytes, lengthWithoutZeros } from "./bytes.ts";
import type { Codec } from "./codec.ts";
import { endsBlock, MAX_LINE_BYTES } from "./limits.ts";
import { LineJudge, type Trust } from "./line_judge.ts";
import { textPieces } from "./pieces.ts";
import type { PlaceState } from "./place.ts";
import type { BlockLimits, ScanListener, ScanStart, TextRange } from "./scan_listener.ts";

/** How long a scan may keep the event loop. */
const SLICE_MS = 8;

/**
 * Finds the frames of a file from a unit on, without reading more of them than when they were, or where nothing is
 * trusted all. Yields the byte that it has come to, every now and then, after the event loop had its turn.
 */
export async function* scanBlocks(
  file: FileBytes,
  codec: Codec,
  from: number,
  before: ScanStart,
  limits: BlockLimits,
  listener: ScanListener,
  trust: Trust,
): AsyncGenerator<number> {
  const scanner = new BlockScanner(from, before, limits, listener, trust);
  let sliceEnd = performance.now() + SLICE_MS;
  for await (const piece of textPieces(file, codec, from)) {
    if ("damage" in piece) scanner.damaged(piece.damage, piece.unit_at);
    else scanner.feed(piece.text, piece.unit_at);
    if (scanner.isRefused) break;
    if (performance.now() < sliceEnd) continue;
    await new Promise((resolve) => setImmediate(resolve));
    yield piece.unit_at + scanner.unitTextBytes;
    sliceEnd = performance.now() + SLICE_MS;
  }
  scanner.end();
}

const NEWLINE = 10;

class BlockScanner {
  readonly #limits: BlockLimits;
  readonly #listener: ScanListener;
  readonly #judge: LineJudge;
  #ordinal: number;
  #open: OpenBlock | null = null;
  /** The unit that the line under way began in, and how much of the text from there on has gone by. */
  #unit_at: number;
  #passed = 0;
  #lastUnit_at: number | null = null;
  /** Where a header stands that the next block begins with. */
  #header_at: number | null = null;
  #carry: Buffer[] = [];
  #carryBytes = 0;
  isRefused = false;

  constructor(from: number, { state, ordinal }: ScanStart, limits: BlockLimits, listener: ScanListener, trust: Trust) {
    this.#unit_at = from;
    this.#judge = new LineJudge(state, state?.recording ?? null, trust);
    this.#ordinal = ordinal;
    this.#limits = limits;
    this.#listener = listener;
  }

  get unitTextBytes(): number {
    return this.#passed;
  }

  feed(text: Buffer, unit_at: number): void {
    const isNewUnit = unit_at !== this.#lastUnit_at;
    this.#lastUnit_at = unit_at;
    // A line may go on from one unit into the next; then counting goes on, too.
    if (isNewUnit && this.#carryBytes === 0) this.#beginUnit(unit_at);
    let start = 0;
    for (let end = text.indexOf(NEWLINE); end >= 0 && !this.isRefused; end = text.indexOf(NEWLINE, start)) {
      this.#line(text, start, end);
      start = end + 1;
    }
    this.#hold(text.subarray(start));
  }

  #beginUnit(unit_at: number): void {
    this.#closeBlock();
    this.#unit_at = unit_at;
    this.#passed = 0;
  }

  damaged(damage: string, unit_at: number): void {
    this.#dropCarry();
    this.#closeBlock();
    this.#listener.skipped(`damaged data (${damage})`);
    this.#lastUnit_at = unit_at;
  }

  end(): void {
    if (this.#carryBytes > 0 && !this.isRefused) this.#rest(Buffer.concat(this.#carry));
    this.#closeBlock();
  }

  /** A last line may be whole without its newline, also before the zero bytes that a power loss leaves. */
  #rest(text: Buffer): void {
    const end = lengthWithoutZeros(text);
    const before = this.#judge.state;
    const verdict = end === 0 ? "bad" : this.#judge.judgeRest(text, 0, end);
    if (verdict === "frame") {
      this.#frame(before);
      this.#pass(end);
    }
    if (verdict === "copy") this.#listener.skipped(COPY);
    if (verdict === "bad" || end < this.#carryBytes) this.#listener.skipped("a last line that is not whole");
  }

  #hold(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#carryBytes += rest.length;
    // A line that is too long is not kept, only its length.
    if (this.#carryBytes > MAX_LINE_BYTES) this.#carry = [];
    else this.#carry.push(Buffer.from(rest));
  }

  #dropCarry(): void {
    this.#passed += this.#carryBytes;
    this.#carry = [];
    this.#carryBytes = 0;
  }

  #line(text: Buffer, start: number, end: number): void {
    if (this.#carryBytes === 0) {
      this.#take(text, start, end);
      return;
    }
    const bytes = this.#carryBytes + end - start;
    const line = bytes > MAX_LINE_BYTES ? null : Buffer.concat([...this.#carry, text.subarray(start, end)]);
    this.#carry = [];
    this.#carryBytes = 0;
    if (line === null) this.#passTooLong(bytes);
    else this.#take(line, 0, line.length);
  }

  /** A block ends before it, since whoever holds the block would hold the line, too. */
  #passTooLong(bytes: number): void {
    this.#closeBlock();
    this.#listener.skipped("a line that is too long");
    this.#passed += bytes + 1;
  }

  #take(text: Buffer, start: number, end: number): void {
    const bytes = end - start + 1;
    if (bytes > MAX_LINE_BYTES + 1) {
      this.#passTooLong(bytes - 1);
      return;
    }
    if (bytes > 1) this.#understand(text, start, end);
    this.#pass(bytes);
  }

  #pass(bytes: number): void {
    this.#passed += bytes;
    const open = this.#open;
    if (open === null) return;
    open.textBytes += bytes;
    if (open.isFull || open.textBytes >= this.#limits.textBytes) this.#closeBlock();
  }

  #understand(text: Buffer, start: number, end: number): void {
    const before = this.#judge.state;
    switch (this.#judge.judge(text, start, end)) {
      case "frame":
        this.#frame(before);
        break;
      case "copy":
        this.#listener.skipped(COPY);
        break;
      case "bad":
        this.#listener.skipped("a line that is no frame");
        break;
      default:
        this.#other(this.#judge.line);
    }
  }

  #other(line: Line | null): void {
    if (line?.kind === "header") {
      this.#closeBlock();
      this.#header_at ??= this.#passed;
      this.#listener.header(line.value);
    }
    if (line?.kind !== "refused") return;
    this.isRefused = true;
    this.#closeBlock();
    this.#listener.refused(line.schema);
  }

  #frame(before: PlaceState | null): void {
    const { facts, state, recording } = this.#judge;
    const { t_ms, seq } = facts;
    const counted = seq ?? this.#ordinal;
    this.#ordinal++;
    if (state === null) return;
    const skipBytes = this.#blockStart();
    this.#open ??= {
      range: { unit_at: this.#unit_at, skipBytes },
      before,
      recording,
      first: state,
      first_seq: seq,
      lowest_t_ms: t_ms,
      highest_t_ms: t_ms,
      frames: 0,
      isFull: false,
      highest_seq: counted,
      textBytes: this.#passed - skipBytes,
    };
    this.#header_at = null;
    const open = this.#open;
    open.frames++;
    open.highest_seq = Math.max(open.highest_seq, counted);
    open.lowest_t_ms = Math.min(open.lowest_t_ms, t_ms);
    open.highest_t_ms = Math.max(open.highest_t_ms, t_ms);
    const { frames } = this.#limits;
    // The first block of a recording has one more: it counts from 0.
    open.isFull = seq === null ? open.frames >= frames : endsBlock(seq, frames) || open.frames > frames;
  }

  /** With the header before its first frame, unless a mass of other lines stands between. */
  #blockStart(): number {
    const start = this.#header_at ?? this.#passed;
    return this.#passed - start > MAX_LINE_BYTES ? this.#passed : start;
  }

  #closeBlock(): void {
    const open = this.#open;
    this.#open = null;
    this.#header_at = null;
    const { state } = this.#judge;
    if (open === null || state === null) return;
    const { range, first, before, recording, first_seq, highest_seq, lowest_t_ms, highest_t_ms, frames, textBytes } =
      open;
    const times = { first_place_ms: first.place_ms, first_t_ms: first.t_ms, lowest_t_ms, highest_t_ms };
    this.#listener.block(
      { frames, before, recording, after: state, ...times, first_seq, highest_seq },
      { ...range, textBytes },
    );
  }
}

const COPY = "a copy of a frame";

interface OpenBlock {
  readonly range: Omit<TextRange, "textBytes">;
  readonly before: PlaceState | null;
  readonly recording: string | null;
  readonly first: PlaceState;
  readonly first_seq: number | null;
  lowest_t_ms: number;
  highest_t_ms: number;
  frames: number;
  isFull: boolean;
  highest_seq: number;
  textBytes: number;
}
