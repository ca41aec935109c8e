import type { DetectedEvent } from "../events/event.ts";
import { Analyst } from "./analyst.ts";
import { BlockMismatch, type BlockStore, Changes } from "./block.ts";
import { BlockCache } from "./block_cache.ts";
import { placeBehind, rangeOf } from "./block_order.ts";
import { BlockSearch, type Target } from "./block_search.ts";
import {
  type Cursor,
  type CursorRange,
  type EnvelopeColumn,
  type History,
  Overtaken,
  type Position,
} from "./cursor.ts";
import { envelopeOf } from "./envelope.ts";
import { HistoryFiller } from "./history.ts";
import { PointStore } from "./points.ts";
import { TimelineEvents } from "./timeline_events.ts";

type Find = (signal: AbortSignal) => Promise<Target | null>;

/** A cursor over blocks, wherever they are kept. A move decodes one block at most, a neighbouring one mostly none. */
export class BlockCursor implements Cursor {
  readonly #store: BlockStore;
  readonly #interval_ms: () => number | null;
  readonly #cache: BlockCache;
  readonly #search: BlockSearch;
  readonly #points = new PointStore();
  readonly #history: HistoryFiller;
  readonly #analyst: Analyst;
  readonly #events = new TimelineEvents();
  readonly #changes = new Changes();
  readonly #stopListening: () => void;
  #current: Position | null = null;
  /** The block of the current frame. */
  #around: Target | null = null;
  /** What the ordinals of the current frame and of the points go by. */
  #numbering: number;
  #move: AbortController | null = null;
  #progress: number | null = null;

  /** `interval_ms`: from one frame to the next, as far as that is known; what is a gap depends on it. */
  constructor(store: BlockStore, interval_ms: () => number | null) {
    this.#store = store;
    this.#interval_ms = interval_ms;
    this.#numbering = store.numbering;
    this.#analyst = new Analyst(store, interval_ms);
    this.#cache = new BlockCache(store);
    this.#search = new BlockSearch(store, this.#cache, (done) => this.#tell(done));
    this.#history = new HistoryFiller(store, this.#cache, this.#points, () => this.#changes.emit());
    this.#stopListening = store.onChange(() => this.#onStore());
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

  get isEnded(): boolean {
    return this.#store.isEnded;
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
    return rangeOf(this.#store);
  }

  get lowest_t_ms(): number {
    return this.#store.blocks.reduce((lowest, block) => Math.min(lowest, block.lowest_t_ms), Number.POSITIVE_INFINITY);
  }

  get nextPlace_ms(): number | null {
    if (this.#current === null || this.#around === null) return null;
    const { ordinal, place_ms } = this.#current;
    const { block: around, decoded, n } = this.#around;
    if (n + 1 < around.frames) return decoded.place_ms(n + 1);
    return placeBehind(this.#store.blocks, ordinal, place_ms);
  }

  next(): Promise<Position | null> {
    return this.#to((signal) => this.#search.from((this.#current?.ordinal ?? -1) + 1, signal));
  }

  previous(): Promise<Position | null> {
    return this.#to((signal) => {
      const ordinal = this.#current?.ordinal;
      return ordinal === undefined ? this.#search.first(signal) : this.#search.upTo(ordinal - 1, signal);
    });
  }

  seek(place_ms: number): Promise<Position | null> {
    return this.#to((signal) => this.#search.atPlace(place_ms, signal));
  }

  seekWall(t_ms: number): Promise<Position | null> {
    return this.#to((signal) => this.#search.atWall(t_ms, signal));
  }

  seekTo(seq: number): Promise<Position | null> {
    return this.#to((signal) => this.#search.atSeq(seq, signal));
  }

  first(): Promise<Position | null> {
    return this.#to((signal) => this.#search.first(signal));
  }

  last(): Promise<Position | null> {
    return this.#to((signal) => this.#search.last(signal));
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
    return this.#events.of(this.#store.blocks);
  }

  refusedConditions(): ReadonlyMap<string, number> {
    return this.#events.refusedIn(this.#store.blocks);
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

  /** Where the ordinals mean other frames now, the current one is found again; a move under way does that by itself. */
  #onStore(): void {
    this.#changes.emit();
    const isOther = this.#store.numbering !== this.#numbering && this.#store.scanned >= 1;
    if (!isOther || this.#current === null || this.#move !== null) return;
    this.#to(async () => null).then(
      () => this.#changes.emit(),
      // Overtaken, or there is nothing to be read any more: the next move tells.
      () => {},
    );
  }

  #tell(done: number): void {
    this.#progress = done;
    this.#changes.emit();
  }

  async #to(find: Find): Promise<Position | null> {
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
      if (this.#move === move) {
        this.#progress = null;
        this.#move = null;
      }
    }
  }

  /** Where a block is not what its index says the store looks again, and so does this. */
  async #trusting(find: Find, signal: AbortSignal): Promise<Target | null> {
    for (;;) {
      const { blocks } = this.#store;
      try {
        await this.#renumber(signal);
        return await find(signal);
      } catch (error) {
        if (!(error instanceof BlockMismatch)) throw error;
        if (this.#store.blocks !== blocks) continue;
        if (!this.#store.distrust(error.block)) throw error;
        await this.#search.known(signal, () => false);
      }
    }
  }

  /** Once an index turned out to lie, the current frame may have another ordinal: it is found again by its `seq`. */
  async #renumber(signal: AbortSignal): Promise<void> {
    const { numbering } = this.#store;
    if (numbering === this.#numbering) return;
    this.#points.clear();
    this.#history.restart();
    if (this.#current !== null) {
      const { seq, t_ms } = this.#current.frame;
      const target = await (seq === null ? this.#search.atWall(t_ms, signal) : this.#search.atSeq(seq, signal));
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
