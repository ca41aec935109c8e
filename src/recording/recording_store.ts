import { UsageError } from "../errors.ts";
import { type Block, type BlockFindings, type BlockStore, Changes, type OnProgress } from "./block.ts";
import { BlockBuilder, type BuildListener } from "./block_builder.ts";
import { type Effort, effortOf } from "./effort.ts";
import { emptinessOf, type FileBlock, factsOf, mergeBlocks } from "./file_block.ts";
import type { PartialHeader } from "./lines.ts";
import type { NamedHosts } from "./named_hosts.ts";
import { BLOCK_LIMITS, type BlockLimits } from "./scan_listener.ts";
import type { SegmentFacts, SegmentReader } from "./segment_reader.ts";
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
  #segments: SegmentReader[];
  readonly #builder: BlockBuilder;
  readonly #changes = new Changes();
  readonly #poll: ReturnType<typeof setInterval> | undefined;
  #blocks: FileBlock[] = [];
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
    this.#builder = new BlockBuilder(limits, this.#buildListener());
    this.#pending = 1;
    this.#ready = this.#build(0);
    if (follow) this.#poll = setInterval(() => void this.#look(), POLL_MS);
  }

  #buildListener(): BuildListener {
    return {
      block: (blocks) => {
        if (blocks === this.#blocks) this.#changes.emit();
      },
      scanned: () => {
        this.#changes.emit();
        return !this.#isClosed;
      },
      added: (segment) => {
        const isNewest = segment === this.#segments.at(-1);
        if (isNewest && this.#poll !== undefined) this.#isEnded = segment.isClosed;
      },
    };
  }

  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  get scanned(): number {
    const total = this.#segments.reduce((sum, { file }) => sum + file.size, 0);
    return this.#pending > 0 ? Math.min(0.999, this.#builder.scannedBytes / Math.max(1, total)) : 1;
  }

  get skipped(): ReadonlyMap<string, number> {
    return this.#builder.skipped.total;
  }

  get effort(): Effort {
    return effortOf(this.#segments);
  }

  get refused(): string | null {
    return this.#builder.refused?.message ?? null;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get numbering(): number {
    return this.#numbering;
  }

  /** The newest header; `null` where no file has one. */
  get header(): PartialHeader | null {
    return this.#builder.header;
  }

  /** All hosts that headers name. */
  get hosts(): NamedHosts {
    return this.#builder.hosts;
  }

  /** The files, oldest first, with the frames that are known of each so far. */
  get segments(): readonly SegmentFacts[] {
    return this.#segments.map((segment) => factsOf(segment, this.#blocks));
  }

  /** Resolves when all files have been looked through; throws a UsageError where there is no frame in any. */
  async complete(): Promise<void> {
    await this.#ready;
    if (this.#blocks.length > 0) return;
    throw (
      this.#builder.refused ?? new UsageError(`${this.#path}: ${emptinessOf(this.#segments, this.header !== null)}`)
    );
  }

  /** Resolves when there is something to show; throws a UsageError where there never will be. */
  async firstBlock(): Promise<void> {
    if (this.#blocks.length > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.onChange(() => this.#blocks.length > 0 && resolve());
    await Promise.race([promise, this.#ready]).finally(stop);
    if (this.#blocks.length === 0) await this.complete();
  }

  load(block: Block, signal: AbortSignal, onProgress: OnProgress): Promise<Buffer | null> {
    const { segment, where } = block as FileBlock;
    return segment.load(where, signal, onProgress);
  }

  distrust(block: Block): boolean {
    const { segment, trust } = block as FileBlock;
    if (this.#isClosed || !this.#segments.includes(segment)) return false;
    // One that was made before is not there any more, or will soon be gone.
    if (this.#builder.isDistrusted(segment)) return this.#pending > 0 || trust !== "nothing";
    this.#builder.distrust(segment);
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
    this.#builder.beginBehind(this.#segments.slice(0, from));
    for (const segment of this.#segments.slice(from)) {
      if (this.#builder.refused !== null || this.#isClosed) break;
      await this.#builder.add(segment, blocks);
    }
    if (blocks !== known) {
      const { isGrown, merged } = mergeBlocks(known, blocks);
      this.#blocks = merged;
      if (!isGrown) this.#numbering++;
    }
    this.#pending--;
    this.#restUntil = performance.now() + (performance.now() - start) * REST_FACTOR;
    this.#changes.emit();
  }

  /** Takes in what was written since: the newest file grew, or there is a newer one. */
  async #look(): Promise<void> {
    if (this.#isLooking || this.#pending > 0 || this.#builder.refused !== null || performance.now() < this.#restUntil)
      return;
    this.#isLooking = true;
    this.#letGo();
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

  /** What was removed takes its room on the disk as long as it is open. There is always something left to show. */
  #letGo(): void {
    const gone = this.#segments.slice(0, -1).filter(({ file }) => file.isRemoved);
    const kept = this.#blocks.filter(({ segment }) => !gone.includes(segment));
    const first = kept[0];
    if (gone.length === 0 || first === undefined) return;
    this.#blocks = kept;
    this.#segments = this.#segments.filter((segment) => !gone.includes(segment));
    this.#builder.forget(gone, first);
    for (const segment of gone) segment.retire();
    this.#changes.emit();
  }
}
