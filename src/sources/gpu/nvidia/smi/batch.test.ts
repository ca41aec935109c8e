import { expect, test } from "bun:test";
import { Batches } from "./batch.ts";

/** Rounds of numbers that go up. */
const rounds = () => new Batches<number>((row, round) => row <= (round.at(-1) ?? 0));

test("a round is complete when it has all its rows", () => {
  const batches = rounds();
  batches.add(1, 0, 2);
  expect(batches.latest(0)).toBeNull();
  batches.add(2, 5, 2);
  expect(batches.latest(5)).toEqual({ rows: [1, 2], received_ms: 5 });
});

test("a round is complete when the next one begins, and stays the latest until that is", () => {
  const batches = rounds();
  for (const [row, at] of [
    [1, 0],
    [2, 1],
    [1, 50],
  ] as const)
    batches.add(row, at, null);
  expect(batches.latest(60)).toEqual({ rows: [1, 2], received_ms: 1 });
});

test("a round is complete when nothing came for a while", () => {
  const batches = rounds();
  batches.add(1, 0, null);
  expect(batches.latest(99)).toBeNull();
  expect(batches.latest(100)).toEqual({ rows: [1], received_ms: 0 });
});

test("a round without a row is the latest, and has none of a round that was open", () => {
  const batches = rounds();
  batches.add(1, 0, null);
  batches.addNone(50);
  expect(batches.latest(500)).toEqual({ rows: [], received_ms: 50 });
});

test("a round that lost rows does not run into the next", () => {
  const batches = rounds();
  for (const [row, at] of [
    [1, 0],
    [1, 1000],
    [2, 1001],
    [1, 2000],
  ] as const)
    batches.add(row, at, 3);
  expect(batches.latest(2000)).toEqual({ rows: [1, 2], received_ms: 1001 });
});

test("a round without end is cut", () => {
  const batches = rounds();
  for (let row = 1; row <= 10_000; row++) batches.add(row, 0, null);
  expect(batches.latest(100)?.rows).toHaveLength(4096);
});
