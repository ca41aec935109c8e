import type { DetectedEvent } from "../events/event.ts";
import type { Curve, Curves, Range } from "../frame/summary.ts";
import type { KeptEvents } from "./block_events.ts";
import type { Effort } from "./effort.ts";
import type { Trust } from "./line_judge.ts";
import type { PlaceState } from "./place.ts";

/** When the frames of a block were, known without reading more of them. */
export interface BlockFacts {
  readonly frames: number;
  /** The timeline before its first frame (`null`: there is none), and after its last. */
  readonly before: PlaceState | null;
  readonly after: PlaceState;
  /** Of the header above its first frame, as far as that is known without decoding. */
  readonly recording: string | null;
  readonly first_place_ms: number;
  readonly first_t_ms: number;
  readonly lowest_t_ms: number;
  readonly highest_t_ms: number;
  /** `null` where that frame has none. */
  readonly first_seq: number | null;
  /** A frame that has none counts as its ordinal. */
  readonly highest_seq: number;
}

/** A curve in equal steps of a block's time; `null` where nothing is known in one. */
export type Slices = { readonly [C in Curve]?: readonly (Range | null)[] };

/** What a look at the frames of a block found. */
export interface BlockFindings extends KeptEvents {
  readonly curves: Curves;
  readonly errors: number;
  /** The conditions that were on when the block began. */
  readonly open: readonly DetectedEvent[];
  /** Those that were on when it ended, where that does not follow from `open` and `events`. */
  readonly open_after: readonly DetectedEvent[] | null;
  /** The curves in finer steps, where a block is long on the timeline and somebody looked. */
  readonly slices: Slices | null;
}

/** A stretch of frames that is decoded as one. */
export interface Block extends BlockFacts {
  /** How its lines are told from what is no frame. */
  readonly trust: Trust;
  /** Of its first frame, counted over all that is there. */
  readonly first_ordinal: number;
  /** `null` until somebody has looked; an index tells it. */
  readonly findings: BlockFindings | null;
}

/** Tells how far something long has come, 0 to 1. */
export type OnProgress = (done: number) => void;

/** A loaded block was not what was said of it: its index lies, or its file was changed. */
export class BlockMismatch extends Error {
  override readonly name = "BlockMismatch";
  readonly block: Block;

  constructor(block: Block) {
    super("a block of the recording is not what its index says");
    this.block = block;
  }
}

/** Blocks in the order of the timeline, that grow in number at the end and may go away at the beginning. */
export interface BlockStore {
  readonly blocks: readonly Block[];
  /** How much has been looked at, 0 to 1: below it more blocks will come by themselves. */
  readonly scanned: number;
  readonly skipped: ReadonlyMap<string, number>;
  readonly refused: string | null;
  /** Whether a recorder has closed what is followed. */
  readonly isEnded: boolean;
  /** How much it takes to read all of it. */
  readonly effort: Effort;
  /** Another number than before: the ordinals mean other frames now. */
  readonly numbering: number;
  /**
   * The text of a block: its frames' lines, perhaps a header's; `null` where it cannot be decoded. It is the caller's,
   * who may give back its memory. Rejects with the signal's reason when aborted.
   */
  load(block: Block, signal: AbortSignal, onProgress: OnProgress): Promise<Buffer | null>;
  /** Told of a BlockMismatch: `true` if the store makes new blocks by scanning, and the caller is to wait for them. */
  distrust(block: Block): boolean;
  /** Keeps what a look at all frames of a block found. */
  describe(block: Block, findings: BlockFindings): void;
  /** The block of the frame that is shown stays, whatever else goes. */
  pin(ordinal: number): void;
  /** Blocks, or what is known of them, changed. Returns what ends it. */
  onChange(listener: () => void): () => void;
  close(): void;
}

/** Listeners of a change, and the wait for one. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  on(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
