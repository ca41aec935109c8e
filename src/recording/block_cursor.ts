import type { DetectedEvent } from "../events/event.ts";
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
  readonly n: number;
}

const lastOrdinal = (block: Block): number => block.first_ordinal + block.frames - 1;
/** Frames without `seq` are counted. */
const lastSeq = (block: Block): number => block.last_seq ?? lastOrdinal(block);

/** A cursor over blocks, wherever they are kept. A move decodes one block at most, a neighbouring one mostly none. */
export class BlockCursor implements Cursor {
  readonly #store: BlockStore;
  readonly #cache: BlockCache;
  readonly #points = new PointStore();
  readonly #history: HistoryFiller;
  readonly #analyst: Analyst;
  readonly #changes = new Changes();
  readonly #stopListening: () => void;
  #current: Position | null = null;
  #move: AbortController | null = null;
  #progress: number | null = null;
  #known: EventsKnown = { findings: [], events: [] };

  /** `interval_ms`: from one frame to the next, as far as that is known; what is a gap depends on it. */
  constructor(store: BlockStore, interval_ms: () => number | null) {
    this.#store = store;
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
    const ordinal = this.#current === null ? Number.NaN : this.#current.ordinal + 1;
    const block = this.#store.blocks.findLast((one) => one.first_ordinal <= ordinal);
    if (block === undefined || ordinal > lastOrdinal(block)) return null;
    if (ordinal === block.first_ordinal) return block.first_place_ms;
    return this.#cache.peek(block)?.place_ms(ordinal - block.first_ordinal) ?? block.first_place_ms;
  }

  next(): Promise<Position | null> {
    const ordinal = this.#current === null ? null : this.#current.ordinal + 1;
    return ordinal === null ? this.first() : this.#to((signal) => this.#after(ordinal, signal));
  }

  previous(): Promise<Position | null> {
    const ordinal = this.#current === null ? null : this.#current.ordinal - 1;
    return ordinal === null ? this.first() : this.#to((signal) => this.#before(ordinal, signal));
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
      (block) => lastSeq(block) >= seq,
      (decoded, block) => (block.last_seq === null ? seq - block.first_ordinal : decoded.firstWithSeq(seq)),
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
    return envelopeOf(this.#store.blocks, this.range, columns);
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
  #find(
    isIn: (block: Block) => boolean,
    frame: (decoded: DecodedBlock, block: Block) => number,
  ): Promise<Position | null> {
    return this.#to(async (signal) => {
      await this.#until(signal, () => this.#store.blocks.some(isIn));
      const { blocks } = this.#store;
      const block = blocks.find(isIn);
      if (block !== undefined) return await this.#in(block, signal, (decoded) => frame(decoded, block));
      const last = blocks.at(-1);
      return last === undefined ? null : await this.#in(last, signal, ({ frames }) => frames - 1);
    });
  }

  /** The frame with that ordinal, or the next one where a ring has forgotten it. */
  async #after(ordinal: number, signal: AbortSignal): Promise<Target | null> {
    const isIn = (block: Block) => lastOrdinal(block) >= ordinal;
    await this.#until(signal, () => this.#store.blocks.some(isIn));
    const block = this.#store.blocks.find(isIn);
    return block === undefined ? null : await this.#in(block, signal, () => ordinal - block.first_ordinal);
  }

  /** The frame with that ordinal, or the one before it where a ring has forgotten it. */
  async #before(ordinal: number, signal: AbortSignal): Promise<Target | null> {
    const block = this.#store.blocks.findLast((one) => one.first_ordinal <= ordinal);
    return block === undefined ? null : await this.#in(block, signal, () => ordinal - block.first_ordinal);
  }

  async #in(block: Block, signal: AbortSignal, frame: (decoded: DecodedBlock) => number): Promise<Target> {
    const decoded = await this.#cache.get(block, signal, (done) => this.#tell(done));
    return { block, decoded, n: Math.min(Math.max(0, frame(decoded)), block.frames - 1) };
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
      this.#progress = null;
      return target === null ? null : this.#arrive(target);
    } catch (error) {
      throw move.signal.aborted ? new Overtaken() : error;
    }
  }

  /** Where a block is not what its index says the store looks again, and so does this. */
  async #trusting(find: (signal: AbortSignal) => Promise<Target | null>, signal: AbortSignal): Promise<Target | null> {
    for (;;) {
      const before = this.#store.blocks;
      try {
        return await find(signal);
      } catch (error) {
        const isOvertakenByGrowth = error instanceof BlockMismatch && this.#store.blocks !== before;
        const block = error instanceof BlockMismatch ? error.block : null;
        if (block === null || !(isOvertakenByGrowth || this.#store.distrust(block))) throw error;
        this.#points.clear();
        await this.#until(signal, () => false);
      }
    }
  }

  #arrive({ block, decoded, n }: Target): Position {
    const ordinal = block.first_ordinal + n;
    if (this.#current?.ordinal === ordinal && this.#current.place_ms === decoded.place_ms(n)) return this.#current;
    const frame = decoded.frame(n);
    const isNeighbour = this.#current !== null && Math.abs(this.#current.ordinal - ordinal) === 1;
    this.#current = { frame, ordinal, place_ms: decoded.place_ms(n) };
    this.#points.add(ordinal, frame);
    this.#store.pin(ordinal);
    if (!isNeighbour) this.#history.restart();
    return this.#current;
  }
}

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
