import { type Block, BlockMismatch, type BlockStore, type OnProgress } from "./block.ts";
import { DecodedBlock } from "./decoded_block.ts";

/** Text of decoded blocks that is held; one block is, whatever its size. */
const MAX_TEXT_BYTES = 32 << 20;

/** Blocks that were decoded of late, so that stepping about decodes nothing. */
export class BlockCache {
  readonly #store: BlockStore;
  /** In the order of use. */
  readonly #decoded = new Map<Block, DecodedBlock>();
  #decodes = 0;

  constructor(store: BlockStore) {
    this.#store = store;
  }

  /** How many blocks have been decoded so far. */
  get decodes(): number {
    return this.#decodes;
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const { textBytes } of this.#decoded.values()) bytes += textBytes;
    return bytes;
  }

  peek(block: Block): DecodedBlock | null {
    return this.#decoded.get(block) ?? null;
  }

  /**
   * Calls `look` with the decoded block; frames are to be read there and then, later it may be gone. Rejects with
   * BlockMismatch where the block is not what was said of it, and with the signal's reason when aborted.
   */
  async use<T>(
    block: Block,
    signal: AbortSignal,
    onProgress: OnProgress,
    look: (decoded: DecodedBlock) => T,
  ): Promise<T> {
    const held = this.#decoded.get(block);
    const decoded = held ?? (await this.#load(block, signal, onProgress));
    this.#decoded.delete(block);
    this.#decoded.set(block, decoded);
    this.#evict(block);
    return look(decoded);
  }

  /** What has to go soon goes before, so that its memory is there for what comes. */
  #makeRoom(): void {
    const last = [...this.#decoded.values()].at(-1);
    let bytes = this.heldBytes + (last?.textBytes ?? 0);
    for (const [block, decoded] of this.#decoded) {
      if (bytes <= MAX_TEXT_BYTES || decoded === last) return;
      bytes -= this.#drop(block, decoded);
    }
  }

  async #load(block: Block, signal: AbortSignal, onProgress: OnProgress): Promise<DecodedBlock> {
    this.#decodes++;
    this.#makeRoom();
    const text = await this.#store.load(block, signal, onProgress);
    signal.throwIfAborted();
    const decoded = text === null ? null : new DecodedBlock(text, block);
    if (decoded === null || !isAsSaid(block, decoded)) throw new BlockMismatch(block);
    return decoded;
  }

  #evict(except: Block): void {
    let bytes = this.heldBytes;
    for (const [block, decoded] of this.#decoded) {
      // What it was before it grew: nobody asks for that again.
      const isOutdated = block.first_ordinal === except.first_ordinal;
      if (block === except || (bytes <= MAX_TEXT_BYTES && !isOutdated)) continue;
      bytes -= this.#drop(block, decoded);
    }
  }

  /** Returns how much text is held no more. */
  #drop(block: Block, decoded: DecodedBlock): number {
    const { textBytes } = decoded;
    this.#decoded.delete(block);
    decoded.free();
    return textBytes;
  }
}

/** What is known of a block without decoding, compared with what is in it. */
export function isAsSaid(block: Block, decoded: DecodedBlock): boolean {
  const last = block.frames - 1;
  return (
    decoded.frames === block.frames &&
    !decoded.isRefused &&
    (block.trust !== "index" || decoded.skipped === 0) &&
    decoded.place_ms(0) === block.first_place_ms &&
    decoded.place_ms(last) === block.after.place_ms &&
    decoded.t_ms(0) === block.first_t_ms &&
    decoded.t_ms(last) === block.after.t_ms &&
    decoded.seq(0) === block.first_seq &&
    decoded.firstWithSeq(block.highest_seq, block.first_ordinal) >= 0 &&
    decoded.firstWithSeq(block.highest_seq + 1, block.first_ordinal) < 0 &&
    decoded.hasTimes(block.lowest_t_ms, block.highest_t_ms)
  );
}
