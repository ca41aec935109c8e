import { Analyst } from "./analyst.ts";
import { BlockCursor } from "./block_cursor.ts";
import type { PartialHeader } from "./lines.ts";
import { RecordingStore } from "./recording_store.ts";

/** A recording that is open for going through. */
export interface Replay {
  readonly cursor: BlockCursor;
  /** The newest header; `null` where no file has one. It may come later than the first frame. */
  readonly header: () => PartialHeader | null;
  /** Finds events and finer curves behind what is shown. */
  readonly analyst: Analyst;
  readonly store: RecordingStore;
  close(): void;
}

/**
 * Opens a recording: its path, one of its segments, or the folder it is in. Resolves when there is a frame to show;
 * what is to be scanned goes on behind. With `follow` it grows with its files. Throws a UsageError where there is none.
 */
export async function openReplay(path: string, follow: boolean): Promise<Replay> {
  const store = new RecordingStore(path, follow);
  try {
    await store.firstBlock();
  } catch (error) {
    store.close();
    throw error;
  }
  const cursor = new BlockCursor(store);
  const header = () => store.header;
  const analyst = new Analyst(store, () => store.header?.interval_ms ?? null);
  const close = () => {
    analyst.close();
    cursor.close();
  };
  return { cursor, header, analyst, store, close };
}
