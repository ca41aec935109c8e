import { SchemaError, systemWords, UsageError } from "../errors.ts";
import { type Block, type BlockFindings, type BlockStore, Changes, type OnProgress } from "./block.ts";
import { DecodedBlock } from "./decoded_block.ts";
import { type Effort, effortOf } from "./effort.ts";
import { addBlock, type FileBlock, isGrown, isSameBlock, nextOrdinal } from "./file_block.ts";
import { findingsOf, untoldGap, withGap } from "./findings.ts";
import type { Trust } from "./line_judge.ts";
import { decodeHeader, type PartialHeader } from "./lines.ts";
import { NamedHosts } from "./named_hosts.ts";
import { belowHeader } from "./place.ts";
import { BLOCK_LIMITS, type BlockLimits, type ScanListener } from "./scan_listener.ts";
import { indexedBlock, type SegmentFacts, type SegmentReader } from "./segment_reader.ts";
import { type OpenSegments, SegmentFinder } from "./segment_set.ts";

const POLL_MS = 500;
/** A file without index that grows is scanned again as a whole: no more than a twentieth of the time. */
const REST_FACTOR = 20;

/**
 * All segments of a recording as one timeline. What the index tells is there at once; the rest is found by scanning,
 * behind what is already shown. With `follow`, files that grow and new segments are taken in.
 */
export class RecordingStore implements BlockStore {
  readonly #path: string;
  readonly #finder: SegmentFinder;
  readonly #segments: SegmentReader[];
  readonly #limits: BlockLimits;
  /** Of those neither the index is believed, nor the shape of a line. */
  readonly #distrusted = new Set<SegmentReader>();
  readonly #changes = new Changes();
  /** By segment, since a segment that grows is looked at again. */
  readonly #skipped = new Map<SegmentReader, Map<string, number>>();
  readonly #poll: ReturnType<typeof setInterval> | undefined;
  #blocks: FileBlock[] = [];
  #refused: SchemaError | null = null;
  #header: PartialHeader | null = null;
  readonly hosts = new NamedHosts();
  #scannedBytes = 0;
  #restUntil = 0;
  /** Looks through files that are under way or wait. */
  #pending = 0;
  #numbering = 0;
  #isEnded = false;
  #isLooking = false;
  #isClosed = false;
  #ready: Promise<void> = Promise.resolve();

  /** Opens the recording at a path, one of its segments, or the folder it is in. Throws a UsageError. */
  static async open(path: string, follow: boolean, limits = BLOCK_LIMITS): Promise<RecordingStore> {
    const finder = new SegmentFinder();
    return new RecordingStore(finder, await finder.open(path), follow, limits);
  }

  private constructor(finder: SegmentFinder, { path, segments }: OpenSegments, follow: boolean, limits: BlockLimits) {
    this.#path = path;
    this.#finder = finder;
    this.#segments = segments;
    this.#limits = limits;
    this.#pending = 1;
    this.#ready = this.#build(0);
    if (follow) this.#poll = setInterval(() => void this.#look(), POLL_MS);
  }

  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  get scanned(): number {
    const total = this.#segments.reduce((sum, { file }) => sum + file.size, 0);
    return this.#pending > 0 ? Math.min(0.999, this.#scannedBytes / Math.max(1, total)) : 1;
  }

  get skipped(): ReadonlyMap<string, number> {
    const total = new Map<string, number>();
    for (const counts of this.#skipped.values()) {
      for (const [reason, count] of counts) total.set(reason, (total.get(reason) ?? 0) + count);
    }
    return total;
  }

  get effort(): Effort {
    return effortOf(this.#segments);
  }

  get refused(): string | null {
    return this.#refused?.message ?? null;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get numbering(): number {
    return this.#numbering;
  }

  /** The newest header; `null` where no file has one. */
  get header(): PartialHeader | null {
    return this.#header;
  }

  /** The files, oldest first, with the frames that are known of each so far. */
  get segments(): readonly SegmentFacts[] {
    return this.#segments.map((segment) => {
      const blocks = this.#blocks.filter((block) => block.segment === segment);
      const frames = blocks.reduce((sum, block) => sum + block.frames, 0);
      const { path, codec, file, header } = segment;
      const highest_seq = blocks.reduce((highest, block) => Math.max(highest, block.highest_seq), -1);
      return { path, codec: codec.name, bytes: file.size, frames, header, ...segment.ending(highest_seq) };
    });
  }

  /** Resolves when all files have been looked through; throws a UsageError where there is no frame in any. */
  async complete(): Promise<void> {
    await this.#ready;
    if (this.#blocks.length > 0) return;
    throw this.#refused ?? new UsageError(`${this.#path}: ${this.#emptiness()}`);
  }

  /** Resolves when there is something to show; throws a UsageError where there never will be. */
  async firstBlock(): Promise<void> {
    if (this.#blocks.length > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.onChange(() => this.#blocks.length > 0 && resolve());
    await Promise.race([promise, this.#ready]).finally(stop);
    if (this.#blocks.length === 0) await this.complete();
  }

  #emptiness(): string {
    if (this.#segments.every(({ file }) => file.size === 0)) return "is empty";
    if (this.#header !== null) return "has a header and no frames";
    return this.#segments.map(({ obstacle }) => obstacle).find((words) => words !== null) ?? "is not a recording";
  }

  load(block: Block, signal: AbortSignal, onProgress: OnProgress): Promise<Buffer | null> {
    const { segment, where } = block as FileBlock;
    return segment.load(where, signal, onProgress);
  }

  distrust(block: Block): boolean {
    const { segment, trust } = block as FileBlock;
    if (this.#isClosed) return false;
    // One that was made before is not there any more, or will soon be gone.
    if (this.#distrusted.has(segment)) return this.#pending > 0 || trust !== "nothing";
    this.#distrusted.add(segment);
    this.#rebuild(this.#segments.indexOf(segment));
    return true;
  }

  describe(block: Block, findings: BlockFindings): void {
    (block as FileBlock).findings = findings;
    this.#changes.emit();
  }

  /** Files stay where they are. */
  pin(): void {}

  onChange(listener: () => void): () => void {
    return this.#changes.on(listener);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#poll);
    for (const segment of this.#segments) segment.close();
  }

  /** Looks at the segments from that one on again; what is known stays until that is done. */
  #rebuild(from: number): void {
    this.#pending++;
    this.#ready = this.#ready.then(() => this.#build(from));
  }

  /** Makes the blocks of the segments from that one on. What the first has of an index is there when it returns. */
  async #build(from: number): Promise<void> {
    const start = performance.now();
    const known = this.#blocks;
    const first = known.findIndex(({ segment }) => this.#segments.indexOf(segment) >= from);
    const blocks = first < 0 ? known : known.slice(0, first);
    this.#scannedBytes = this.#segments.slice(0, from).reduce((sum, { file }) => sum + file.size, 0);
    for (const segment of this.#segments.slice(from)) {
      if (this.#refused !== null || this.#isClosed) break;
      await this.#addReadable(segment, blocks);
    }
    if (blocks !== known) this.#replace(known, blocks);
    this.#pending--;
    this.#restUntil = performance.now() + (performance.now() - start) * REST_FACTOR;
    this.#changes.emit();
  }

  /** A block that is as it was stays the same object: whoever has decoded it need not do so again. */
  #replace(known: readonly FileBlock[], blocks: FileBlock[]): void {
    const isSame = known.map((block, n) => isSameBlock(block, blocks[n]));
    this.#blocks = blocks.map((block, n) => (isSame[n] ? (known[n] ?? block) : block));
    const hasGrown = known.every((block, n) => isSame[n] || isGrown(block, blocks[n]));
    if (!hasGrown) this.#numbering++;
  }

  async #addReadable(segment: SegmentReader, blocks: FileBlock[]): Promise<void> {
    try {
      await this.#addSegment(segment, blocks);
      const isNewest = segment === this.#segments.at(-1);
      if (isNewest && this.#poll !== undefined) this.#isEnded = segment.isClosed;
    } catch (error) {
      this.#count(segment, `${segment.path}: ${systemWords(error)}`);
    }
  }

  #noteHeader(header: PartialHeader | null): void {
    if (header === null) return;
    this.#header = header;
    this.hosts.add(header.hosts);
  }

  async #addSegment(segment: SegmentReader, blocks: FileBlock[]): Promise<void> {
    this.#noteHeader(segment.header);
    this.#skipped.set(segment, new Map());
    const first = blocks.length;
    const end = this.#addIndexed(segment, blocks);
    await this.#noteMissing(segment, blocks[first]);
    await this.#scan(segment, end, blocks);
    const isSound = this.#skipped.get(segment)?.size === 0;
    // Where something was skipped that explains what is missing, it told the truth when it was written.
    if (isSound && this.#distrusted.has(segment) && segment.readIndex() !== null)
      this.#count(segment, "an index that is not true");
  }

  /** A segment that was taken away is a gap, which no index line tells of. */
  async #noteMissing(segment: SegmentReader, block: FileBlock | undefined): Promise<void> {
    if (block?.findings == null) return;
    const gap_ms = untoldGap(block, block.findings, segment.header?.interval_ms ?? null);
    if (gap_ms === null) return;
    const text = await segment.load(block.where, new AbortController().signal, () => {});
    if (text === null) return;
    const decoded = new DecodedBlock(text, block);
    const frame = decoded.frames > 0 ? decoded.frame(0) : null;
    if (frame !== null) block.findings = withGap(block, block.findings, gap_ms, frame.hostname);
    decoded.free();
  }

  /** Adds what the index tells; returns where that ends. */
  #addIndexed(segment: SegmentReader, blocks: FileBlock[]): number {
    const chain = this.#distrusted.has(segment) ? null : segment.readIndex();
    if (chain === null) return 0;
    const kept = blocks.length;
    const before = blocks.at(-1)?.after ?? null;
    const recording = segment.header?.recording ?? before?.recording ?? null;
    for (const entry of chain.entries) {
      const facts = indexedBlock(entry, belowHeader(blocks.at(-1)?.after ?? null, recording), recording);
      if (facts === null) {
        blocks.length = kept;
        return 0;
      }
      if (entry.block.host !== undefined) this.hosts.add([entry.block.host]);
      addBlock(blocks, segment, facts, { kind: "unit", entry }, findingsOf(entry.block), "index");
    }
    return chain.last.end;
  }

  async #scan(segment: SegmentReader, from: number, blocks: FileBlock[]): Promise<void> {
    const before = this.#scannedBytes;
    this.#scannedBytes = before + from;
    if (from < segment.file.size) {
      const start = { state: blocks.at(-1)?.after ?? null, ordinal: nextOrdinal(blocks) };
      const trust = this.#trustIn(segment);
      const listener = this.#listener(segment, blocks, trust);
      for await (const at of segment.scan(from, start, this.#limits, listener, trust)) {
        this.#scannedBytes = before + Math.min(at, segment.file.size);
        this.#changes.emit();
        if (this.#isClosed) return;
      }
    }
    this.#scannedBytes = before + segment.file.size;
  }

  /** A file in which something was not what it seemed is read as a whole. */
  #trustIn(segment: SegmentReader): Trust {
    return this.#distrusted.has(segment) ? "nothing" : "shape";
  }

  #listener(segment: SegmentReader, blocks: FileBlock[], trust: Trust): ScanListener {
    return {
      block: (facts, range) => {
        addBlock(blocks, segment, facts, { kind: "range", range }, null, trust);
        if (blocks === this.#blocks) this.#changes.emit();
      },
      header: (value) => {
        this.#noteHeader(decodeHeader(value));
      },
      skipped: (reason) => this.#count(segment, reason),
      refused: (schema) => {
        this.#refused = new SchemaError(schema);
      },
    };
  }

  #count(segment: SegmentReader, reason: string): void {
    const counts = this.#skipped.get(segment);
    counts?.set(reason, (counts.get(reason) ?? 0) + 1);
  }

  /** Takes in what was written since: the newest file grew, or there is a newer one. */
  async #look(): Promise<void> {
    if (this.#isLooking || this.#pending > 0 || this.#refused !== null || performance.now() < this.#restUntil) return;
    this.#isLooking = true;
    // In this order: where there is a newer file, nothing is written to this one any more.
    const newer = await this.#finder.openNewer(this.#path, this.#segments);
    this.#isLooking = false;
    if (this.#isClosed) {
      for (const segment of newer) segment.close();
      return;
    }
    const newest = this.#segments.length - 1;
    const hasGrown = this.#segments[newest]?.refresh() ?? false;
    this.#segments.push(...newer);
    if (newer.length > 0 || hasGrown) this.#rebuild(newest);
  }
}
