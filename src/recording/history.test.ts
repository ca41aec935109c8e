import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { type NaiveFrame, naiveFrames, naiveSeries } from "../../test/naive_list.ts";
import { OddFiles, openIfAny, recordingArbitrary } from "../../test/odd_files.ts";
import { ALL, type Measure, measureKey } from "../frame/points.ts";
import { eachValue } from "../frame/summary.ts";
import { BlockCache } from "./block_cache.ts";
import type { BlockCursor } from "./block_cursor.ts";
import type { EnvelopeColumn, History } from "./cursor.ts";
import { HistoryFiller } from "./history.ts";
import { PointStore } from "./points.ts";
import { RecordingStore } from "./recording_store.ts";

const FIXTURES = join(import.meta.dirname, "../../test/fixtures/recordings");
const odd = new OddFiles();
const RUNS = 60;
const TEST_MS = 120_000;
const LIMITS = { oddEvery: 10, mostLines: 120 };

/** Asks for histories as a view does, whenever something has changed, until nothing is missing any more. */
async function completeHistories(cursor: BlockCursor, lengths: readonly number[]): Promise<History[]> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = cursor.onChange(resolve);
    const histories = lengths.map((length) => cursor.history(length));
    if (histories.every(({ isComplete }) => isComplete)) {
      stop();
      return histories;
    }
    await promise;
    stop();
  }
}

const KEYS = [
  ...(["gpu_utilization", "cpu_utilization", "lowest_host"] satisfies Measure[]).map((one) => measureKey(ALL, one)),
  "gpu GPU-b@b",
  "no such series",
];

describe("history", () => {
  test(
    "is complete sooner or later, and then is what was on the screen in the frames before",
    async () => {
      const lengths = fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 3 });
      const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 });
      const property = fc.asyncProperty(recordingArbitrary(LIMITS, 0), lengths, places, async (recipe, wanted, to) => {
        const files = await odd.write(recipe);
        const frames = naiveFrames(files.segments);
        const opened = await openIfAny(files, frames);
        if (opened === null) return;
        const { cursor } = opened;
        for (const share of to) {
          await cursor.seekTo(frames[Math.floor(share * (frames.length - 1))]?.seq ?? 0);
          const histories = await completeHistories(cursor, wanted);
          // What was read may have shown that frames before it are none.
          const at = cursor.current?.ordinal ?? 0;
          for (const history of histories) {
            for (const key of KEYS) {
              expect({ at, key, series: [...history.series(key)] }).toEqual({
                at,
                key,
                series: naiveSeries(frames, at, history.length, key),
              });
            }
          }
        }
        cursor.close();
      });
      await fc.assert(property, { numRuns: RUNS });
    },
    TEST_MS,
  );
});

test("a frame that is not there any more hides none of those before it", async () => {
  const store = await RecordingStore.open(join(FIXTURES, "one-room-for-all.ndjson.zst"), false);
  await store.complete();
  const points = new PointStore();
  const filler = new HistoryFiller(store, new BlockCache(store), points, () => {});
  const filled = async (ordinal: number): Promise<void> => {
    while (!filler.upTo(ordinal, 3).isComplete) await new Promise((resolve) => setImmediate(resolve));
  };
  const frames = store.blocks.reduce((sum, block) => sum + block.frames, 0);
  await filled(frames);
  await filled(frames - 1);
  expect([frames - 3, frames - 2, frames - 1].map((ordinal) => points.has(ordinal))).toEqual([true, true, true]);
  filler.close();
  store.close();
});

function rangeOf(frames: readonly NaiveFrame[], curve: string): [number, number] {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { frame } of frames) {
    eachValue(frame, (name, value) => {
      if (name !== curve) return;
      lowest = Math.min(lowest, value);
      highest = Math.max(highest, value);
    });
  }
  return [lowest, highest];
}

/** An index rounds to tenths. */
const ROUNDING = 0.051;

const isOrdered = ({ lowest, mean, highest }: EnvelopeColumn): boolean =>
  lowest - ROUNDING <= mean && mean <= highest + ROUNDING;

describe("envelope", () => {
  test(
    "stays between the lowest and the highest value, and reaches both",
    async () => {
      const columns = fc.integer({ min: 1, max: 90 });
      const property = fc.asyncProperty(recordingArbitrary(LIMITS, 0), columns, async (recipe, count) => {
        const files = await odd.write(recipe);
        const frames = naiveFrames(files.segments);
        const opened = await openIfAny(files, frames);
        if (opened === null) return;
        const { cursor, store } = opened;
        await store.complete();
        await cursor.finishAnalysis();
        const known = cursor.envelope(count).filter((one) => one !== null);
        const [lowest, highest] = rangeOf(frames, "gpu_utilization");
        expect(cursor.envelope(count).length).toBe(count);
        expect(known.every(isOrdered)).toBe(true);
        if (highest >= 0) {
          expect(Math.abs(Math.min(...known.map((one) => one.lowest)) - lowest)).toBeLessThan(ROUNDING);
          expect(Math.abs(Math.max(...known.map((one) => one.highest)) - highest)).toBeLessThan(ROUNDING);
        } else expect(known).toEqual([]);
        cursor.close();
      });
      await fc.assert(property, { numRuns: RUNS });
    },
    TEST_MS,
  );
});
