import { expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { BlockCursor } from "../src/recording/block_cursor.ts";
import { RecordingStore } from "../src/recording/recording_store.ts";
import { testFolder } from "./e2e/run.ts";
import type { NaiveFrame } from "./naive_list.ts";
import {
  newClock,
  type RecipeLimits,
  type SegmentRecipe,
  segmentArbitrary,
  type WrittenSegment,
  writeSegment,
} from "./odd_recordings.ts";

/** Random recordings as files, and cursors over them. */

const EXTENSION = { zstd: ".ndjson.zst", gzip: ".ndjson.gz", none: ".ndjson" } as const;

/** Small blocks: of every kind there are several. */
const SMALL_BLOCKS = { frames: 20, textBytes: 16 << 10 };

/** Where the Rust tool puts a segment's number. */
const NAMES = {
  ours: (number: string) => `rec.local.${number}`,
  theirs: (number: string) => `rec.${number}.local`,
};

export interface RecordingRecipe {
  readonly segments: readonly SegmentRecipe[];
  readonly naming: keyof typeof NAMES;
  /** A segment that is not there. */
  readonly missing: number | null;
}

export const recordingArbitrary = (limits: RecipeLimits, lies: number): fc.Arbitrary<RecordingRecipe> =>
  fc
    .record({
      segments: fc.array(segmentArbitrary(limits, lies), { minLength: 1, maxLength: 3 }),
      naming: fc.constantFrom<keyof typeof NAMES>("ours", "theirs"),
      missing: fc.option(fc.nat({ max: 2 }), { freq: 2 }),
    })
    .map(({ segments, missing, naming }) => ({
      segments,
      naming,
      missing: segments.length > 1 && missing !== null && missing < segments.length ? missing : null,
    }));

export interface Files {
  readonly path: string;
  readonly segments: readonly WrittenSegment[];
}

/** Where a test file puts its recordings, each in a folder of its own; it goes with the tests. */
export class OddFiles {
  readonly #root = testFolder();
  #folders = 0;

  newPath(name: string): string {
    const folder = join(this.#root, String(this.#folders++));
    mkdirSync(folder);
    return join(folder, name);
  }

  /** All segments but the last are numbered. */
  async write({ segments, naming, missing }: RecordingRecipe): Promise<Files> {
    const clock = newClock();
    const extension = EXTENSION[segments[0]?.codec ?? "none"];
    const path = this.newPath(`rec.local${extension}`);
    const written: WrittenSegment[] = [];
    for (const [n, recipe] of segments.entries()) {
      const segment = await writeSegment(recipe, clock);
      if (n === missing) continue;
      const name = n === segments.length - 1 ? "rec.local" : NAMES[naming](String(n + 1).padStart(4, "0"));
      writeFileSync(join(dirname(path), name + extension), segment.bytes);
      written.push(segment);
    }
    return { path, segments: written };
  }
}

export interface Opened {
  readonly store: RecordingStore;
  readonly cursor: BlockCursor;
}

export async function openStore(path: string, limits = SMALL_BLOCKS): Promise<Opened> {
  const store = await RecordingStore.open(path, false, limits);
  try {
    await store.firstBlock();
  } catch (error) {
    store.close();
    throw error;
  }
  return { store, cursor: new BlockCursor(store, () => 1000) };
}

/** `null` where it says that there is no frame in it; the list must say so, too. */
export async function openIfAny({ path }: Files, frames: readonly NaiveFrame[]): Promise<Opened | null> {
  try {
    return await openStore(path);
  } catch (error) {
    expect([error, frames.length]).toEqual([expect.any(Error), 0]);
    return null;
  }
}
