import type { DetectedEvent } from "../src/events/event.ts";
import type { Frame } from "../src/frame/frame.ts";
import { eachPoint } from "../src/frame/points.ts";
import { eachValue } from "../src/frame/summary.ts";
import type { EnvelopeColumn, History, Position } from "../src/recording/cursor.ts";
import { mockSource } from "../src/sources/mock/mock.ts";
import { Cells } from "../src/view/cells.ts";
import { draw } from "../src/view/draw.ts";
import { gpuNumber } from "../src/view/gpus.ts";
import type { Hits } from "../src/view/hits.ts";
import type { Choices, LiveStatus, ReplayStatus, ViewInput } from "../src/view/model.ts";
import { makeTheme, type Theme } from "../src/view/theme.ts";
import { ALL, frameOf, readAt, START_MS } from "./mock.ts";

/** What a view is drawn from, made of frames in memory, without a recording. */

export const CHOICES: Choices = {
  host: null,
  marked: null,
  hostOrder: "default",
  gpuSort: "default",
  processSort: "default",
  isDescending: true,
  onlyGpuProcesses: false,
  scroll: 0,
  filter: "",
  zone: "utc",
  isHelpOpen: false,
  entry: null,
};

export const LIVE: LiveStatus = { kind: "live", isFrozen: false, note: null, progress: null };

export const REPLAY: ReplayStatus = {
  kind: "replay",
  state: "paused",
  speed: 2,
  isLoop: false,
  note: null,
  progress: null,
};

const positionOf = (frames: readonly Frame[], ordinal: number): Position | null => {
  const frame = frames[ordinal];
  return frame === undefined ? null : { frame, ordinal, place_ms: frame.elapsed_ms ?? 0 };
};

function historyOf(frames: readonly Frame[], ordinal: number, length: number, isComplete: boolean): History {
  const known = new Map<string, Float32Array>();
  const nothing = new Float32Array(length).fill(Number.NaN);
  for (let n = 0; n < length; n++) {
    const frame = frames[ordinal - length + 1 + n];
    if (frame === undefined) continue;
    eachPoint(frame, (key, value) => {
      let values = known.get(key);
      if (values === undefined) {
        values = new Float32Array(length).fill(Number.NaN);
        known.set(key, values);
      }
      values[n] = value;
    });
  }
  return { length, isComplete, series: (key) => known.get(key) ?? nothing };
}

function utilizations(frame: Frame): number[] {
  const values: number[] = [];
  eachValue(frame, (curve, value) => {
    if (curve === "gpu_utilization") values.push(value);
  });
  return values;
}

function envelopeOf(frames: readonly Frame[], columns: number): (EnvelopeColumn | null)[] {
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * frames.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * frames.length) / columns));
    const values = frames.slice(from, to).flatMap(utilizations);
    if (values.length === 0) return null;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { lowest: Math.min(...values), mean, highest: Math.max(...values) };
  });
}

/** What the sources heard of, as a detector would say it. */
function eventsOf(frames: readonly Frame[]): DetectedEvent[] {
  return frames.flatMap((frame) =>
    (frame.events ?? []).map(({ kind, severity, t, host, device, text }) => {
      const place = (frame.gpus ?? []).filter((gpu) => gpu.host_id === host).findIndex((gpu) => gpu.uuid === device);
      const gpu = frame.gpus?.find(({ uuid }) => uuid === device);
      return {
        kind,
        severity,
        state: "once",
        seq: frame.seq ?? 0,
        t_ms: Date.parse(t),
        elapsed_ms: frame.elapsed_ms ?? 0,
        host,
        device: gpu === undefined ? (device ?? null) : `${gpu.device_type} ${gpuNumber(gpu, place)}`,
        text,
      } satisfies DetectedEvent;
    }),
  );
}

/** The screen of a recording of these frames, at one of them. */
export function inputOf(frames: readonly Frame[], ordinal: number, changes: Partial<ViewInput> = {}): ViewInput {
  const [first] = frames;
  const last = frames.at(-1);
  const events = eventsOf(frames);
  const envelopes = new Map<number, (EnvelopeColumn | null)[]>();
  const envelope = (columns: number) => {
    const known = envelopes.get(columns) ?? envelopeOf(frames, columns);
    envelopes.set(columns, known);
    return known;
  };
  const histories = new Map<number, History>();
  const history = (length: number) => {
    const known = histories.get(length) ?? historyOf(frames, ordinal, length, true);
    histories.set(length, known);
    return known;
  };
  return {
    position: positionOf(frames, ordinal),
    history,
    timeline: {
      range: {
        first_t_ms: first?.t_ms ?? 0,
        last_t_ms: last?.t_ms ?? 0,
        first_place_ms: first?.elapsed_ms ?? 0,
        last_place_ms: last?.elapsed_ms ?? 0,
        frames: frames.length,
        scanned: 1,
      },
      envelope,
      events,
    },
    choices: CHOICES,
    status: REPLAY,
    zones: { viewer: "UTC", recorder: null },
    interval_ms: 3000,
    ...changes,
  };
}

export interface MockRun {
  readonly hosts: number;
  readonly gpus: number;
  readonly frames: number;
  readonly interval_ms: number;
  readonly seed?: number;
  readonly cpus?: number;
}

/** Frames of the mock from {@link START_MS} on, as a recorder would have put them in a row. */
export function mockFrames({ hosts, gpus, frames, interval_ms, seed = 1, cpus }: MockRun): Frame[] {
  const source = mockSource({ hosts, gpus, seed, include: ALL, ...(cpus === undefined ? {} : { cpus }) });
  return Array.from({ length: frames }, (_, seq) => {
    const t_ms = START_MS + seq * interval_ms;
    return { ...frameOf(readAt(source, t_ms), t_ms), seq, elapsed_ms: seq * interval_ms };
  });
}

export interface Drawn {
  readonly cells: Cells;
  readonly hits: Hits;
}

export const COLOURLESS: Theme = makeTheme("none", "dark");

export function drawn(input: ViewInput, width: number, height: number, theme: Theme = COLOURLESS): Drawn {
  const cells = new Cells(width, height);
  return { cells, hits: draw(cells, input, theme) };
}
