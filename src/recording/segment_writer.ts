import type { Detector } from "../events/detector.ts";
import type { Frame } from "../frame/frame.ts";
import type { AppendFile } from "./append_file.ts";
import { BlockCollector, hostIn } from "./block_summary.ts";
import type { Codec, UnitEncoder } from "./codec.ts";
import { BLOCK_FRAMES, BLOCK_TEXT_BYTES, endsBlock, SUMMARY_EVERY } from "./limits.ts";
import { type Header, headerLine, type IndexEntry, indexLine } from "./lines.ts";

/** Where the chain of index lines of a file stands, so that the next line can go on from it. */
export interface ChainState {
  /** The `at` of the last index line. */
  previous: number | null;
  /** The `at` of the last one that repeats summaries. */
  previous_summary: number | null;
  /** The entries since that. */
  since: IndexEntry[];
}

/** A block whose index line is still to be written. */
interface Block {
  readonly start: number;
  readonly collector: BlockCollector;
  textBytes: number;
  isFull: boolean;
}

/**
 * Writes one segment: blocks of frames and the index lines that close them. Each frame is in the kernel when `append`
 * resolves. Where a write fails the file ends at its last whole frame, and the next call closes that block by hand.
 */
export class SegmentWriter {
  readonly #file: AppendFile;
  readonly #codec: Codec;
  readonly #chain: ChainState;
  #encoder: UnitEncoder | null = null;
  readonly #detector: Detector;
  readonly #interval_ms: number;
  #header: Header | null;
  #block: Block | null;
  /** Whether the block's unit has still to be ended. */
  #isOpen: boolean;

  /**
   * `header` is written before the first frame. The detector is the recording's: it outlives its segments. `continued`
   * is what a file has that is continued.
   */
  constructor(file: AppendFile, codec: Codec, header: Header, detector: Detector, continued?: Continued | null) {
    this.#file = file;
    this.#codec = codec;
    this.#header = header;
    this.#interval_ms = header.interval_ms;
    this.#detector = detector;
    this.#chain = continued?.chain ?? { previous: null, previous_summary: null, since: [] };
    const unclosed = continued?.unclosed ?? null;
    this.#block = unclosed === null ? null : { ...unclosed, textBytes: 0, isFull: true };
    this.#isOpen = continued?.isOpen ?? false;
  }

  get file(): AppendFile {
    return this.#file;
  }

  /** Another header, before the next frame: a block begins with it. */
  restate(header: Header): void {
    this.#header = header;
    if (this.#block !== null) this.#block.isFull = true;
  }

  /** Appends a frame, already encoded as `line` (with its newline). Rejects as the file's write does. */
  async append(frame: Frame, line: Uint8Array): Promise<void> {
    if (this.#mustEnd()) await this.#endBlock(false);
    const header = this.#header === null ? null : headerLine(this.#header);
    const text = header === null ? line : Buffer.concat([header, line]);
    await this.#flush(text);
    if (header !== null) this.#detector.restart(this.#interval_ms);
    this.#header = null;
    const block = this.#block ?? this.#newBlock(this.#file.size);
    const events = this.#detector.add(frame, { seq: frame.seq ?? 0, elapsed_ms: frame.elapsed_ms ?? 0 });
    block.collector.add(frame, events, this.#detector.refused);
    block.textBytes += text.length;
    block.isFull = endsBlock(frame.seq ?? 0, BLOCK_FRAMES) || block.textBytes >= BLOCK_TEXT_BYTES;
  }

  /** A block is over when it is full, or when a failed write cost the encoder or the index line. */
  #mustEnd(): boolean {
    return this.#block !== null && (this.#block.isFull || !this.#isOpen || this.#encoder === null);
  }

  #newBlock(start: number): Block {
    const header = start > 0 ? this.#header : null;
    const known = { interval_ms: this.#interval_ms, open: this.#detector.open };
    const collector = new BlockCollector({ ...known, ...(header !== null && hostIn(header)) });
    return { start, collector, textBytes: 0, isFull: false };
  }

  async #flush(text: Uint8Array): Promise<void> {
    const start = this.#file.size;
    try {
      this.#encoder ??= this.#codec.encoder();
      await this.#file.append(await this.#encoder.flush(text));
    } catch (error) {
      this.#dropEncoder();
      throw error;
    }
    this.#block ??= this.#newBlock(start);
    this.#isOpen = true;
  }

  /** What it holds is ahead of the file: it cannot be used any more. */
  #dropEncoder(): void {
    this.#encoder?.close();
    this.#encoder = null;
  }

  async #endBlock(isLast: boolean): Promise<void> {
    const block = this.#block;
    if (block === null) return;
    if (this.#isOpen) await this.#endUnit(block.start);
    this.#isOpen = false;
    await this.#writeIndex({ byte_offset: block.start, ...block.collector.sum(), at: this.#file.size }, isLast);
    this.#block = null;
  }

  async #endUnit(start: number): Promise<void> {
    if (this.#encoder === null) return this.#endByHand(start);
    try {
      await this.#file.append(await this.#encoder.end());
    } catch (error) {
      this.#dropEncoder();
      throw error;
    }
  }

  /** After a failed write: the encoder is gone, and what it had written is what the file says. */
  async #endByHand(start: number): Promise<void> {
    const bytes = await this.#file.read(start);
    const unit = this.#codec.closeUnit(bytes);
    if (unit === null) throw new Error("the block under way cannot be read back");
    if (unit.keepBytes < bytes.length) await this.#file.truncate(start + unit.keepBytes);
    await this.#file.append(unit.closing);
  }

  async #writeIndex(entry: IndexEntry, isLast: boolean): Promise<void> {
    const chain = this.#chain;
    const isSummary = isLast || chain.since.length >= SUMMARY_EVERY - 1;
    const line = indexLine({
      ...entry,
      previous: chain.previous,
      end: isLast,
      blocks: isSummary ? chain.since : null,
      previous_summary: isSummary ? chain.previous_summary : null,
    });
    await this.#file.append(this.#codec.encodeUnit(line));
    chain.previous = entry.at;
    chain.since = isSummary ? [] : [...chain.since, entry];
    if (isSummary) chain.previous_summary = entry.at;
  }

  /** Ends the file: the last block, its index line, and all of it on the disk. Not called again once it resolved. */
  async end(): Promise<void> {
    await this.#endBlock(true);
    this.#dropEncoder();
    await this.#file.sync();
  }

  /** Gives back native memory; the file stays open, and as it is. */
  abandon(): void {
    this.#dropEncoder();
  }
}

/** What a file that is continued has: what its index says, and a block that ended without an index line. */
export interface Continued {
  readonly chain: ChainState;
  readonly unclosed: Unclosed | null;
  /** Whether that block's unit has still to be ended: there was no room for it. */
  readonly isOpen?: boolean;
}

/** The frames behind the last index line; their unit begins at `start`. */
export interface Unclosed {
  readonly start: number;
  readonly collector: BlockCollector;
}
