import { systemWords, UsageError } from "../errors.ts";
import { decodeBytes } from "../frame/decode.ts";
import type { BlockFacts, OnProgress } from "./block.ts";
import { scanBlocks } from "./block_scan.ts";
import { blockText, textMemory } from "./block_text.ts";
import { FileBytes } from "./bytes.ts";
import { type Chain, findLastIndex, readChain } from "./chain.ts";
import { type Codec, type CodecName, codecOf } from "./codec.ts";
import { MAX_UNIT_TEXT_BYTES, WINDOW_LOG_MAX } from "./limits.ts";
import type { Trust } from "./line_judge.ts";
import { decodeHeader, type IndexEntry, type PartialHeader } from "./lines.ts";
import { textPieces } from "./pieces.ts";
import { isCopy, type PlaceState, placeAfter } from "./place.ts";
import type { BlockLimits, ScanListener, ScanStart, TextRange } from "./scan_listener.ts";
import { frameHeader } from "./zstd_frame.ts";

/** A header is mostly in the first few, without decoding the whole of a block. */
const BEGINNING_BYTES = [8 << 10, 256 << 10] as const;
/** Enough to tell the codec by. */
const MAGIC_BYTES = 64;
const NEWLINE = 10;

/** Where a block's text is: a unit that an index line tells of, or a stretch that a scan found. */
export type Where =
  | { readonly kind: "unit"; readonly entry: IndexEntry }
  | { readonly kind: "range"; readonly range: TextRange };

/** `closed` by its recorder; `open`: of ours, being written or killed; `unknown`: of another program. */
export type Ended = "closed" | "open" | "unknown";

/** What is known of one file of a recording. */
export interface SegmentFacts {
  readonly path: string;
  readonly codec: CodecName;
  readonly bytes: number;
  readonly frames: number;
  readonly header: PartialHeader | null;
  readonly ended: Ended;
  /** Behind the line that closed it, and without a frame among them: no part of the recording. */
  readonly foreign_bytes: number;
}

/** Decoding under way in a file, and where in the text of its unit it is. */
interface TextStream {
  readonly unit_at: number;
  readonly pieces: ReturnType<typeof textPieces>;
  at: number;
  /** Decoded and not yet used. */
  rest: Buffer;
}

/** One file of a recording, in whatever state. */
export class SegmentReader {
  #path: string;
  readonly file: FileBytes;
  #codec: Codec;
  #header: PartialHeader | null;
  /** The playhead's, and one for what is read behind it. */
  readonly #streams: TextStream[] = [];
  #loading: Promise<void> = Promise.resolve();
  #isRetired = false;

  private constructor(path: string, file: FileBytes) {
    this.#path = path;
    this.file = file;
    this.#codec = codecOf(file.read(0, MAGIC_BYTES));
    this.#header = this.#readHeader();
  }

  get path(): string {
    return this.#path;
  }

  get codec(): Codec {
    return this.#codec;
  }

  get header(): PartialHeader | null {
    return this.#header;
  }

  /** Its recorder has closed it, and given it its number. */
  renamed(path: string): void {
    if (path === this.#path) return;
    this.file.reopen(path);
    this.#path = path;
  }

  /** Takes note of what was written since; `true` if there was something. */
  refresh(): boolean {
    const before = this.file.size;
    this.file.refresh();
    if (this.file.size === before) return false;
    if (before < MAGIC_BYTES) this.#codec = codecOf(this.file.read(0, MAGIC_BYTES));
    this.#header ??= this.#readHeader();
    // A decoder that has come to the old end does not go on from there.
    this.#loading = this.#loading.then(() => this.#dropStreams());
    return true;
  }

  #dropStreams(): void {
    for (const { pieces } of this.#streams.splice(0)) void pieces.return(undefined);
  }

  /** Throws a UsageError where the file cannot be read, or is no recording. */
  static open(path: string): SegmentReader {
    const file = attempt(path, () => FileBytes.open(path));
    try {
      if (!file.isRegular) throw new UsageError(`${path}: is no regular file`);
      return attempt(path, () => new SegmentReader(path, file));
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The first line, if it is a header. A first line that is none of a recording's is a UsageError. */
  #readHeader(): PartialHeader | null {
    for (const length of BEGINNING_BYTES) {
      const { text } = this.codec.decodeUnit(this.file.read(0, length), MAX_UNIT_TEXT_BYTES);
      const end = text.indexOf(NEWLINE);
      if (end < 0) continue;
      const line = decodeBytes(Buffer.from(text.buffer, text.byteOffset, text.length), 0, end);
      return line.kind === "header" ? decodeHeader(line.value) : null;
    }
    return null;
  }

  /** Why none of it can be decoded, and what to do about that; `null` where it is nothing that shows at its beginning. */
  get obstacle(): string | null {
    const { windowBytes } = frameHeader(this.file.read(0, MAGIC_BYTES), 0) ?? { windowBytes: 0 };
    if (windowBytes <= 2 ** WINDOW_LOG_MAX) return null;
    const [window, most] = [windowBytes, 2 ** WINDOW_LOG_MAX].map((bytes) => `${Math.ceil(bytes / 2 ** 20)} MiB`);
    return `its zstd window of ${window} is too large, ${most} is the limit: zstd -dc --long=31 ${this.path} | zstd > OTHER makes one that plays`;
  }

  /** The blocks that the index tells of; `null` where there is none that can be true. */
  readIndex(): Chain | null {
    return readChain(this.file, this.codec);
  }

  /** How the file ends, as far as it tells. `highest_seq`: of the frames that were found in it. */
  ending(highest_seq: number): Pick<SegmentFacts, "ended" | "foreign_bytes"> {
    const last = findLastIndex(this.file, this.codec);
    if (last === null) return { ended: this.header?.recording ? "open" : "unknown", foreign_bytes: 0 };
    const behind = this.file.size - last.end;
    const isClosed = last.index.end && (behind === 0 || highest_seq <= last.index.seq);
    return { ended: isClosed ? "closed" : "open", foreign_bytes: isClosed ? behind : 0 };
  }

  /** Whether the last that is in it is the line that closed it. */
  get isClosed(): boolean {
    const last = findLastIndex(this.file, this.codec);
    return last?.index.end === true && last.end === this.file.size;
  }

  scan(
    from: number,
    before: ScanStart,
    limits: BlockLimits,
    listener: ScanListener,
    trust: Trust,
  ): AsyncGenerator<number> {
    return scanBlocks(this.file, this.codec, from, before, limits, listener, trust);
  }

  /** `null` where there is no such block. Rejects with the signal's reason when aborted. */
  async load(where: Where, signal: AbortSignal, onProgress: OnProgress): Promise<Buffer | null> {
    if (this.#isRetired) return null;
    if (where.kind === "range") return await this.#loadRange(where.range, signal, onProgress);
    const { byte_offset, at } = where.entry;
    return blockText(this.codec, this.file.read(byte_offset, at - byte_offset));
  }

  /** One at a time: they share the streams. */
  #loadRange(range: TextRange, signal: AbortSignal, onProgress: OnProgress): Promise<Buffer> {
    const loading = this.#loading.then(() => this.#readRange(range, signal, onProgress));
    this.#loading = loading.then(
      () => {},
      () => {},
    );
    return loading;
  }

  async #readRange(range: TextRange, signal: AbortSignal, onProgress: OnProgress): Promise<Buffer> {
    const { unit_at, skipBytes, textBytes } = range;
    signal.throwIfAborted();
    if (this.codec.name === "none") return this.file.read(unit_at + skipBytes, textBytes);
    const stream = this.#streamFor(unit_at, skipBytes);
    const text = textMemory(textBytes);
    let length = 0;
    const end = skipBytes + textBytes;
    let sliceEnd = performance.now() + SLICE_MS;
    while (stream.at < end) {
      const piece = await this.#nextPiece(stream);
      if (piece === null) break;
      const from = Math.max(0, skipBytes - stream.at);
      const to = Math.min(piece.length, end - stream.at);
      if (to > from) length += piece.copy(text, length, from, to);
      stream.at += to;
      stream.rest = piece.subarray(to);
      if (performance.now() < sliceEnd) continue;
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      onProgress(stream.at / end);
      sliceEnd = performance.now() + SLICE_MS;
    }
    return text.subarray(0, length);
  }

  /** Decoding goes on from a place it has come to, where one is not too far; else it begins again at the unit. */
  #streamFor(unit_at: number, skipBytes: number): TextStream {
    const usable = this.#streams.filter((one) => one.unit_at === unit_at && one.at <= skipBytes);
    const nearest = usable.sort((a, b) => b.at - a.at)[0];
    if (nearest !== undefined) return nearest;
    const stream = { unit_at, pieces: textPieces(this.file, this.codec, unit_at), at: 0, rest: Buffer.alloc(0) };
    this.#streams.push(stream);
    if (this.#streams.length > MOST_STREAMS) void this.#streams.shift()?.pieces.return(undefined);
    return stream;
  }

  async #nextPiece(stream: TextStream): Promise<Buffer | null> {
    if (stream.rest.length > 0) return stream.rest;
    for (;;) {
      const { value, done } = await stream.pieces.next();
      if (done || value === undefined) {
        this.#streams.splice(this.#streams.indexOf(stream), 1);
        return null;
      }
      if ("text" in value) return value.text;
    }
  }

  /** Closes the file as soon as nothing reads in it; until then nothing new begins to. */
  retire(): void {
    this.#isRetired = true;
    this.#loading = this.#loading.then(() => this.close());
  }

  close(): void {
    this.#dropStreams();
    this.file.close();
  }
}

/** How long decoding may keep the event loop. */
const SLICE_MS = 8;
const MOST_STREAMS = 2;

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${path}: ${systemWords(error)}`);
  }
}

/**
 * A block of an index, put on the timeline behind `before`, below a header of `recording`. `null` where its times go
 * backwards, or its frames are copies of those before.
 */
export function indexedBlock(
  { seq, block }: IndexEntry,
  before: PlaceState | null,
  recording: string | null,
): BlockFacts | null {
  const { first_t_ms, last_t_ms, lowest_t_ms, highest_t_ms, first_elapsed_ms, elapsed_ms, frames, first_seq } = block;
  const facts = { t_ms: first_t_ms, seq: first_seq, elapsed_ms: first_elapsed_ms };
  if (elapsed_ms < first_elapsed_ms || frames === 0 || isCopy(before, facts)) return null;
  const first = placeAfter(before, facts, recording);
  const after = {
    ...{ place_ms: first.offset_ms + elapsed_ms, t_ms: last_t_ms, elapsed_ms, offset_ms: first.offset_ms },
    ...{ seq, seq_before: frames === 1 ? first.seq_before : seq - 1, recording },
  };
  const times = { first_place_ms: first.place_ms, first_t_ms, lowest_t_ms, highest_t_ms };
  return { frames, before, recording, after, ...times, first_seq, highest_seq: seq };
}
