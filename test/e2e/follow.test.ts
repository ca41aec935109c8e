import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { BlockCursor } from "../../src/recording/block_cursor.ts";
import type { Position } from "../../src/recording/cursor.ts";
import { openReplay } from "../../src/recording/replay.ts";
import { bareFrame, openRecorder, recordFrames } from "./in_process.ts";
import { counted, EXTENSIONS } from "./recordings.ts";
import { TEST_MS, testFolder } from "./run.ts";

const root = testFolder();

async function until(cursor: BlockCursor, isSo: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = cursor.onChange(() => isSo() && resolve());
  if (isSo()) resolve();
  await promise;
  stop();
}

/** The frame after the current one, as soon as it is there. */
async function nextFrame(cursor: BlockCursor): Promise<Position> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = cursor.onChange(resolve);
    const next = await cursor.next();
    if (next !== null) {
      stop();
      return next;
    }
    await promise;
    stop();
  }
}

async function follow(cursor: BlockCursor, frames: number): Promise<(number | null)[]> {
  const seqs: (number | null)[] = [];
  while (seqs.length < frames) {
    const { frame, ordinal } = await nextFrame(cursor);
    seqs.push(frame.seq === ordinal ? frame.seq : null);
  }
  return seqs;
}

/** Offers frames a few at a time, so that they come while somebody reads. */
async function write(
  recorder: Awaited<ReturnType<typeof openRecorder>>,
  from: number,
  count: number,
  pause_ms: number,
): Promise<void> {
  for (let n = from; n < from + count; n++) {
    recorder.offer(bareFrame(n, "x".repeat(n % 100)));
    if (n % 10 === 0) await Bun.sleep(pause_ms);
  }
}

describe.each(EXTENSIONS)("a recording that grows, %s", (extension) => {
  const folder = (name: string): string => {
    const path = join(root, name + extension);
    mkdirSync(path);
    return join(path, `rec${extension}`);
  };

  test(
    "is followed through blocks and a stop: each frame once",
    async () => {
      const path = folder("blocks");
      await recordFrames(
        path,
        counted(950).map((n) => bareFrame(n, "")),
      );
      const { cursor } = await openReplay(path, true);
      const recorder = await openRecorder(path);
      const writing = write(recorder, 950, 400, 20).then(() => recorder.close());
      expect(await follow(cursor, 1350)).toEqual(counted(1350));
      await writing;
      const another = await openRecorder(path);
      const writingOn = write(another, 1350, 100, 5).then(() => another.close());
      expect(await follow(cursor, 100)).toEqual(counted(100, 1350));
      await writingOn;
      expect(cursor.range.frames).toBe(1450);
      cursor.close();
    },
    TEST_MS,
  );

  test(
    "has ended once its recorder has closed it, until another goes on with it",
    async () => {
      const path = folder("ended");
      await recordFrames(
        path,
        counted(20).map((n) => bareFrame(n, "")),
      );
      const { cursor } = await openReplay(path, true);
      await until(cursor, () => cursor.isEnded);
      const recorder = await openRecorder(path);
      const writing = write(recorder, 20, 20, 1);
      expect(await follow(cursor, 40)).toEqual(counted(40));
      await writing;
      expect(cursor.isEnded).toBe(false);
      await recorder.close();
      await until(cursor, () => cursor.isEnded);
      cursor.close();
    },
    TEST_MS,
  );

  test(
    "is followed through rotations, also those between two looks",
    async () => {
      const path = folder("rotations");
      const options = { maxSizeBytes: 3000, maxFiles: 1000 };
      const recorder = await openRecorder(path, options);
      await write(recorder, 0, 20, 1);
      while (recorder.status.frames < 20) await Bun.sleep(1);
      const { cursor, store } = await openReplay(path, true);
      const writing = write(recorder, 20, 600, 30).then(() => recorder.close());
      expect(await follow(cursor, 620)).toEqual(counted(620));
      await writing;
      expect(store.segments.length).toBeGreaterThan(5);
      expect(cursor.skipped).toEqual(new Map());
      await cursor.first();
      expect(await follow(cursor, 619)).toEqual(counted(619, 1));
      cursor.close();
    },
    TEST_MS,
  );
});
