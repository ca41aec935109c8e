import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Detector } from "../events/detector.ts";
import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { AppendFile } from "./append_file.ts";
import { BlockCursor } from "./block_cursor.ts";
import { codecs } from "./codec.ts";
import { RecordingStore } from "./recording_store.ts";
import { SegmentWriter } from "./segment_writer.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-findings-"));
afterAll(() => rmSync(folder, { recursive: true }));

const INTERVAL_MS = 1000;
const START_MS = Date.UTC(2026, 3, 18, 12);
const FRAMES_EACH = 5;
const all = [codecs.zstd, codecs.gzip, codecs.none].map((codec) => [codec.name, codec] as const);

const frameOf = (seq: number): Frame => ({
  ...{ t_ms: START_MS + seq * INTERVAL_MS, seq, elapsed_ms: seq * INTERVAL_MS, source: "local", hostname: "node-1" },
  errors: [],
});

describe.each(all)("%s: a set of four segments", (name, codec) => {
  const pathOf = (set: string, segment: number) =>
    join(folder, `${name}-${set}${segment < 4 ? `.000${segment}` : ""}${codec.extension}`);

  /** Closes the timeline of one recorder in four files; gives the path of the newest. */
  async function record(set: string): Promise<string> {
    const detector = new Detector({ interval_ms: INTERVAL_MS });
    for (let segment = 1; segment <= 4; segment++) {
      const first_seq = (segment - 1) * FRAMES_EACH;
      const file = await AppendFile.create(pathOf(set, segment));
      const writer = new SegmentWriter(
        file,
        codec,
        {
          ...{ t_ms: START_MS, interval_ms: INTERVAL_MS, source: "local", hosts: ["node-1"], all_smi_version: "0" },
          ...{ recording: set, segment, first_seq, timezone: "UTC" },
        },
        detector,
      );
      for (let seq = first_seq; seq < first_seq + FRAMES_EACH; seq++) {
        await writer.append(frameOf(seq), Buffer.from(`${frameLine(frameOf(seq))}\n`));
      }
      await writer.end();
      file.close();
    }
    return pathOf(set, 4);
  }

  async function gapsOf(path: string) {
    const store = await RecordingStore.open(path, false);
    await store.complete();
    const cursor = new BlockCursor(store, () => store.header?.interval_ms ?? null);
    await cursor.finishAnalysis();
    const gaps = cursor
      .events()
      .map(({ kind, seq, elapsed_ms, host, text }) => ({ kind, seq, elapsed_ms, host, text }));
    cursor.close();
    return gaps;
  }

  test("that are all there have no gap", async () => {
    expect(await gapsOf(await record("whole"))).toEqual([]);
  });

  test("of which one is missing have one, at the first frame behind it", async () => {
    const path = await record("holed");
    unlinkSync(pathOf("holed", 2));
    expect(await gapsOf(path)).toEqual([
      { kind: "gap", seq: 10, elapsed_ms: 10_000, host: "node-1", text: "no frames for 6 s" },
    ]);
  });

  test("of which the first is missing begin later, and have none", async () => {
    const path = await record("late");
    unlinkSync(pathOf("late", 1));
    expect(await gapsOf(path)).toEqual([]);
  });
});
