import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { type Block, type BlockFindings, type BlockStore, Changes } from "./block.ts";
import { MAX_UNIT_TEXT_BYTES } from "./limits.ts";
import { type PlaceState, placeAfter } from "./place.ts";
import { zstd } from "./zstd.ts";

/** Encoded blocks and the open one together. */
const MAX_BYTES = 32 << 20;
/** Small blocks: what is stepped into is decoded at once, and what is dropped is little. */
const BLOCK_FRAMES = 64;
const BLOCK_TEXT_BYTES = 2 << 20;

interface RingBlock extends Block {
  /** Lines of the block that still grows; encoded, once it does not. */
  readonly lines: readonly string[] | null;
  readonly encoded: Uint8Array | null;
  readonly bytes: number;
  findings: BlockFindings | null;
}

/** The last frames of a live machine, in memory: blocks as in a recording, of which the oldest go. */
export class RingStore implements BlockStore {
  readonly #changes = new Changes();
  #blocks: RingBlock[] = [];
  #frames = 0;
  #bytes = 0;
  #pinned = -1;

  readonly scanned = 1;
  readonly skipped: ReadonlyMap<string, number> = new Map();
  readonly refused = null;

  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** What is held, encoded. */
  get heldBytes(): number {
    return this.#bytes;
  }

  push(frame: Frame): void {
    const line = `${frameLine(frame)}\n`;
    const last = this.#blocks.at(-1);
    const after = placeAfter(last?.after ?? null, frame);
    const isOpen = last !== undefined && last.lines !== null;
    const grown = isOpen ? extended(last, frame, after, line) : begun(last, this.#frames, frame, after, line);
    const isFull = grown.frames >= BLOCK_FRAMES || grown.bytes >= BLOCK_TEXT_BYTES;
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
    while (this.#bytes > MAX_BYTES) {
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
    if (encoded === null) return Buffer.from((lines ?? []).join(""));
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

/** A block whose first frame it is, behind the one before. */
function begun(
  last: RingBlock | undefined,
  first_ordinal: number,
  { t_ms, seq }: Frame,
  after: PlaceState,
  line: string,
): RingBlock {
  const times = { first_place_ms: after.place_ms, first_t_ms: t_ms, lowest_t_ms: t_ms, highest_t_ms: t_ms };
  const kept = { findings: null, lines: [line], encoded: null, bytes: line.length };
  return {
    first_ordinal,
    frames: 1,
    before: last?.after ?? null,
    after,
    ...times,
    first_seq: seq,
    last_seq: seq,
    ...kept,
  };
}

/** Blocks are never changed: whoever holds one holds what it was. */
const extended = (block: RingBlock, { t_ms, seq }: Frame, after: PlaceState, line: string): RingBlock => ({
  ...block,
  frames: block.frames + 1,
  after,
  lowest_t_ms: Math.min(block.lowest_t_ms, t_ms),
  highest_t_ms: Math.max(block.highest_t_ms, t_ms),
  last_seq: seq ?? block.last_seq,
  findings: null,
  lines: [...(block.lines ?? []), line],
  bytes: block.bytes + line.length,
});

function encoded(block: RingBlock): RingBlock {
  const unit = zstd.encodeUnit(Buffer.from((block.lines ?? []).join("")));
  return { ...block, lines: null, encoded: unit, bytes: unit.length };
}
