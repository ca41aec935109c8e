import { ALL, type Measure, measureKey } from "../frame/points.ts";
import type { Curve } from "../frame/summary.ts";
import { type Block, BlockMismatch, type BlockStore } from "./block.ts";
import type { BlockCache } from "./block_cache.ts";
import { whenKnown } from "./block_order.ts";
import type { History } from "./cursor.ts";
import { type DecodedBlock, frameOf } from "./decoded_block.ts";
import type { PointStore } from "./points.ts";

/** Text that is decoded for one history; older points come from the summaries of the blocks. */
const MAX_TEXT_BYTES = 64 << 20;
/** How long reading may keep the event loop. */
const SLICE_MS = 8;

/** What a block's summary can stand in for. */
const SUMMARIES: readonly (readonly [Measure, Curve, 0 | 1 | 2])[] = [
  ["gpu_utilization", "gpu_utilization", 1],
  ["lowest_host", "gpu_utilization", 0],
  ["highest_host", "gpu_utilization", 2],
  ["hottest", "gpu_temperature", 2],
  ["cpu_utilization", "cpu_utilization", 1],
  ["memory_utilization", "memory_utilization", 1],
];

/** Reads, behind what is shown, the numbers of the frames before it. */
export class HistoryFiller {
  readonly #store: BlockStore;
  readonly #cache: BlockCache;
  readonly #points: PointStore;
  readonly #onFilled: () => void;
  readonly #close = new AbortController();
  #newest = -1;
  /** The longest that was asked for up to that frame. */
  #length = 0;
  #isFilling = false;
  #usedBytes = 0;
  /** Frames before this one are not read any more. */
  #floor = 0;

  constructor(store: BlockStore, cache: BlockCache, points: PointStore, onFilled: () => void) {
    this.#store = store;
    this.#cache = cache;
    this.#points = points;
    this.#onFilled = onFilled;
  }

  /** The history of the frames up to that one; what is missing is read from now on. */
  upTo(ordinal: number, length: number): History {
    if (ordinal !== this.#newest) {
      this.#length = 0;
      // A frame behind it may be gone, as it turned out to be none: that says nothing of those before.
      if (ordinal < this.#floor) this.#floor = 0;
    }
    this.#newest = ordinal;
    this.#length = Math.max(this.#length, length);
    const first = ordinal - length + 1;
    const isComplete = this.#missing(first) === null;
    if (!isComplete) void this.#fill();
    return {
      length,
      isComplete,
      series: (key) => {
        const values = new Float32Array(length);
        this.#points.read(key, first, values);
        this.#summarize(key, first, values);
        return values;
      },
    };
  }

  /** A seek: the budget for reading begins anew. */
  restart(): void {
    this.#usedBytes = 0;
    this.#floor = 0;
  }

  close(): void {
    this.#close.abort();
  }

  /** Of the longest history. */
  get #first(): number {
    return this.#newest - this.#length + 1;
  }

  /** The oldest frame that is read for a history from `first` on. */
  #oldest(first: number): number {
    return Math.max(this.#store.blocks[0]?.first_ordinal ?? 0, first, this.#floor);
  }

  /** The newest frame of a history from `first` on that has not been read; `null` where all have. */
  #missing(first: number): number | null {
    const oldest = this.#oldest(first);
    for (let ordinal = this.#newest; ordinal >= oldest; ordinal--) {
      if (!this.#points.has(ordinal)) return ordinal;
    }
    return null;
  }

  async #fill(): Promise<void> {
    if (this.#isFilling) return;
    this.#isFilling = true;
    try {
      await new Promise((resolve) => setImmediate(resolve));
      for (;;) {
        const ordinal = this.#missing(this.#first);
        if (ordinal === null) break;
        await this.#read(ordinal);
      }
    } catch (error) {
      await this.#afterwards(error);
    } finally {
      this.#isFilling = false;
      if (!this.#close.signal.aborted) this.#onFilled();
    }
  }

  /** Where a block turns out to be another one, the store looks again, and so does this. */
  async #afterwards(error: unknown): Promise<void> {
    if (error instanceof BlockMismatch && this.#store.distrust(error.block)) {
      await whenKnown(
        this.#store,
        new AbortController().signal,
        () => this.#close.signal.aborted,
        () => {},
      );
    } else {
      // The block cannot be read; whoever moves there will find out why.
      this.#floor = this.#newest + 1;
    }
  }

  /** Reads a block's frames from that one backwards, as many as the event loop can wait for. */
  async #read(ordinal: number): Promise<void> {
    const { numbering } = this.#store;
    const block = this.#store.blocks.findLast((one) => one.first_ordinal <= ordinal);
    // A ring has forgotten what lies between the block that is shown and the others.
    const isThere = block !== undefined && ordinal < block.first_ordinal + block.frames;
    if (!isThere || this.#usedBytes > MAX_TEXT_BYTES) {
      this.#floor = ordinal + 1;
      return;
    }
    const isHeld = this.#cache.peek(block) !== null;
    const look = (decoded: DecodedBlock) => {
      if (!isHeld) this.#usedBytes += decoded.textBytes;
      if (numbering === this.#store.numbering) this.#readSlice(block, decoded, ordinal);
    };
    await this.#cache.use(block, this.#close.signal, () => {}, look);
    await new Promise((resolve) => setImmediate(resolve));
    this.#close.signal.throwIfAborted();
  }

  #readSlice(block: Block, decoded: DecodedBlock, ordinal: number): void {
    const sliceEnd = performance.now() + SLICE_MS;
    for (let n = ordinal; n >= Math.max(block.first_ordinal, this.#oldest(this.#first)); n--) {
      if (!this.#points.has(n)) this.#points.add(n, frameOf(block, decoded, n - block.first_ordinal), this.#newest);
      if (!this.#points.has(n)) this.#floor = n + 1;
      if (performance.now() >= sliceEnd) return;
    }
  }

  #summarize(key: string, first: number, values: Float32Array): void {
    const found = SUMMARIES.find(([measure]) => measureKey(ALL, measure) === key);
    if (found === undefined || first >= this.#floor) return;
    const [, curve, part] = found;
    for (const block of this.#store.blocks) {
      const value = block.findings?.curves[curve]?.[part];
      if (value === undefined || block.first_ordinal >= this.#floor) continue;
      const from = Math.max(0, block.first_ordinal - first);
      const to = Math.min(values.length, block.first_ordinal + block.frames - first, this.#floor - first);
      for (let n = from; n < to; n++) if (!this.#points.has(first + n)) values[n] = value;
    }
  }
}
