import type { Frame } from "../frame/frame.ts";
import type { Block, BlockStore } from "./block.ts";
import type { BlockCache } from "./block_cache.ts";
import { lastIndex, lastOrdinal, whenKnown } from "./block_order.ts";
import { type DecodedBlock, frameOf } from "./decoded_block.ts";

/** A frame of a decoded block. */
export interface Target {
  readonly block: Block;
  readonly decoded: DecodedBlock;
  readonly frame: Frame;
  readonly n: number;
}

type IsIn = (block: Block) => boolean;
type FrameIn = (decoded: DecodedBlock, block: Block) => number;

/**
 * Finds frames in blocks, with one decode at most. Where what is known by now does not tell, it waits until it does.
 * Rejects with BlockMismatch, and with the signal's reason when aborted. `null` where there is no such frame.
 */
export class BlockSearch {
  readonly #store: BlockStore;
  readonly #cache: BlockCache;
  readonly #onProgress: (done: number) => void;

  constructor(store: BlockStore, cache: BlockCache, onProgress: (done: number) => void) {
    this.#store = store;
    this.#cache = cache;
    this.#onProgress = onProgress;
  }

  /** The last frame at or before a place of the timeline, at least the first one. */
  async atPlace(place_ms: number, signal: AbortSignal): Promise<Target | null> {
    await this.known(signal, () => (this.#store.blocks.at(-1)?.after.place_ms ?? Number.NEGATIVE_INFINITY) > place_ms);
    const { blocks } = this.#store;
    const block = blocks[lastIndex(blocks, (one) => one.first_place_ms <= place_ms)] ?? blocks[0];
    return block === undefined ? null : await this.#in(block, signal, (decoded) => decoded.lastAtOrBefore(place_ms));
  }

  /** The first frame of which the wall clock is at or after it; else the last one. */
  atWall(t_ms: number, signal: AbortSignal): Promise<Target | null> {
    return this.#firstOrLast(
      (block) => block.highest_t_ms >= t_ms,
      (decoded) => decoded.firstAtWall(t_ms),
      signal,
    );
  }

  /** The first frame of which the `seq` is at or after it; else the last one. */
  atSeq(seq: number, signal: AbortSignal): Promise<Target | null> {
    return this.#firstOrLast(
      (block) => block.highest_seq >= seq,
      (decoded, block) => decoded.firstWithSeq(seq, block.first_ordinal),
      signal,
    );
  }

  first(signal: AbortSignal): Promise<Target | null> {
    return this.#firstOrLast(
      () => true,
      () => 0,
      signal,
    );
  }

  last(signal: AbortSignal): Promise<Target | null> {
    return this.#firstOrLast(
      () => false,
      () => 0,
      signal,
    );
  }

  /** The frame with that ordinal, or the next one that a ring still has. */
  async from(ordinal: number, signal: AbortSignal): Promise<Target | null> {
    const isIn = (block: Block) => lastOrdinal(block) >= ordinal;
    await this.known(signal, () => this.#store.blocks.some(isIn));
    const block = this.#store.blocks.find(isIn);
    return block === undefined ? null : await this.#in(block, signal, () => ordinal - block.first_ordinal);
  }

  /** The frame with that ordinal, or the last one before it that a ring still has. */
  async upTo(ordinal: number, signal: AbortSignal): Promise<Target | null> {
    const block = this.#store.blocks.findLast((one) => one.first_ordinal <= ordinal);
    return block === undefined ? null : await this.#in(block, signal, () => ordinal - block.first_ordinal);
  }

  /** Waits until it holds, or all is known. */
  async known(signal: AbortSignal, isKnown: () => boolean): Promise<void> {
    await whenKnown(this.#store, signal, isKnown, () => this.#onProgress(this.#store.scanned));
  }

  /** The first frame of the first block for which it holds; the last frame of all where it holds for none. */
  async #firstOrLast(isIn: IsIn, frame: FrameIn, signal: AbortSignal): Promise<Target | null> {
    await this.known(signal, () => this.#store.blocks.some(isIn));
    const { blocks } = this.#store;
    const block = blocks.find(isIn);
    if (block !== undefined) return await this.#in(block, signal, (decoded) => frame(decoded, block));
    const last = blocks.at(-1);
    return last === undefined ? null : await this.#in(last, signal, ({ frames }) => frames - 1);
  }

  #in(block: Block, signal: AbortSignal, frame: (decoded: DecodedBlock) => number): Promise<Target> {
    return this.#cache.use(block, signal, this.#onProgress, (decoded) => {
      const n = Math.min(Math.max(0, frame(decoded)), block.frames - 1);
      return { block, decoded, n, frame: frameOf(block, decoded, n) };
    });
  }
}
