import type { Detector } from "../events/detector.ts";
import type { DetectedEvent } from "../events/event.ts";
import type { Frame } from "../frame/frame.ts";
import { type Block, type BlockFindings, BlockMismatch, type BlockStore } from "./block.ts";
import { isAsSaid } from "./block_cache.ts";
import { whenKnown } from "./block_order.ts";
import type { BlockSlices } from "./block_slices.ts";
import { BlockCollector, openAfterBlock } from "./block_summary.ts";
import { DecodedBlock, frameOf } from "./decoded_block.ts";

/** How long looking may keep the event loop. */
const SLICE_MS = 8;
/** A block that takes more of the timeline than this is looked at for finer curves, too. */
const COARSE_SHARE = 1 / 64;
/** Of fewer frames the range is as good as a curve, and those of a cluster take 20 ms each. */
const FEW_FRAMES = 8;

/** A look at the frames of one block, one after the other. */
interface BlockLook {
  readonly first_ordinal: number;
  readonly collector: BlockCollector;
  readonly slices: BlockSlices;
}

/**
 * Looks at all frames of the blocks of which nothing is known yet: files without index, the end of one that is being
 * written, what is in memory. One block after the other, behind whatever else goes on.
 */
export class Analyst {
  readonly #store: BlockStore;
  readonly #interval_ms: () => number | null;
  readonly #stop = new AbortController();
  readonly #stopListening: () => void;
  #running: Promise<void> | null = null;
  #detector: Detector | null = null;
  /** The frame that the detector has not seen yet. */
  #next_ordinal = -1;
  #look: BlockLook | null = null;
  /** What the ordinals of the detector and the look go by. */
  #numbering: number;
  #readsAll = false;

  /** `interval_ms`: from one frame to the next, as far as the recording says. */
  constructor(store: BlockStore, interval_ms: () => number | null) {
    this.#store = store;
    this.#interval_ms = interval_ms;
    this.#numbering = store.numbering;
    this.#stopListening = store.onChange(() => this.#wake());
    this.#wake();
  }

  /** Share of the frames that have been looked at as far as is wanted, 0 to 1. */
  get done(): number {
    const { blocks, scanned } = this.#store;
    const isUnread = this.#unread();
    let frames = 0;
    let known = 0;
    for (const block of blocks) {
      frames += block.frames;
      if (block.findings !== null && !isUnread(block)) known += block.frames;
    }
    return frames === 0 ? 1 : (known / frames) * scanned;
  }

  /**
   * Resolves when nothing is left to look at, for now: of a recording that is not too long for that, no line at all has
   * been taken for a frame unread.
   */
  async finished(): Promise<void> {
    this.#readsAll = true;
    this.#wake();
    while (this.#running !== null || this.#store.scanned < 1) {
      await this.#running;
      // A line that is no frame makes the store look at its file again.
      await whenKnown(
        this.#store,
        new AbortController().signal,
        () => false,
        () => {},
      );
    }
  }

  close(): void {
    this.#stop.abort();
    this.#stopListening();
  }

  #wake(): void {
    if (this.#running !== null || this.#stop.signal.aborted || this.#todo() === undefined) return;
    this.#running = this.#run()
      .catch((error: unknown) => {
        // A block that cannot be read stays unknown; whoever moves there will find out why.
        if (!(error instanceof BlockMismatch && this.#store.distrust(error.block))) this.#stop.abort();
      })
      .finally(() => {
        this.#running = null;
        this.#wake();
      });
  }

  /** Events are found in order; finer curves can be had in any. A scan goes first: the timeline is wanted more. */
  #todo(): Block | undefined {
    const { blocks, scanned } = this.#store;
    if (scanned < 1) return undefined;
    return blocks.find(({ findings }) => findings === null) ?? blocks.find(this.#unread());
  }

  /**
   * Tells the blocks that their index tells of and that are to be read as well: all of a short recording, as any of its
   * lines may be damaged; of others those that want finer curves, long ones on the timeline, of which there are few.
   */
  #unread(): (block: Block) => boolean {
    const { blocks, effort } = this.#store;
    const readsAll = effort === "little" || (effort === "some" && this.#readsAll);
    if (readsAll) return ({ findings }) => findings?.slices === null;
    if (blocks.length > 1 / COARSE_SHARE) return () => false;
    const span_ms = (blocks.at(-1)?.after.place_ms ?? 0) - (blocks[0]?.first_place_ms ?? 0);
    return ({ findings, frames, after, first_place_ms }) =>
      findings?.slices === null && frames >= FEW_FRAMES && after.place_ms - first_place_ms > span_ms * COARSE_SHARE;
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#numbering !== this.#store.numbering) this.#forget();
    for (let block = this.#todo(); block !== undefined; block = this.#todo()) {
      this.#stop.signal.throwIfAborted();
      const { blocks } = this.#store;
      try {
        if (block.findings === null) await this.#lookAt(block);
        else await this.#refine(block, block.findings);
      } catch (error) {
        // Blocks may go away while one looks at them: then there are others.
        if (this.#store.blocks === blocks) throw error;
        this.#detector = null;
        this.#look = null;
      }
    }
  }

  /** The ordinals mean other frames now. */
  #forget(): void {
    this.#numbering = this.#store.numbering;
    this.#detector = null;
    this.#look = null;
  }

  /** Decodes the block and calls for each frame from one on, giving the event loop its turn every now and then. */
  async #eachFrame(block: Block, from: (decoded: DecodedBlock) => number, look: Look): Promise<void> {
    const { signal } = this.#stop;
    const text = await this.#store.load(block, signal, () => {});
    signal.throwIfAborted();
    if (text === null) throw new BlockMismatch(block);
    const decoded = new DecodedBlock(text, block);
    try {
      if (!isAsSaid(block, decoded)) throw new BlockMismatch(block);
      let sliceEnd = performance.now() + SLICE_MS;
      for (let n = from(decoded); n < decoded.frames; n++) {
        look(n, decoded, frameOf(block, decoded, n));
        if (performance.now() < sliceEnd) continue;
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        sliceEnd = performance.now() + SLICE_MS;
      }
    } finally {
      decoded.free();
    }
  }

  async #lookAt(block: Block): Promise<void> {
    const detector = await this.#detectorFor(block);
    const look = this.#look?.first_ordinal === block.first_ordinal ? this.#look : await newLook(block, detector);
    this.#look = look;
    const { collector, slices } = look;
    const { frames } = collector;
    await this.#eachFrame(
      block,
      () => frames,
      (n, decoded, frame) => {
        const events = this.#detect(detector, decoded, n, frame, block);
        collector.add(frame, events, detector.refused);
        slices.add(frame, decoded.place_ms(n));
        this.#next_ordinal = block.first_ordinal + n + 1;
      },
    );
    this.#store.describe(block, { ...collector.findings(), slices: slices.slices(block) });
  }

  #detect(detector: Detector, decoded: DecodedBlock, n: number, frame: Frame, block: Block): DetectedEvent[] {
    const interval_ms = decoded.stretches.get(n);
    if (interval_ms !== undefined) detector.restart(interval_ms);
    const offset_ms = block.after.elapsed_ms === null ? 0 : block.after.offset_ms;
    const seq = decoded.seq(n) ?? block.first_ordinal + n;
    return detector
      .add(frame, { seq, elapsed_ms: decoded.place_ms(n) })
      .map((event) => ({ ...event, elapsed_ms: event.elapsed_ms - offset_ms }));
  }

  /** The detector as it is before the block: the one at hand, or one that has seen what it must know. */
  async #detectorFor(block: Block): Promise<Detector> {
    const wanted =
      block.first_ordinal + (this.#look?.first_ordinal === block.first_ordinal ? this.#look.collector.frames : 0);
    if (this.#detector !== null && this.#next_ordinal === wanted) return this.#detector;
    this.#look = null;
    this.#detector = await this.#primed(block);
    return this.#detector;
  }

  /**
   * It is told what was on when the block began, and shown as many frames before it as it remembers. Where the block
   * before does not say what was on at its end, that begins one block earlier.
   */
  async #primed(block: Block): Promise<Detector> {
    const { Detector, lookback_ms } = await import("../events/detector.ts");
    const { blocks } = this.#store;
    const interval_ms = this.#interval_ms();
    const at = blocks.indexOf(block);
    const before = blocks[at - 1];
    if (before === undefined) return new Detector({ interval_ms });
    const open = before.findings && openAfterBlock(before.findings);
    const known_at = open === null ? at - 1 : at;
    const from_ms = (blocks[known_at] ?? block).first_place_ms - lookback_ms(interval_ms);
    const earlier = blocks.slice(0, known_at).filter(({ after }, n) => after.place_ms >= from_ms || n === known_at - 1);
    const detector = new Detector({ interval_ms, last_ms: earlier[0]?.before?.place_ms ?? null });
    for (const one of earlier) await this.#show(detector, one, from_ms);
    detector.open = open ?? before.findings?.open ?? [];
    if (open === null) await this.#show(detector, before, from_ms);
    return detector;
  }

  async #show(detector: Detector, block: Block, from_ms: number): Promise<void> {
    const begin = (decoded: DecodedBlock): number => {
      const first = Math.max(0, decoded.lastAtOrBefore(from_ms));
      const stretch = [...decoded.stretches].findLast(([n]) => n <= first);
      if (stretch !== undefined) detector.restart(stretch[1]);
      return first;
    };
    await this.#eachFrame(block, begin, (n, decoded, frame) => {
      this.#detect(detector, decoded, n, frame, block);
    });
  }

  /** Of an indexed block only the finer curves are missing, and whether all of it can be read. */
  async #refine(block: Block, findings: BlockFindings): Promise<void> {
    const slices = await newSlices();
    await this.#eachFrame(
      block,
      () => 0,
      (n, decoded, frame) => slices.add(frame, decoded.place_ms(n)),
    );
    this.#store.describe(block, { ...findings, slices: slices.slices(block) });
  }
}

/** Code that a recording with a whole index does without. */
async function newSlices(): Promise<BlockSlices> {
  const { BlockSlices } = await import("./block_slices.ts");
  return new BlockSlices();
}

async function newLook({ first_ordinal }: Block, { open }: Detector): Promise<BlockLook> {
  return { first_ordinal, collector: new BlockCollector({ interval_ms: null, open }), slices: await newSlices() };
}

type Look = (n: number, decoded: DecodedBlock, frame: Frame) => void;
