import { BlockCursor } from "./block_cursor.ts";
import type { PartialHeader } from "./lines.ts";
import { RecordingStore } from "./recording_store.ts";

/** A recording that is open for going through. */
export interface Replay {
  readonly cursor: BlockCursor;
  readonly store: RecordingStore;
  /** The newest header; `null` where no file has one. It may come later than the first frame. */
  readonly header: () => PartialHeader | null;
}

/**
 * Opens a recording: its path, one of its segments, or the folder it is in. Resolves when there is a frame to show;
 * what is to be scanned goes on behind. With `follow` it grows with its files. Throws a UsageError where there is none.
 */
export async function openReplay(path: string, follow: boolean): Promise<Replay> {
  const store = await RecordingStore.open(path, follow);
  try {
    await store.firstBlock();
  } catch (error) {
    store.close();
    throw error;
  }
  const header = () => store.header;
  return { cursor: new BlockCursor(store, () => store.header?.interval_ms ?? null), store, header };
}
