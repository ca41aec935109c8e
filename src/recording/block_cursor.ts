import type { DetectedEvent } from "../events/event.ts";
import type { Frame } from "../frame/frame.ts";
import { Analyst } from "./analyst.ts";
import { type Block, BlockMismatch, type BlockStore, Changes } from "./block.ts";
import { BlockCache } from "./block_cache.ts";
import {
  type Cursor,
  type CursorRange,
  type EnvelopeColumn,
  type History,
  Overtaken,
  type Position,
} from "./cursor.ts";
import type { DecodedBlock } from "./decoded_block.ts";
import { envelopeOf } from "./envelope.ts";
import { HistoryFiller } from "./history.ts";
import { PointStore } from "./points.ts";

/** Where a move ends: a frame of a decoded block. */
interface Target {
  readonly block: Block;
  readonly decoded: DecodedBlock;
  readonly frame: Frame;
  readonly n: number;
}

const lastOrdinal = (block: Block): number => block.first_ordinal + block.frames - 1;

/** A cursor over blocks, wherever they are kept. A move decodes one block at most, a neighbouring one mostly none. */
export class BlockCursor implements Cursor {
  readonly #store: BlockStore;
  readonly #interval_ms: () => number | null;
  readonly #cache: BlockCache;
  readonly #points = new PointStore();
  readonly #history: HistoryFiller;
  readonly #analyst: Analyst;
  readonly #changes = new Changes();
  readonly #stopListening: () => void;
  #current: Position | null = null;
  /** The block of the current frame. */
  #around: Target | null = null;
  /** What the ordinals of the current frame and of the points go by. */
  #numbering: number;
  #move: AbortController | null = null;
  #progress: number | null = null;
  #known: EventsKnown = { findings: [], events: [] };

  /** `interval_ms`: from one frame to the next, as far as that is known; what is a gap depends on it. */
  constructor(store: BlockStore, interval_ms: () => number | null) {
    this.#store = store;
    this.#interval_ms = interval_ms;
    this.#numbering = store.numbering;
    this.#analyst = new Analyst(store, interval_ms);
    this.#cache = new BlockCache(store);
    this.#history = new HistoryFiller(store, this.#cache, this.#points, () => this.#changes.emit());
    this.#stopListening = store.onChange(() => this.#changes.emit());
  }

  get current(): Position | null {
    return this.#current;
  }

  get analysed(): number {
    return this.#analyst.done;
  }

  /** Resolves when all frames that are known by now have been analysed. */
  finishAnalysis(): Promise<void> {
    return this.#analyst.finished();
  }

  get progress(): number | null {
    return this.#progress;
  }

  get skipped(): ReadonlyMap<string, number> {
    return this.#store.skipped;
  }

  get refused(): string | null {
    return this.#store.refused;
  }

  /** How many blocks have been decoded so far. */
  get decodes(): number {
    return this.#cache.decodes;
  }

  /** Decoded text that is held. */
  get heldBytes(): number {
    return this.#cache.heldBytes;
  }

  get range(): CursorRange {
    const { blocks, scanned } = this.#store;
    const first = blocks[0];
    const last = blocks.at(-1);
    return {
      first_t_ms: first?.first_t_ms ?? 0,
      last_t_ms: last?.after.t_ms ?? 0,
      first_place_ms: first?.first_place_ms ?? 0,
      last_place_ms: last?.after.place_ms ?? 0,
      frames: first === undefined || last === undefined ? 0 : lastOrdinal(last) + 1 - first.first_ordinal,
      scanned,
    };
  }

  get nextPlace_ms(): number | null {
    if (this.#current === null || this.#around === null) return null;
    const { ordinal, place_ms } = this.#current;
    const { block: around, decoded, n } = this.#around;
    if (n + 1 < around.frames) return decoded.place_ms(n + 1);
    const { blocks } = this.#store;
    const block = blocks[lastIndex(blocks, (one) => lastOrdinal(one) <= ordinal) + 1];
    if (block === undefined) return null;
    if (block.first_ordinal > ordinal) return block.first_place_ms;
    // The current block has grown: its new frames are about evenly spread.
    return place_ms + (block.after.place_ms - place_ms) / (lastOrdinal(block) - ordinal);
  }

  next(): Promise<Position | null> {
    return this.#current === null ? this.first() : this.#to((signal) => this.#after(signal));
  }

  previous(): Promise<Position | null> {
    return this.#current === null ? this.first() : this.#to((signal) => this.#before(signal));
  }

  seek(place_ms: number): Promise<Position | null> {
    return this.#to(async (signal) => {
      await this.#until(
        signal,
        () => (this.#store.blocks.at(-1)?.after.place_ms ?? Number.NEGATIVE_INFINITY) > place_ms,
      );
      const { blocks } = this.#store;
      const block = blocks[lastIndex(blocks, (one) => one.first_place_ms <= place_ms)] ?? blocks[0];
      return block === undefined ? null : await this.#in(block, signal, (decoded) => decoded.lastAtOrBefore(place_ms));
    });
  }

  seekWall(t_ms: number): Promise<Position | null> {
    return this.#find(
      (block) => block.highest_t_ms >= t_ms,
      (decoded) => decoded.firstAtWall(t_ms),
    );
  }

  seekTo(seq: number): Promise<Position | null> {
    return this.#find(
      (block) => block.highest_seq >= seq,
      (decoded, block) => decoded.firstWithSeq(seq, block.first_ordinal),
    );
  }

  first(): Promise<Position | null> {
    return this.#find(
      () => true,
      () => 0,
    );
  }

  last(): Promise<Position | null> {
    return this.#find(
      () => false,
      () => 0,
    );
  }

  cancel(): void {
    this.#move?.abort(new Overtaken());
    this.#move = null;
    this.#progress = null;
  }

  history(length: number): History {
    return this.#history.upTo(this.#current?.ordinal ?? -1, length);
  }

  envelope(columns: number): readonly (EnvelopeColumn | null)[] {
    return envelopeOf(this.#store.blocks, this.range, columns, this.#interval_ms());
  }

  events(): readonly DetectedEvent[] {
    const findings = this.#store.blocks.map((block) => block.findings);
    const { length } = findings;
    const known = this.#known;
    if (known.findings.length === length && findings.every((one, n) => one === known.findings[n])) return known.events;
    const events = this.#store.blocks.flatMap((block) => onTimeline(block));
    this.#known = { findings, events };
    return events;
  }

  onChange(listener: () => void): () => void {
    return this.#changes.on(listener);
  }

  close(): void {
    this.cancel();
    this.#history.close();
    this.#analyst.close();
    this.#stopListening();
    this.#store.close();
  }

  /** The first frame of the first block for which it holds; the last frame of all where it holds for none. */
  #find(isIn: IsIn, frame: FrameIn): Promise<Position | null> {
    return this.#to((signal) => this.#firstOrLast(signal, isIn, frame));
  }

  async #firstOrLast(signal: AbortSignal, isIn: IsIn, frame: FrameIn): Promise<Target | null> {
    await this.#until(signal, () => this.#store.blocks.some(isIn));
    const { blocks } = this.#store;
    const block = blocks.find(isIn);
    if (block !== undefined) return await this.#in(block, signal, (decoded) => frame(decoded, block));
    const last = blocks.at(-1);
    return last === undefined ? null : await this.#in(last, signal, ({ frames }) => frames - 1);
  }

  /** The frame after the current one, or the next one that a ring still has. */
  async #after(signal: AbortSignal): Promise<Target | null> {
    const ordinal = (this.#current?.ordinal ?? -1) + 1;
    const isIn = (block: Block) => lastOrdinal(block) >= ordinal;
    await this.#until(signal, () => this.#store.blocks.some(isIn));
    const block = this.#store.blocks.find(isIn);
    return block === undefined ? null : await this.#in(block, signal, () => ordinal - block.first_ordinal);
  }

  /** The frame before the current one, or the last one before it that a ring still has. */
  async #before(signal: AbortSignal): Promise<Target | null> {
    const ordinal = (this.#current?.ordinal ?? 0) - 1;
    const block = this.#store.blocks.findLast((one) => one.first_ordinal <= ordinal);
    return block === undefined ? null : await this.#in(block, signal, () => ordinal - block.first_ordinal);
  }

  async #in(block: Block, signal: AbortSignal, frame: (decoded: DecodedBlock) => number): Promise<Target> {
    return await this.#cache.use(
      block,
      signal,
      (done) => this.#tell(done),
      (decoded) => {
        const n = Math.min(Math.max(0, frame(decoded)), block.frames - 1);
        return { block, decoded, n, frame: decoded.frame(n) };
      },
    );
  }

  /** Waits until it holds, or all is known. */
  async #until(signal: AbortSignal, isKnown: () => boolean): Promise<void> {
    while (!isKnown() && this.#store.scanned < 1) {
      this.#tell(this.#store.scanned);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = this.#store.onChange(resolve);
      const abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort);
      await promise.finally(() => {
        stop();
        signal.removeEventListener("abort", abort);
      });
    }
    signal.throwIfAborted();
  }

  #tell(done: number): void {
    this.#progress = done;
    this.#changes.emit();
  }

  async #to(find: (signal: AbortSignal) => Promise<Target | null>): Promise<Position | null> {
    this.cancel();
    const move = new AbortController();
    this.#move = move;
    try {
      const target = await this.#trusting(find, move.signal);
      move.signal.throwIfAborted();
      return target === null ? null : this.#arrive(target);
    } catch (error) {
      throw move.signal.aborted ? new Overtaken() : error;
    } finally {
      if (this.#move === move) this.#progress = null;
    }
  }

  /** Where a block is not what its index says the store looks again, and so does this. */
  async #trusting(find: (signal: AbortSignal) => Promise<Target | null>, signal: AbortSignal): Promise<Target | null> {
    for (;;) {
      const { blocks } = this.#store;
      try {
        await this.#renumber(signal);
        return await find(signal);
      } catch (error) {
        if (!(error instanceof BlockMismatch)) throw error;
        if (this.#store.blocks !== blocks) continue;
        if (!this.#store.distrust(error.block)) throw error;
        await this.#until(signal, () => false);
      }
    }
  }

  /** Once an index turned out to lie, the current frame may have another ordinal: it is found again by its `seq`. */
  async #renumber(signal: AbortSignal): Promise<void> {
    const { numbering } = this.#store;
    if (numbering === this.#numbering) return;
    this.#points.clear();
    const { seq, t_ms } = this.#current?.frame ?? {};
    if (t_ms !== undefined) {
      const isIn: IsIn = (block) => (typeof seq === "number" ? block.highest_seq >= seq : block.highest_t_ms >= t_ms);
      const target = await this.#firstOrLast(signal, isIn, (decoded, { first_ordinal }) =>
        typeof seq === "number" ? decoded.firstWithSeq(seq, first_ordinal) : decoded.firstAtWall(t_ms),
      );
      if (target !== null) this.#arrive(target);
    }
    this.#numbering = numbering;
  }

  #arrive(target: Target): Position {
    const { block, decoded, n, frame } = target;
    const ordinal = block.first_ordinal + n;
    this.#around = target;
    if (this.#current?.ordinal === ordinal && this.#current.place_ms === decoded.place_ms(n)) return this.#current;
    const isNeighbour = this.#current !== null && Math.abs(this.#current.ordinal - ordinal) === 1;
    this.#current = { frame, ordinal, place_ms: decoded.place_ms(n) };
    this.#points.add(ordinal, frame, ordinal);
    this.#store.pin(ordinal);
    if (!isNeighbour) this.#history.restart();
    return this.#current;
  }
}

type IsIn = (block: Block) => boolean;
type FrameIn = (decoded: DecodedBlock, block: Block) => number;

interface EventsKnown {
  readonly findings: readonly Block["findings"][];
  readonly events: readonly DetectedEvent[];
}

/** Events with `elapsed_ms` as the place on the timeline. */
function onTimeline({ findings, after }: Block): readonly DetectedEvent[] {
  if (findings === null) return [];
  if (after.offset_ms === 0 || after.elapsed_ms === null) return findings.events;
  return findings.events.map((event) => ({ ...event, elapsed_ms: event.elapsed_ms + after.offset_ms }));
}

/** The last block for which it holds; it holds for the first ones only. -1 where it holds for none. */
function lastIndex(blocks: readonly Block[], holds: (block: Block) => boolean): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const block = blocks[middle];
    if (block !== undefined && holds(block)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
