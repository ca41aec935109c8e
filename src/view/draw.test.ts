import { expect, test } from "bun:test";
import fc from "fast-check";
import { frameArbitrary, textArbitrary } from "../../test/arbitrary.ts";
import { unknownFrame } from "../../test/frames.ts";
import { CHOICES, COLOURLESS, drawn, inputOf, LIVE, mockFrames, REPLAY } from "../../test/screen.ts";
import type { DetectedEvent } from "../events/event.ts";
import type { Frame } from "../frame/frame.ts";
import { type Cells, RIGHT_HALF } from "./cells.ts";
import type { Hits, Region } from "./hits.ts";
import type { Choices, Entry, Status, ViewInput } from "./model.ts";
import { makeTheme } from "./theme.ts";

const RUNS = { numRuns: 200 };
/** Of a busy machine; a screen takes a millisecond. */
const TIMEOUT_MS = 60_000;

const hostArbitrary = fc.oneof(fc.constant(null), textArbitrary);

const entryArbitrary: fc.Arbitrary<Entry> = fc.record({
  kind: fc.constantFrom("filter", "goto"),
  text: textArbitrary,
  problem: fc.option(textArbitrary),
});

const choicesArbitrary: fc.Arbitrary<Choices> = fc.record({
  host: hostArbitrary,
  marked: hostArbitrary,
  hostOrder: fc.constantFrom("default", "trouble", "utilization", "name", "given"),
  gpuSort: fc.constantFrom("default", "utilization", "memory"),
  processSort: fc.constantFrom("default", "cpu", "memory", "gpu_memory", "pid", "user", "time"),
  isDescending: fc.boolean(),
  onlyGpuProcesses: fc.boolean(),
  scroll: fc.nat(1000),
  filter: fc.oneof(fc.constant(""), textArbitrary),
  zone: fc.constantFrom("viewer", "recorder", "utc"),
  isHelpOpen: fc.boolean(),
  entry: fc.option(entryArbitrary),
});

const common = {
  note: fc.option(textArbitrary),
  progress: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
};

const statusArbitrary: fc.Arbitrary<Status> = fc.oneof(
  fc.record({ kind: fc.constant("live" as const), isFrozen: fc.boolean(), ...common }),
  fc.record({
    kind: fc.constant("replay" as const),
    state: fc.constantFrom("playing", "paused", "end"),
    speed: fc.constantFrom(0.25, 1, 64),
    isLoop: fc.boolean(),
    ...common,
  }),
);

const eventArbitrary: fc.Arbitrary<DetectedEvent> = fc.record({
  kind: textArbitrary,
  severity: fc.constantFrom("info", "warning", "critical"),
  state: fc.constantFrom("begin", "end", "once"),
  seq: fc.nat(),
  t_ms: fc.double(),
  elapsed_ms: fc.oneof(fc.nat(10_000), fc.double()),
  host: textArbitrary,
  device: fc.option(textArbitrary),
  text: textArbitrary,
});

/** Frames of one recording, with times that any file may claim. */
const inputArbitrary: fc.Arbitrary<ViewInput> = fc
  .record({
    frames: fc.array(frameArbitrary, { maxLength: 3 }),
    events: fc.array(eventArbitrary, { maxLength: 5 }),
    choices: choicesArbitrary,
    status: statusArbitrary,
    recorder: fc.option(fc.oneof(fc.constant("Asia/Seoul"), textArbitrary)),
  })
  .map(({ frames, events, choices, status, recorder }) => {
    const ids = frames.flatMap(({ gpus = [], cpus = [] }) => [...gpus, ...cpus].map(({ host_id }) => host_id));
    const host = choices.host === null ? null : (ids[0] ?? choices.host);
    const input = inputOf(frames, frames.length - 1, {
      choices: { ...choices, host, marked: ids.at(-1) ?? null },
      status,
      zones: { viewer: "Europe/Berlin", recorder },
    });
    return { ...input, timeline: { ...input.timeline, events } };
  });

const sizeArbitrary = fc.record({
  width: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 60, max: 160 })),
  height: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 15, max: 50 })),
});

const FORBIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** Every row as wide as the screen, and nothing in it that a terminal would act on. */
function checkCells(cells: Cells): void {
  for (let y = 0; y < cells.height; y++) {
    let row = "";
    let columns = 0;
    for (let x = 0; x < cells.width; x++) {
      const character = cells.character(y * cells.width + x);
      row += character;
      if (cells.characters[y * cells.width + x] === RIGHT_HALF) continue;
      columns += Bun.stringWidth(character);
    }
    expect(columns).toBe(cells.width);
    expect(FORBIDDEN.exec(row)).toBeNull();
  }
}

function checkHits(hits: Hits, { width, height }: Cells): void {
  const regions: (Region | null)[] = [...hits.tabs, ...hits.headers, ...hits.hosts, hits.scrubber, hits.scrolled];
  for (const region of regions) {
    if (region === null) continue;
    expect(region.x).toBeGreaterThanOrEqual(0);
    expect(region.y).toBeGreaterThanOrEqual(0);
    expect(region.x + region.width).toBeLessThanOrEqual(width);
    expect(region.y + region.height).toBeLessThanOrEqual(height);
  }
}

test(
  "any frame, any choices, any size: a whole screen without anything that a terminal acts on",
  () => {
    fc.assert(
      fc.property(inputArbitrary, sizeArbitrary, fc.boolean(), (input, { width, height }, isColoured) => {
        const { cells, hits } = drawn(input, width, height, isColoured ? makeTheme("256", "light") : COLOURLESS);
        checkCells(cells);
        checkHits(hits, cells);
      }),
      RUNS,
    );
  },
  TIMEOUT_MS,
);

const textOf = (cells: Cells): string =>
  Array.from({ length: cells.characters.length }, (_, index) => cells.character(index)).join("");

test(
  "what is not known is never shown as 0",
  () => {
    const frame: Frame = { ...unknownFrame, t_ms: Date.UTC(2222, 11, 22, 22, 22, 22), hostname: "host" };
    const named = { host_id: "host", hostname: "host", instance: "host" };
    const gpus = frame.gpus?.map((gpu) => ({ ...gpu, ...named, index: 7 })) ?? [];
    const known = {
      ...frame,
      gpus,
      cpus: frame.cpus?.map((cpu) => ({ ...cpu, ...named, per_core_utilization: [] })) ?? [],
      memory: frame.memory?.map((memory) => ({ ...memory, ...named })) ?? [],
      chassis: [],
      processes: frame.processes?.map((process) => ({ ...process, pid: 5, uses_gpu: true, device_id: 7 })) ?? [],
      storage: [],
    };
    fc.assert(
      fc.property(fc.integer({ min: 60, max: 300 }), fc.integer({ min: 15, max: 100 }), (width, height) => {
        const { cells } = drawn(inputOf([known], 0, { status: LIVE }), width, height);
        // The scales of graphs begin at 100.
        expect(textOf(cells).replaceAll(/100(%|°C)/g, "")).not.toContain("0");
      }),
      { numRuns: 100 },
    );
  },
  TIMEOUT_MS,
);

test("a reader that fails for a moment moves nothing", () => {
  const [first, second] = mockFrames({ hosts: 1, gpus: 8, frames: 2, interval_ms: 3000 });
  if (first === undefined || second === undefined) throw new Error("no frames");
  const blind: Frame = {
    ...second,
    errors: ["nvidia: timed out"],
    gpus: (second.gpus ?? []).map((gpu) => ({ ...gpu, utilization: null, temperature: null, used_memory: null })),
  };
  const regionsOf = (frame: Frame, size: readonly [number, number]) =>
    drawn(inputOf([first, frame], 1, { status: REPLAY }), ...size).hits.headers;
  for (const size of [
    [80, 24],
    [120, 40],
    [200, 60],
  ] as const) {
    expect(regionsOf(blind, size)).toEqual(regionsOf(second, size));
  }
});

test("the screen says what was chosen", () => {
  const frames = mockFrames({ hosts: 1, gpus: 8, frames: 2, interval_ms: 3000 });
  const screen = (changes: Partial<Choices>) =>
    textOf(drawn(inputOf(frames, 1, { choices: { ...CHOICES, ...changes } }), 120, 40).cells);
  expect(screen({ processSort: "cpu" })).toContain("CPU%▼");
  expect(screen({ processSort: "pid", isDescending: false })).toContain("PID▲");
  expect(screen({ gpuSort: "utilization" })).toContain("util▼");
  expect(screen({ filter: "no such process" })).toMatch(/0 of \d+ processes · filter no such process/);
});

test("a note never takes room from the chip: it is cut, and the hints go", () => {
  const frames = mockFrames({ hosts: 1, gpus: 8, frames: 2, interval_ms: 3000 });
  const note = "after the end: the last frame is shown";
  const status: Status = { ...REPLAY, speed: 0.25, state: "playing", isLoop: true, note };
  const bottomOf = (width: number) => textOf(drawn(inputOf(frames, 1, { status }), width, 24).cells).slice(-width);
  const chip = " REPLAY | 00:00:03 / 00:00:03 | 0.25x | playing | loop ";
  expect(bottomOf(60).trimEnd()).toBe(`${chip}  a…`);
  expect(bottomOf(80).trimEnd()).toBe(`${chip}  after the end: the la…`);
  expect(bottomOf(120).trimEnd()).toBe(`${chip}  ${note}`);
});

test("a history that is not complete is dim, and takes its colours when it is", () => {
  const frames = mockFrames({ hosts: 1, gpus: 1, frames: 60, interval_ms: 3000 });
  const input = inputOf(frames, 59, { status: LIVE });
  const theme = makeTheme("truecolor", "dark");
  const braille = (isComplete: boolean) => {
    const history = (length: number) => ({ ...input.history(length), isComplete });
    const { cells } = drawn({ ...input, history }, 120, 40, theme);
    const colours = Array.from(cells.characters, (code, i) =>
      code > 0x2800 && code <= 0x28ff ? cells.foregrounds[i] : null,
    );
    return new Set(colours.filter((colour) => colour !== null));
  };
  expect([...braille(false)]).toEqual([theme.dim.foreground]);
  expect(braille(true)).not.toContain(theme.dim.foreground);
});
