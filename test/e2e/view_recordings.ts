import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { frameLine } from "../../src/frame/encode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { mockSource } from "../../src/sources/mock/mock.ts";
import { frameOf, readAt, START_MS } from "../mock.ts";

/** Simulated machines of two GPUs each; their names say which. */
export interface RecordingOptions {
  readonly hosts?: number;
  readonly interval_ms?: number;
}

/** Frames at those places of the timeline; the recording begins at {@link START_MS}, which is 12:00:00 in UTC. */
export function framesAt(places: readonly number[], { hosts = 1 }: RecordingOptions = {}): Frame[] {
  const source = mockSource({
    hosts,
    gpus: 2,
    seed: 7,
    include: ["gpus", "cpus", "memory", "processes"],
    processes: 30,
  });
  return places.map((elapsed_ms, seq) => {
    const t_ms = START_MS + elapsed_ms;
    return { ...frameOf(readAt(source, t_ms), t_ms), seq, elapsed_ms };
  });
}

export const everySecond = (count: number): number[] => Array.from({ length: count }, (_, n) => n * 1000);

/** A plain recording without an index: what `tail -f` would see of one that is being written. */
export function writeRecording(
  folder: string,
  name: string,
  places: readonly number[],
  options: RecordingOptions = {},
) {
  const path = join(folder, `${name}.ndjson`);
  const header = {
    ...{ schema: 1, header: true, t: new Date(START_MS).toISOString(), interval_ms: options.interval_ms ?? 1000 },
    ...{ source: "local", hosts: ["mock-0001"], all_smi_version: "0.1.0", recording: "test", segment: 1, first_seq: 0 },
    timezone: "Asia/Seoul",
  };
  const lines = framesAt(places, options).map(frameLine);
  writeFileSync(path, [JSON.stringify(header), ...lines, ""].join("\n"));
  return path;
}

export const appendFrames = (path: string, frames: readonly Frame[]): void =>
  appendFileSync(path, frames.map((frame) => `${frameLine(frame)}\n`).join(""));
