import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Frame } from "../src/frame/frame.ts";
import { toText } from "../src/view/ansi.ts";
import type { ViewInput } from "../src/view/model.ts";
import { linuxFrame, nvidiaFrame, unknownFrame } from "./frames.ts";
import { CHOICES, drawn, inputOf, LIVE, mockFrames, REPLAY } from "./screen.ts";

/**
 * Whole screens against files in test/golden/screens/. After a change that is meant to show there:
 * `UPDATE_GOLDEN=1 npx bun test test/screens.test.ts`, then look at the diff.
 */

const folder = `${import.meta.dir}/golden/screens`;

const oneHost = mockFrames({ hosts: 1, gpus: 8, frames: 400, interval_ms: 3000 });
const threeHosts = mockFrames({ hosts: 3, gpus: 8, frames: 200, interval_ms: 12_000 });
const hundredHosts = mockFrames({ hosts: 100, gpus: 8, frames: 12, interval_ms: 60_000 });

/** 12:07: GPU 2 of the mock is lost. */
const screens: Record<string, () => ViewInput> = {
  host: () => inputOf(oneHost, 399, { status: LIVE }),
  replay: () => inputOf(oneHost, 250),
  three: () => inputOf(threeHosts, 150, { choices: { ...CHOICES, marked: "mock-0002:9090" } }),
  tab: () => inputOf(threeHosts, 150, { choices: { ...CHOICES, host: "mock-0002:9090", onlyGpuProcesses: true } }),
  cluster: () => inputOf(hundredHosts, 11, { status: LIVE }),
  help: () => inputOf(oneHost, 250, { choices: { ...CHOICES, isHelpOpen: true } }),
};

const sizes = [
  [80, 24],
  [120, 40],
  [200, 60],
] as const;

function expectGolden(name: string, text: string): void {
  const path = `${folder}/${name}.txt`;
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, "utf8"));
}

for (const [name, input] of Object.entries(screens)) {
  for (const [width, height] of sizes) {
    test(`${name} at ${width}x${height}`, () => {
      expectGolden(`${name}-${width}x${height}`, toText(drawn(input(), width, height).cells));
    });
  }
}

const single: Record<string, Frame> = { nvidia: nvidiaFrame, linux: linuxFrame, unknown: unknownFrame };

for (const [name, frame] of Object.entries(single)) {
  test(`a frame of ${name}`, () => {
    expectGolden(`frame-${name}`, toText(drawn(inputOf([frame], 0), 146, 44).cells));
  });
}

test("sixteen GPUs on a small screen", () => {
  const frames = mockFrames({ hosts: 1, gpus: 16, frames: 3, interval_ms: 3000 });
  expectGolden("sixteen-60x15", toText(drawn(inputOf(frames, 2), 60, 15).cells));
});

test("status lines", () => {
  const statuses: ViewInput["status"][] = [
    LIVE,
    { ...LIVE, isFrozen: true },
    { ...REPLAY, state: "playing", speed: 0.25, isLoop: true },
    { ...REPLAY, state: "end", speed: 8, note: "2 lines skipped: bad JSON (2)" },
    { ...REPLAY, progress: 0.42, note: "scanning" },
    { ...REPLAY, note: "mock-0001 GPU 2: XID 79: GPU has fallen off the bus" },
    {
      ...REPLAY,
      note: "mock-0001 GPU 2: XID 79: GPU has fallen off the bus · mock-0001: GPU 2 is lost",
    },
  ];
  const lines = statuses.map((status) =>
    toText(drawn(inputOf(oneHost, 250, { status }), 120, 24).cells)
      .split("\n")
      .at(-2),
  );
  const entries: ViewInput["choices"]["entry"][] = [
    { kind: "filter", text: "train", problem: null },
    { kind: "goto", text: "99:99", problem: "minutes and seconds end at 59" },
  ];
  const typed = entries.flatMap((entry) =>
    [60, 120].map((width) =>
      toText(drawn(inputOf(oneHost, 250, { choices: { ...CHOICES, entry } }), width, 24).cells)
        .split("\n")
        .at(-2),
    ),
  );
  expectGolden("status", `${[...lines, ...typed].join("\n")}\n`);
});

test("waiting for a frame, and too small for one", () => {
  const waiting = inputOf([], 0, { status: { ...REPLAY, progress: 0.5 } });
  const texts = [drawn(waiting, 80, 15), drawn(waiting, 59, 14), drawn(waiting, 12, 3)].map(({ cells }) =>
    toText(cells),
  );
  expectGolden("waiting", texts.join("═══\n"));
});
