import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { naiveFrames } from "../../test/naive_list.ts";
import { OddFiles, openIfAny, recordingArbitrary } from "../../test/odd_files.ts";
import type { RecipeLimits, SegmentRecipe } from "../../test/odd_recordings.ts";
import { type MoveRecipe, movesArbitrary, walk } from "../../test/walk.ts";
import { Overtaken } from "./cursor.ts";

const odd = new OddFiles();
const RUNS = 100;
const TEST_MS = 120_000;
const SMALL: RecipeLimits = { oddEvery: 8, mostLines: 120 };

/** An index tells of blocks in which there is nothing else; of others it turns out not to be true. */
const hasOnlyFrames = ({ segments }: { readonly segments: readonly SegmentRecipe[] }): boolean =>
  segments.every(({ lines }) => lines.every(({ kind }) => kind === "frame" || kind === "header"));

describe("a cursor over any recording gives what a list of all its frames would", () => {
  test(
    "wherever one moves, with one decode at most",
    async () => {
      const property = fc.asyncProperty(
        recordingArbitrary(SMALL, 0),
        movesArbitrary,
        fc.boolean(),
        async (recipe, moves, isComplete) => {
          const files = await odd.write(recipe);
          const frames = naiveFrames(files.segments);
          const opened = await openIfAny(files, frames);
          if (opened === null) return;
          const { store, cursor } = opened;
          if (isComplete) await store.complete();
          await walk(cursor, frames, moves, hasOnlyFrames(recipe) ? "true" : "lies");
          await store.complete();
          expect(cursor.range).toMatchObject({
            frames: frames.length,
            first_t_ms: frames[0]?.frame.t_ms,
            last_t_ms: frames.at(-1)?.frame.t_ms,
            first_place_ms: 0,
            last_place_ms: frames.at(-1)?.place_ms,
            scanned: 1,
          });
          expect(cursor.lowest_t_ms).toBe(Math.min(...frames.map(({ frame }) => frame.t_ms)));
          cursor.close();
        },
      );
      await fc.assert(property, { numRuns: RUNS });
    },
    TEST_MS,
  );

  test(
    "an index that lies is found out where one comes to the lie, and then is none",
    async () => {
      const property = fc.asyncProperty(
        recordingArbitrary({ ...SMALL, oddEvery: 0 }, 2),
        movesArbitrary,
        async (recipe, moves) => {
          const files = await odd.write({ ...recipe, missing: null });
          const frames = naiveFrames(files.segments);
          const opened = await openIfAny(files, frames);
          if (opened === null) return;
          const { cursor } = opened;
          const all: MoveRecipe[] = [{ kind: "first" }, ...frames.map((): MoveRecipe => ({ kind: "next" }))];
          await walk(cursor, frames, all, "lies");
          await walk(cursor, frames, moves);
          cursor.close();
        },
      );
      await fc.assert(property, { numRuns: RUNS });
    },
    TEST_MS,
  );
});

/** So many frames, one a second, in units of 30. */
const plainRecipe = (frames: number, more: Partial<SegmentRecipe> = {}): SegmentRecipe => ({
  codec: "zstd",
  shape: "indexed",
  isFlushed: true,
  unitLines: 30,
  summaryEvery: 4,
  style: "ours",
  lines: Array.from({ length: frames }, (_, n) => ({ kind: "frame", step_ms: 1000, clockStep_ms: 0, busy: n % 100 })),
  lies: [],
  kept: 1,
  ...more,
});

async function openPlain(frames: number, more: Partial<SegmentRecipe> = {}) {
  const files = await odd.write({ segments: [plainRecipe(frames, more)], naming: "ours", missing: null });
  const opened = await openIfAny(files, naiveFrames(files.segments));
  if (opened === null) throw new Error("there are no frames in it");
  await opened.store.complete();
  return opened;
}

describe.each(["indexed", "units", "stream"] as const)("decodes, %s", (shape) => {
  test("a seek decodes once; the same, its neighbours and what was there before not at all", async () => {
    const { cursor, store } = await openPlain(300, { shape });
    expect(store.blocks.length).toBeGreaterThan(8);
    const { first_ordinal, frames } = store.blocks[5] ?? { first_ordinal: 0, frames: 0 };
    const moves = [
      [() => cursor.seekTo(first_ordinal + 1), 1],
      [() => cursor.seekTo(first_ordinal + 1), 0],
      [() => cursor.next(), 0],
      [() => cursor.previous(), 0],
      [() => cursor.previous(), 0],
      [() => cursor.seek((first_ordinal + frames - 1) * 1000), 0],
      [() => cursor.previous(), 0],
      [() => cursor.last(), 1],
      [() => cursor.seekTo(first_ordinal), 0],
    ] as const;
    for (const [n, [move, wanted]] of moves.entries()) {
      const before = cursor.decodes;
      await move();
      expect([n, cursor.decodes - before]).toEqual([n, wanted]);
    }
    cursor.close();
  });
});

describe("of several moves under way", () => {
  test("the latest wins, the others are overtaken", async () => {
    const { cursor } = await openPlain(300, { shape: "stream" });
    const moves = [cursor.seekTo(250), cursor.next(), cursor.seek(10_000), cursor.last(), cursor.seekTo(123)];
    const outcomes = await Promise.allSettled(moves);
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(4).fill("rejected"), "fulfilled"]);
    for (const outcome of outcomes.slice(0, -1)) {
      expect("reason" in outcome && outcome.reason).toBeInstanceOf(Overtaken);
    }
    expect(cursor.current?.frame.seq).toBe(123);
    expect(cursor.progress).toBeNull();
    cursor.close();
  });

  test("one that is cancelled leaves everything where it was", async () => {
    const { cursor } = await openPlain(300, { shape: "stream" });
    await cursor.seekTo(17);
    const move = cursor.seekTo(250);
    cursor.cancel();
    expect(await move.catch((error: unknown) => error)).toBeInstanceOf(Overtaken);
    expect(cursor.current?.frame.seq).toBe(17);
    expect(cursor.progress).toBeNull();
    expect((await cursor.next())?.frame.seq).toBe(18);
    cursor.close();
  });
});
