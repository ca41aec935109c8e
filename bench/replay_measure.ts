/** One measure of replay in a process of its own: `bun bench/replay_measure.ts MEASURE FILE COUNT` prints it as JSON. */
import { readFileSync } from "node:fs";
import { BLOCK_FRAMES } from "../src/recording/limits.ts";
import { openReplay, type Replay } from "../src/recording/replay.ts";

export type Measure = "open" | "last" | "seek" | "back";

export interface Measured {
  /** Of each single thing that was measured. */
  readonly times_ms: readonly number[];
  /** Until the whole timeline was known. */
  readonly known_ms: number;
  readonly frames: number;
  /** The most memory that the process has held, as the kernel counts it. */
  readonly peakBytes: number;
}

const COLUMNS = 150;
const SEED = 1;
/** From the place that is sought to the beginning of a block, and over it. */
const STEPS = 3;
const MOST_TRIES = 20;

/** Numbers from 0 to 1, the same ones every time (mulberry32). */
function random(): () => number {
  let state = SEED;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const timed = async (action: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await action();
  return performance.now() - start;
};

async function scanned({ cursor }: Replay): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => cursor.range.scanned === 1 && resolve();
  const stop = cursor.onChange(look);
  look();
  await promise;
  stop();
}

/** Everything that the first screen shows but its history. */
async function firstScreen({ cursor }: Replay): Promise<void> {
  await cursor.first();
  if (cursor.current === null || cursor.range.frames === 0 || cursor.envelope(COLUMNS).length !== COLUMNS) {
    throw new Error("there is nothing to show");
  }
}

/**
 * Steps back from frames near the beginning of blocks until one is decoded for it; the time of that step. Fewer times
 * than that where the recording is so short that its blocks are all held.
 */
async function stepsBack({ cursor }: Replay, count: number): Promise<number[]> {
  const next = random();
  const times: number[] = [];
  for (let tries = 0; times.length < count && tries < MOST_TRIES * count; tries++) {
    await cursor.seek(next() * cursor.range.last_place_ms);
    const ordinal = cursor.current?.ordinal ?? 0;
    // A block of the index begins behind a multiple of 1000, one that a scan finds where the block before it was full.
    await cursor.seekTo(Math.floor(ordinal / BLOCK_FRAMES) * BLOCK_FRAMES + 1);
    // The block before may be held already.
    for (let step = 0, { decodes } = cursor; step < STEPS && cursor.decodes === decodes; step++) {
      const time_ms = await timed(() => cursor.previous());
      if (cursor.decodes > decodes) times.push(time_ms);
    }
  }
  return times;
}

async function measure(replay: Replay, name: Measure, count: number): Promise<number[]> {
  const { cursor } = replay;
  if (name === "last") return [await timed(() => cursor.last())];
  // As in a viewer, where a frame is shown before anybody can seek.
  await cursor.first();
  await scanned(replay);
  if (name === "back") return await stepsBack(replay, count);
  const next = random();
  const times: number[] = [];
  while (times.length < count) times.push(await timed(() => cursor.seek(next() * cursor.range.last_place_ms)));
  return times;
}

const peakBytes = (): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024;

const [name = "", path = "", count = ""] = process.argv.slice(2);
const start = performance.now();
const replay = await openReplay(path, false);
if (name === "open") await firstScreen(replay);
const opened_ms = performance.now() - start;
const times_ms = name === "open" ? [opened_ms] : await measure(replay, name as Measure, Number(count));
await scanned(replay);
const measured: Measured = {
  times_ms,
  known_ms: performance.now() - start,
  frames: replay.cursor.range.frames,
  peakBytes: peakBytes(),
};
replay.cursor.close();
console.log(JSON.stringify(measured));
