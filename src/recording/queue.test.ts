import { expect, test } from "bun:test";
import { nvidiaFrame } from "../../test/frames.ts";
import type { Frame } from "../frame/frame.ts";
import { FrameQueue } from "./queue.ts";

const frame = (seq: number): Frame => ({ ...nvidiaFrame, seq });

async function drain(queue: FrameQueue): Promise<(number | null)[]> {
  queue.close();
  const seqs: (number | null)[] = [];
  for (let next = await queue.next(); next !== null; next = await queue.next()) seqs.push(next.seq);
  return seqs;
}

test("gives frames in their order, to one that waits and to one that comes later", async () => {
  const queue = new FrameQueue();
  const waiting = queue.next();
  queue.push(frame(0));
  queue.push(frame(1));
  expect((await waiting)?.seq).toBe(0);
  queue.push(frame(2));
  expect(await drain(queue)).toEqual([1, 2]);
  expect(await queue.next()).toBeNull();
});

test("a close ends a wait", async () => {
  const queue = new FrameQueue();
  const waiting = queue.next();
  queue.close();
  expect(await waiting).toBeNull();
});

test.each([
  [1, 256],
  [8 << 10, 256],
  [800_000, 42],
  [16 << 20, 4],
  [64 << 20, 4],
])("with lines of %d bytes, %d frames wait at most; the newest are dropped, and counted", async (frameBytes, room) => {
  const queue = new FrameQueue();
  queue.frameBytes = frameBytes;
  for (let seq = 0; seq < room + 7; seq++) queue.push(frame(seq));
  expect([queue.dropped, queue.droppedSince]).toEqual([7, 7]);
  expect(await drain(queue)).toEqual(Array.from({ length: room }, (_, seq) => seq));
});

test("what a frame has said is not said again, and is counted on", () => {
  const queue = new FrameQueue();
  queue.frameBytes = 64 << 20;
  for (let seq = 0; seq < 6; seq++) queue.push(frame(seq));
  const said = queue.droppedSince;
  queue.push(frame(6));
  queue.saidDropped(said);
  expect([said, queue.droppedSince, queue.dropped]).toEqual([2, 1, 3]);
});
