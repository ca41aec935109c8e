import { expect, test } from "bun:test";
import { MemoryCursor } from "../../test/memory_cursor.ts";
import { seekMeant } from "./seek_meant.ts";

const START_MS = Date.UTC(2026, 3, 18, 12);

const cursorOver = (...places: number[]) =>
  new MemoryCursor(
    places.map((elapsed_ms, seq) => ({
      ...{ t_ms: START_MS + elapsed_ms, seq, elapsed_ms, source: "local", hostname: "dgx-01", errors: [] },
    })),
  );

test.each([
  ["a frame that is there", 29_003, 29_003],
  ["a little late", 30_000, 30_002],
  ["a quarter of a second late", 30_752, 31_002],
  ["more than that", 30_751, 30_002],
  ["more than that in a recording of a frame a minute", 90_751, 31_002],
  ["beyond the last frame", 95_000, 91_002],
  ["before the first", -5, 0],
])("%s: %i ms is the frame at %i ms", async (_, place_ms, expected_ms) => {
  const cursor = cursorOver(0, 29_003, 30_002, 31_002, 91_002);
  const found = await seekMeant(cursor, place_ms);
  expect(found?.place_ms).toBe(expected_ms);
  expect(cursor.current?.place_ms).toBe(expected_ms);
});

test("frames that follow each other fast: a quarter of their distance", async () => {
  expect((await seekMeant(cursorOver(0, 100, 200), 174))?.place_ms).toBe(100);
  expect((await seekMeant(cursorOver(0, 100, 200), 175))?.place_ms).toBe(200);
});

test("where there is no frame", async () => {
  expect(await seekMeant(cursorOver(), 1000)).toBeNull();
});
