import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { crowdedFrames, eventfulStretches, framesOf, frameWith, gpu } from "../../test/event_frames.ts";
import { START_MS } from "../../test/mock.ts";
import { Detector } from "../events/detector.ts";
import type { DetectedEvent } from "../events/event.ts";
import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { AppendFile } from "./append_file.ts";
import { BlockCursor } from "./block_cursor.ts";
import { BlockEvents } from "./block_events.ts";
import { openAfterBlock } from "./block_summary.ts";
import { FileBytes } from "./bytes.ts";
import { findLastIndex } from "./chain.ts";
import { codecs } from "./codec.ts";
import { BLOCK_FRAMES } from "./limits.ts";
import type { Header } from "./lines.ts";
import { RecordingStore } from "./recording_store.ts";
import { type ChainState, SegmentWriter } from "./segment_writer.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-analyst-"));
afterAll(() => rmSync(folder, { recursive: true }));

const RUNS = 60;
const TEST_MS = 120_000;

const header = (interval_ms: number): Header => ({
  ...{ t_ms: 0, interval_ms, source: "local", hosts: ["node-1"], all_smi_version: "0", recording: "r" },
  ...{ segment: 1, first_seq: 0, timezone: "UTC" },
});

/** Frames that one recorder wrote. */
interface Run {
  readonly interval_ms: number;
  readonly frames: readonly Frame[];
}

function chainOf(path: string): ChainState {
  const file = FileBytes.open(path);
  const at = findLastIndex(file, codecs.none)?.index.at ?? null;
  file.close();
  return { previous: at, previous_summary: at, since: [] };
}

/** Writes what one recorder after the other wrote, the last of which was killed. */
async function record(path: string, runs: readonly Run[]): Promise<void> {
  const file = await AppendFile.create(path);
  const detector = new Detector({ interval_ms: null });
  for (const [n, { interval_ms, frames }] of runs.entries()) {
    const continued = n === 0 ? null : { chain: chainOf(path), unclosed: null };
    const writer = new SegmentWriter(file, codecs.none, header(interval_ms), detector, continued);
    for (const frame of frames) await writer.append(frame, Buffer.from(`${frameLine(frame)}\n`));
    if (n < runs.length - 1) await writer.end();
    writer.abandon();
  }
  file.close();
}

/** What a detector finds that sees all of it. */
function allEvents(runs: readonly Run[]): DetectedEvent[] {
  const detector = new Detector({ interval_ms: null });
  const start_ms = runs[0]?.frames[0]?.elapsed_ms ?? 0;
  return runs.flatMap(({ interval_ms, frames }) => {
    detector.restart(interval_ms);
    return frames.flatMap((frame) =>
      detector.add(frame, { seq: frame.seq ?? 0, elapsed_ms: (frame.elapsed_ms ?? 0) - start_ms }),
    );
  });
}

/** What a reader finds of each block. */
async function blocksOf(path: string): Promise<unknown[]> {
  const store = await RecordingStore.open(path, false);
  await store.complete();
  const cursor = new BlockCursor(store, () => store.header?.interval_ms ?? null);
  await cursor.finishAnalysis();
  const found = store.blocks.map(({ findings, first_seq, frames }) => {
    // An index line repeats of the blocks before it only what was on when they began.
    const { curves, slices: _, open_after, ...rest } = findings ?? { curves: {} };
    const { gpu_power, cpu_utilization } = curves;
    return { ...rest, gpu_power, cpu_utilization, first_seq, frames };
  });
  const last = store.blocks.at(-1)?.findings;
  cursor.close();
  return [...found, last && openAfterBlock(last)];
}

/** The same file without its index lines. */
function withoutIndex(path: string): string {
  const lines = readFileSync(path, "utf8").split("\n");
  const stripped = path.replace(".ndjson", ".stripped.ndjson");
  writeFileSync(stripped, lines.filter((line) => !line.startsWith('{"schema":1,"index":true,')).join("\n"));
  return stripped;
}

/** The events behind the last index line. */
async function eventsBehind(path: string): Promise<DetectedEvent[]> {
  const store = await RecordingStore.open(path, false);
  await store.complete();
  const cursor = new BlockCursor(store, () => store.header?.interval_ms ?? null);
  await cursor.finishAnalysis();
  const events = cursor.events().filter(isBehind);
  cursor.close();
  return events;
}

const isBehind = ({ seq }: DetectedEvent): boolean => seq > BLOCK_FRAMES;

test(
  "behind the last index line the events are those that its recorder would have written",
  async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const interval_ms = fc.constantFrom(1000, 10_000);
    let runs = 0;
    const property = fc.asyncProperty(
      eventfulStretches,
      share,
      share,
      interval_ms,
      async (stretches, a, b, second_ms) => {
        const found = framesOf(stretches);
        const restart = Math.max(1, Math.floor(a * (found.length - 1)));
        const blockEnd = restart + Math.floor(b * (found.length - 1 - restart));
        // A block ends with the frame that has this number.
        const frames = found.map((frame, n) => ({ ...frame, seq: BLOCK_FRAMES + n - blockEnd }));
        fc.pre(frames[0] !== undefined && frames[0].seq > 0 && restart < frames.length);
        const recorded: Run[] = [
          { interval_ms: 1000, frames: frames.slice(0, restart) },
          { interval_ms: second_ms, frames: frames.slice(restart) },
        ];
        const path = join(folder, `${runs++}.ndjson`);
        await record(path, recorded);
        const wanted = new BlockEvents();
        wanted.add(allEvents(recorded).filter(isBehind), []);
        expect(await eventsBehind(path)).toEqual([...wanted.sum().events]);
      },
    );
    await fc.assert(property, { numRuns: RUNS });
  },
  TEST_MS,
);

test(
  "with and without an index each block has the same events, open conditions and counts",
  async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const rows = fc.oneof(crowdedFrames, eventfulStretches.map(framesOf));
    let runs = 0;
    const property = fc.asyncProperty(rows, share, share, async (found, a, b) => {
      const restart = Math.max(1, Math.floor(a * (found.length - 1)));
      const blockEnd = Math.floor(b * found.length);
      const start_ms = found[0]?.elapsed_ms ?? 0;
      const frames = found.map((frame, n) => ({
        ...{ ...frame, seq: BLOCK_FRAMES + n - blockEnd },
        elapsed_ms: (frame.elapsed_ms ?? 0) - start_ms,
      }));
      const recorded: Run[] = [
        { interval_ms: 1000, frames: frames.slice(0, restart) },
        { interval_ms: 1000, frames: frames.slice(restart) },
      ];
      const path = join(folder, `both-${runs++}.ndjson`);
      await record(path, recorded);
      expect(await blocksOf(withoutIndex(path))).toEqual(await blocksOf(path));
    });
    await fc.assert(property, { numRuns: RUNS });
  },
  TEST_MS,
);

test("a long gap before what is behind the last index line is one of them", async () => {
  const start_ms = [0, 1000, 2000, 3_602_000, 3_603_000];
  const frames = start_ms.map((elapsed_ms, n) =>
    frameWith([gpu(0)], { t_ms: START_MS + elapsed_ms, elapsed_ms, seq: BLOCK_FRAMES - 2 + n }),
  );
  const recorded: Run[] = [{ interval_ms: 1000, frames }];
  const path = join(folder, "gap.ndjson");
  await record(path, recorded);
  const events = await eventsBehind(path);
  expect(events.map(({ kind, text }) => ({ kind, text }))).toEqual([{ kind: "gap", text: "no frames for 3600 s" }]);
});
