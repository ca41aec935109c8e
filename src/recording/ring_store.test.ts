import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type NaiveFrame, placed } from "../../test/naive_list.ts";
import { smallFrame } from "../../test/odd_recordings.ts";
import { go, type MoveRecipe, moveOf, movesArbitrary, naiveMove } from "../../test/walk.ts";
import { decodeLine } from "../frame/decode.ts";
import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { ALL, measureKey } from "../frame/points.ts";
import { BlockCursor } from "./block_cursor.ts";
import { RingStore } from "./ring_store.ts";

const RUNS = 80;
/** Blocks of a few frames, of which some ten are kept. */
const LIMITS = { frames: 8, textBytes: 24 << 10, heldBytes: 20 << 10 };

const asRead = (frame: Frame): Frame => {
  const line = decodeLine(frameLine(frame));
  if (line.kind !== "frame") throw new Error("a frame's line is none");
  return line.frame;
};

/** What the ring still has of all that was pushed, with the ordinals. */
function remaining(ring: RingStore, pushed: readonly NaiveFrame[]): { ordinal: number; one: NaiveFrame }[] {
  const ordinals = ring.blocks.flatMap(({ first_ordinal, frames }) =>
    Array.from({ length: frames }, (_, n) => first_ordinal + n),
  );
  return ordinals.flatMap((ordinal) => {
    const one = pushed[ordinal];
    return one === undefined ? [] : [{ ordinal, one }];
  });
}

const steps = fc.array(
  fc.record({
    pushes: fc.nat({ max: 60 }),
    step_ms: fc.constantFrom(1000, 0, 250, 1000.4),
    clockStep_ms: fc.constantFrom(0, 0, -5000),
    busy: fc.option(fc.integer({ min: 0, max: 100 })),
    moves: movesArbitrary,
  }),
  { minLength: 1, maxLength: 6 },
);

describe("a ring", () => {
  test("is gone through like a list of what it still has; the frame that is shown stays", async () => {
    const property = fc.asyncProperty(steps, async (recipe) => {
      const ring = new RingStore(LIMITS);
      const cursor = new BlockCursor(ring, () => 1000);
      const frames: Frame[] = [];
      for (const { pushes, step_ms, clockStep_ms, busy, moves } of recipe) {
        for (let n = 0; n < pushes; n++) {
          const last = frames.at(-1) ?? { t_ms: 1e12, elapsed_ms: 0 };
          const t_ms = last.t_ms + step_ms + clockStep_ms;
          const frame = smallFrame(t_ms, frames.length, (last.elapsed_ms ?? 0) + step_ms, busy);
          frames.push(frame);
          ring.push(frame);
        }
        await walkRing(ring, cursor, placed(frames.map(asRead)), moves);
      }
      cursor.close();
    });
    await fc.assert(property, { numRuns: RUNS });
  }, 120_000);

  async function walkRing(
    ring: RingStore,
    cursor: BlockCursor,
    pushed: readonly NaiveFrame[],
    moves: readonly MoveRecipe[],
  ): Promise<void> {
    const there = remaining(ring, pushed);
    const list = there.map(({ one }) => one);
    const held = LIMITS.heldBytes + 2 * LIMITS.textBytes;
    expect(ring.heldBytes).toBeLessThanOrEqual(held);
    for (const recipe of moves) {
      const move = moveOf(recipe, list);
      const from =
        cursor.current === null ? null : there.findIndex(({ ordinal }) => ordinal === cursor.current?.ordinal);
      expect(from).not.toBe(-1);
      const wanted = there[naiveMove(list, from, move) ?? -1];
      const found = await go(cursor, move);
      const position = wanted && { frame: wanted.one.frame, ordinal: wanted.ordinal, place_ms: wanted.one.place_ms };
      expect({ move, found }).toEqual({ move, found: position ?? null } as never);
      // What came in since the last move is known roughly.
      if (found === null) continue;
      const at = there.findIndex(({ ordinal }) => ordinal === cursor.current?.ordinal);
      expect(cursor.nextPlace_ms).toBe(list[at + 1]?.place_ms ?? null);
    }
  }

  test("forgets the oldest, but not what is shown, and steps over what is gone", async () => {
    const ring = new RingStore(LIMITS);
    const cursor = new BlockCursor(ring, () => 1000);
    const push = (count: number, from: number) => {
      for (let n = from; n < from + count; n++) ring.push(smallFrame(1e12 + n * 1000, n, n * 1000, n % 100));
    };
    push(20, 0);
    expect((await cursor.seekTo(10))?.ordinal).toBe(10);
    push(2000, 20);
    expect(cursor.current?.frame.seq).toBe(10);
    const [pinned, oldest] = ring.blocks;
    expect([pinned?.first_ordinal, pinned?.frames]).toEqual([8, 8]);
    expect(oldest?.first_ordinal).toBeGreaterThan(1000);
    await cursor.seekTo(15);
    expect(cursor.nextPlace_ms).toBe(oldest?.first_place_ms ?? 0);
    expect((await cursor.next())?.ordinal).toBe(oldest?.first_ordinal ?? 0);
    expect((await cursor.previous())?.ordinal).toBe(15);
    await cursor.last();
    push(2000, 2020);
    expect(ring.blocks[0]?.first_ordinal).toBeGreaterThan(1000);
    cursor.close();
  });

  test("a history ends where frames are gone", async () => {
    const ring = new RingStore(LIMITS);
    const cursor = new BlockCursor(ring, () => 1000);
    for (let n = 0; n < 1000; n++) ring.push(smallFrame(1e12 + n * 1000, n, n * 1000, n % 100));
    await cursor.last();
    while (!cursor.history(1000).isComplete) await new Promise((resolve) => setImmediate(resolve));
    const values = cursor.history(1000).series(measureKey(ALL, "cpu_utilization"));
    const first = ring.blocks[0]?.first_ordinal ?? 0;
    expect(first).toBeGreaterThan(100);
    expect([...values]).toEqual(Array.from({ length: 1000 }, (_, n) => (n < first ? Number.NaN : n % 100)));
    cursor.close();
  });
});
