import { frameLine } from "../frame/encode.ts";
import { fitLine } from "../frame/fit.ts";
import type { Frame } from "../frame/frame.ts";
import { type Block, type BlockFindings, type BlockStore, Changes } from "./block.ts";
import { MAX_LINE_BYTES, MAX_UNIT_TEXT_BYTES } from "./limits.ts";
import { type LineFacts, readFacts } from "./line_facts.ts";
import { type PlaceState, placeAfter } from "./place.ts";
import type { BlockLimits } from "./scan_listener.ts";
import { zstd } from "./zstd.ts";

export interface RingLimits extends BlockLimits {
  /** Encoded blocks and the open one together. */
  readonly heldBytes: number;
}

/** Small blocks: what is stepped into is decoded at once, and what is dropped is little. */
const RING_LIMITS: RingLimits = { heldBytes: 32 << 20, frames: 64, textBytes: 2 << 20 };

interface RingBlock extends Block {
  /** Lines of the block that still grows; encoded, once it does not. */
  readonly lines: readonly Buffer[] | null;
  readonly encoded: Uint8Array | null;
  readonly bytes: number;
  findings: BlockFindings | null;
}

/** The last frames of a live machine, in memory: blocks as in a recording, of which the oldest go. */
export class RingStore implements BlockStore {
  readonly #limits: RingLimits;
  readonly #changes = new Changes();
  #blocks: RingBlock[] = [];
  #frames = 0;
  #bytes = 0;
  #pinned = -1;

  readonly scanned = 1;
  readonly skipped: ReadonlyMap<string, number> = new Map();
  readonly refused = null;
  readonly isEnded = false;
  readonly numbering = 0;
  readonly effort = "much";

  constructor(limits = RING_LIMITS) {
    this.#limits = limits;
  }

  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** What is held, encoded. */
  get heldBytes(): number {
    return this.#bytes;
  }

  push(frame: Frame): void {
    const line = Buffer.from(`${fitLine(frame, MAX_LINE_BYTES, frameLine)}\n`);
    const facts = factsOf(line);
    const last = this.#blocks.at(-1);
    const after = placeAfter(last?.after ?? null, facts, null);
    const isOpen = last !== undefined && last.lines !== null;
    const grown = isOpen
      ? extended(last, facts, after, line, this.#frames)
      : begun(last, facts, after, line, this.#frames);
    const isFull = grown.frames >= this.#limits.frames || grown.bytes >= this.#limits.textBytes;
    const block = isFull ? encoded(grown) : grown;
    this.#frames++;
    this.#bytes += block.bytes - (isOpen ? last.bytes : 0);
    this.#blocks = [...(isOpen ? this.#blocks.slice(0, -1) : this.#blocks), block];
    this.#forget();
    this.#changes.emit();
  }

  pin(ordinal: number): void {
    this.#pinned = ordinal;
  }

  #forget(): void {
    while (this.#bytes > this.#limits.heldBytes) {
      const oldest = this.#blocks.findIndex((one) => !this.#isPinned(one));
      if (oldest < 0 || oldest === this.#blocks.length - 1) return;
      this.#bytes -= this.#blocks[oldest]?.bytes ?? 0;
      this.#blocks = this.#blocks.toSpliced(oldest, 1);
    }
  }

  #isPinned({ first_ordinal, frames }: RingBlock): boolean {
    return this.#pinned >= first_ordinal && this.#pinned < first_ordinal + frames;
  }

  async load(block: Block): Promise<Buffer> {
    const { lines, encoded } = block as RingBlock;
    if (encoded === null) return Buffer.concat(lines ?? []);
    const { text } = zstd.decodeUnit(encoded, MAX_UNIT_TEXT_BYTES);
    return Buffer.from(text.buffer, text.byteOffset, text.length);
  }

  distrust(): boolean {
    return false;
  }

  describe(block: Block, findings: BlockFindings): void {
    (block as RingBlock).findings = findings;
    this.#changes.emit();
  }

  onChange(listener: () => void): () => void {
    return this.#changes.on(listener);
  }

  close(): void {
    this.#blocks = [];
  }
}

/** As the line has them, which is what is decoded later: a frame's own times may be finer. */
function factsOf(line: Buffer): LineFacts {
  const facts: LineFacts = { t_ms: 0, seq: null, elapsed_ms: null };
  readFacts(line, 0, line.length - 1, facts);
  return facts;
}

/** A block whose first frame it is, behind the one before. */
function begun(
  last: RingBlock | undefined,
  { t_ms, seq }: LineFacts,
  after: PlaceState,
  line: Buffer,
  ordinal: number,
): RingBlock {
  const times = { first_place_ms: after.place_ms, first_t_ms: t_ms, lowest_t_ms: t_ms, highest_t_ms: t_ms };
  const kept = { findings: null, lines: [line], encoded: null, bytes: line.length };
  return {
    first_ordinal: ordinal,
    frames: 1,
    before: last?.after ?? null,
    after,
    recording: null,
    trust: "shape",
    ...times,
    first_seq: seq,
    highest_seq: seq ?? ordinal,
    ...kept,
  };
}

/** Blocks are never changed: whoever holds one holds what it was. */
const extended = (
  block: RingBlock,
  { t_ms, seq }: LineFacts,
  after: PlaceState,
  line: Buffer,
  ordinal: number,
): RingBlock => ({
  ...block,
  frames: block.frames + 1,
  after,
  lowest_t_ms: Math.min(block.lowest_t_ms, t_ms),
  highest_t_ms: Math.max(block.highest_t_ms, t_ms),
  highest_seq: Math.max(block.highest_seq, seq ?? ordinal),
  findings: null,
  lines: [...(block.lines ?? []), line],
  bytes: block.bytes + line.length,
});

function encoded(block: RingBlock): RingBlock {
  const unit = zstd.encodeUnit(Buffer.concat(block.lines ?? []));
  return { ...block, lines: null, encoded: unit, bytes: unit.length };
}
