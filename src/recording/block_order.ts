import type { Block, BlockStore } from "./block.ts";
import type { CursorRange } from "./cursor.ts";

/** Of a block's last frame. */
export const lastOrdinal = (block: Block): number => block.first_ordinal + block.frames - 1;

/** The last block for which it holds; it holds for the first ones only. -1 where it holds for none. */
export function lastIndex(blocks: readonly Block[], holds: (block: Block) => boolean): number {
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

export function rangeOf({ blocks, scanned }: BlockStore): CursorRange {
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

/** Where the frame after one stands that is its block's last; `null` where there is none. */
export function placeBehind(blocks: readonly Block[], ordinal: number, place_ms: number): number | null {
  const block = blocks[lastIndex(blocks, (one) => lastOrdinal(one) <= ordinal) + 1];
  if (block === undefined) return null;
  if (block.first_ordinal > ordinal) return block.first_place_ms;
  // The frame's own block has grown: the new ones are about evenly spread.
  return place_ms + (block.after.place_ms - place_ms) / (lastOrdinal(block) - ordinal);
}

/**
 * Waits until it holds, or all blocks are known. Rejects with the signal's reason when aborted. `onWait` is called
 * before each wait.
 */
export async function whenKnown(
  store: BlockStore,
  signal: AbortSignal,
  isKnown: () => boolean,
  onWait: () => void,
): Promise<void> {
  while (!isKnown() && store.scanned < 1) {
    onWait();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = store.onChange(resolve);
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    await promise.finally(() => {
      stop();
      signal.removeEventListener("abort", abort);
    });
  }
  signal.throwIfAborted();
}
