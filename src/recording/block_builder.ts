import { SchemaError, systemWords } from "../errors.ts";
import { type FileBlock, noteMissing, startBehind } from "./file_block.ts";
import { findingsOf } from "./findings.ts";
import type { Trust } from "./line_judge.ts";
import { decodeHeader, type PartialHeader } from "./lines.ts";
import { NamedHosts } from "./named_hosts.ts";
import { belowHeader } from "./place.ts";
import type { BlockLimits, ScanListener, ScanStart } from "./scan_listener.ts";
import { indexedBlock, type SegmentReader } from "./segment_reader.ts";
import { SkippedLines } from "./skipped_lines.ts";

/** Who waits for blocks is told. */
export interface BuildListener {
  /** A block was found by scanning, and put behind these. */
  block(blocks: readonly FileBlock[]): void;
  /** More of a file has been scanned. Says whether to go on. */
  scanned(): boolean;
  /** A file is in blocks, all of it. */
  added(segment: SegmentReader): void;
}

/**
 * Makes the blocks of a recording's files, one file after the other: of what the index tells, and of the rest by
 * scanning. Keeps what else these files say.
 */
export class BlockBuilder {
  readonly #limits: BlockLimits;
  readonly #listener: BuildListener;
  /** Of those neither the index is believed, nor the shape of a line. */
  readonly #distrusted = new Set<SegmentReader>();
  readonly skipped = new SkippedLines();
  readonly hosts = new NamedHosts();
  #beginning: ScanStart = { state: null, ordinal: 0 };
  #refused: SchemaError | null = null;
  #header: PartialHeader | null = null;
  #scannedBytes = 0;

  constructor(limits: BlockLimits, listener: BuildListener) {
    this.#limits = limits;
    this.#listener = listener;
  }

  /** A line of another schema, behind which nothing is read; `null`: there was none. */
  get refused(): SchemaError | null {
    return this.#refused;
  }

  /** The newest header; `null` where no file has one. */
  get header(): PartialHeader | null {
    return this.#header;
  }

  /** So much of the files, from the first on, is in blocks. */
  get scannedBytes(): number {
    return this.#scannedBytes;
  }

  /** Begins behind these files, of which the blocks are there. */
  beginBehind(segments: readonly SegmentReader[]): void {
    this.#scannedBytes = segments.reduce((sum, { file }) => sum + file.size, 0);
  }

  isDistrusted(segment: SegmentReader): boolean {
    return this.#distrusted.has(segment);
  }

  /** From now on all of the file is read. */
  distrust(segment: SegmentReader): void {
    this.#distrusted.add(segment);
  }

  /** These files were let go; the recording begins with that block. */
  forget(segments: readonly SegmentReader[], first: FileBlock): void {
    this.#beginning = { state: first.before, ordinal: first.first_ordinal };
    for (const segment of segments) {
      this.skipped.forget(segment);
      this.#distrusted.delete(segment);
    }
  }

  /** Adds the blocks of a file behind those of the files before it; what cannot be read is counted as skipped. */
  async add(segment: SegmentReader, blocks: FileBlock[]): Promise<void> {
    try {
      await this.#add(segment, blocks);
      this.#listener.added(segment);
    } catch (error) {
      this.skipped.count(segment, `${segment.path}: ${systemWords(error)}`);
    }
  }

  async #add(segment: SegmentReader, blocks: FileBlock[]): Promise<void> {
    this.#noteHeader(segment.header);
    this.skipped.begin(segment);
    const first = blocks.length;
    const end = this.#addIndexed(segment, blocks);
    await noteMissing(blocks[first]);
    await this.#scan(segment, end, blocks);
    const isSound = this.skipped.isNone(segment);
    // Where something was skipped that explains what is missing, it told the truth when it was written.
    if (isSound && this.#distrusted.has(segment) && segment.readIndex() !== null)
      this.skipped.count(segment, "an index that is not true");
  }

  #noteHeader(header: PartialHeader | null): void {
    if (header === null) return;
    this.#header = header;
    this.hosts.add(header.hosts);
  }

  /** Adds what the index tells; returns where that ends. */
  #addIndexed(segment: SegmentReader, blocks: FileBlock[]): number {
    const chain = this.#distrusted.has(segment) ? null : segment.readIndex();
    if (chain === null) return 0;
    const kept = blocks.length;
    const before = startBehind(blocks, this.#beginning).state;
    const recording = segment.header?.recording ?? before?.recording ?? null;
    for (const entry of chain.entries) {
      const { state, ordinal } = startBehind(blocks, this.#beginning);
      const facts = indexedBlock(entry, belowHeader(state, recording), recording);
      if (facts === null) {
        blocks.length = kept;
        return 0;
      }
      if (entry.block.host !== undefined) this.hosts.add([entry.block.host]);
      const found = { where: { kind: "unit", entry }, findings: findingsOf(entry.block), trust: "index" } as const;
      blocks.push({ ...facts, first_ordinal: ordinal, segment, ...found });
    }
    return chain.last.end;
  }

  async #scan(segment: SegmentReader, from: number, blocks: FileBlock[]): Promise<void> {
    const before = this.#scannedBytes;
    this.#scannedBytes = before + from;
    if (from < segment.file.size) {
      const start = startBehind(blocks, this.#beginning);
      // A file in which something was not what it seemed is read as a whole.
      const trust = this.#distrusted.has(segment) ? "nothing" : "shape";
      const listener = this.#scanListener(segment, blocks, trust);
      for await (const at of segment.scan(from, start, this.#limits, listener, trust)) {
        this.#scannedBytes = before + Math.min(at, segment.file.size);
        if (!this.#listener.scanned()) return;
      }
    }
    this.#scannedBytes = before + segment.file.size;
  }

  #scanListener(segment: SegmentReader, blocks: FileBlock[], trust: Trust): ScanListener {
    return {
      block: (facts, range) => {
        const { ordinal } = startBehind(blocks, this.#beginning);
        const found = { where: { kind: "range", range }, findings: null, trust } as const;
        blocks.push({ ...facts, first_ordinal: ordinal, segment, ...found });
        this.#listener.block(blocks);
      },
      header: (value) => this.#noteHeader(decodeHeader(value)),
      skipped: (reason) => this.skipped.count(segment, reason),
      refused: (schema) => {
        this.#refused = new SchemaError(schema);
      },
    };
  }
}
