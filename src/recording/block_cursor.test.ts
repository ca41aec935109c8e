import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type NaiveFrame, naiveFrames } from "../../test/naive_list.ts";
import {
  newClock,
  type RecipeLimits,
  type SegmentRecipe,
  segmentArbitrary,
  type WrittenSegment,
  writeSegment,
} from "../../test/odd_recordings.ts";
import { type MoveRecipe, movesArbitrary, walk } from "../../test/walk.ts";
import { BlockCursor } from "./block_cursor.ts";
import { RecordingStore } from "./recording_store.ts";

const root = mkdtempSync(join(tmpdir(), "all-smi-cursor-"));
afterAll(() => rmSync(root, { recursive: true }));

const RUNS = 150;
const SMALL: RecipeLimits = { oddEvery: 8, mostLines: 120 };
const EXTENSION = { zstd: ".ndjson.zst", gzip: ".ndjson.gz", none: ".ndjson" } as const;

/** Small blocks: of every kind there are several. */
const LIMITS = { frames: 20, textBytes: 16 << 10 };

let recordings = 0;

interface Files {
  readonly path: string;
  readonly segments: readonly WrittenSegment[];
}

/** Where the Rust tool puts a segment's number. */
const NAMES = {
  ours: (number: string) => `rec.local.${number}`,
  theirs: (number: string) => `rec.${number}.local`,
};

/** Writes a recording: all segments but the last are numbered, and the one of that number may be missing. */
async function writeRecording(
  recipes: readonly SegmentRecipe[],
  naming: keyof typeof NAMES,
  missing: number | null,
): Promise<Files> {
  const folder = join(root, String(recordings++));
  mkdirSync(folder);
  const clock = newClock();
  const extension = EXTENSION[recipes[0]?.codec ?? "none"];
  const segments: WrittenSegment[] = [];
  for (const [n, recipe] of recipes.entries()) {
    const segment = await writeSegment(recipe, clock);
    if (n === missing) continue;
    const number = String(n + 1).padStart(4, "0");
    const name = n === recipes.length - 1 ? "rec.local" : NAMES[naming](number);
    writeFileSync(join(folder, name + extension), segment.bytes);
    segments.push(segment);
  }
  return { path: join(folder, `rec.local${extension}`), segments };
}

interface Opened {
  readonly store: RecordingStore;
  readonly cursor: BlockCursor;
}

/** `null` where there is no frame in it; the naive list must say so, too. */
async function openCursor({ path }: Files, frames: readonly NaiveFrame[], limits = LIMITS): Promise<Opened | null> {
  const store = new RecordingStore(path, false, limits);
  const failure = await store.firstBlock().catch((error: unknown) => error);
  if (failure === undefined) return { store, cursor: new BlockCursor(store, () => 1000) };
  store.close();
  expect([failure, frames.length]).toEqual([expect.any(Error), 0]);
  return null;
}

const recordingArbitrary = (limits: RecipeLimits, lies: number) =>
  fc
    .record({
      segments: fc.array(segmentArbitrary(limits, lies), { minLength: 1, maxLength: 3 }),
      naming: fc.constantFrom<keyof typeof NAMES>("ours", "theirs"),
      missing: fc.option(fc.nat({ max: 2 }), { freq: 2 }),
    })
    .map(({ segments, missing, ...rest }) => ({
      ...rest,
      segments,
      missing: segments.length > 1 && missing !== null && missing < segments.length ? missing : null,
    }));

describe("a cursor over any recording gives what a list of all its frames would", () => {
  test("wherever one moves, one decode at most", async () => {
    const property = fc.asyncProperty(
      recordingArbitrary(SMALL, 0),
      movesArbitrary,
      fc.boolean(),
      async ({ segments, naming, missing }, moves, isComplete) => {
        const files = await writeRecording(segments, naming, missing);
        const frames = naiveFrames(files.segments);
        const opened = await openCursor(files, frames);
        if (opened === null) return;
        const { store, cursor } = opened;
        if (isComplete) await store.complete();
        await walk(cursor, frames, moves);
        await store.complete();
        expect(cursor.range).toMatchObject({
          frames: frames.length,
          first_t_ms: frames[0]?.frame.t_ms,
          last_t_ms: frames.at(-1)?.frame.t_ms,
          first_place_ms: 0,
          last_place_ms: frames.at(-1)?.place_ms,
          scanned: 1,
        });
        cursor.close();
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  }, 120_000);

  test("an index that lies is found out where one comes to the lie, and then is none", async () => {
    const property = fc.asyncProperty(
      recordingArbitrary({ ...SMALL, oddEvery: 0 }, 2),
      movesArbitrary,
      async ({ segments, naming }, moves) => {
        const files = await writeRecording(segments, naming, null);
        const frames = naiveFrames(files.segments);
        const opened = await openCursor(files, frames);
        if (opened === null) return;
        const { cursor } = opened;
        const all: MoveRecipe[] = [{ kind: "first" }, ...frames.map((): MoveRecipe => ({ kind: "next" }))];
        await walk(cursor, frames, all, "lies");
        await walk(cursor, frames, moves, "lies");
        cursor.close();
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  }, 120_000);
});
