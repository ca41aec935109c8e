/**
 * Draws the pictures in docs/screens: `npx bun scripts/screens.ts`. Those of replay are of recordings of the mock, made
 * by the recorder's own writer and drawn as `view --replay PATH --start … --once` does it, those of the live view as
 * `view --once` does. They are the same on every run.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Detector } from "../src/events/detector.ts";
import { frameLine } from "../src/frame/encode.ts";
import { AppendFile } from "../src/recording/append_file.ts";
import { BlockCursor } from "../src/recording/block_cursor.ts";
import { codecs } from "../src/recording/codec.ts";
import { openReplay } from "../src/recording/replay.ts";
import { RingStore } from "../src/recording/ring_store.ts";
import { SegmentWriter } from "../src/recording/segment_writer.ts";
import { mockHostnames } from "../src/sources/mock/mock.ts";
import { toText } from "../src/view/ansi.ts";
import { INITIAL_CHOICES } from "../src/view/choices.ts";
import type { Choices } from "../src/view/model.ts";
import { drawOnce } from "../src/view/once.ts";
import { makeTheme } from "../src/view/theme.ts";
import { parseTimecode } from "../src/view/timecode.ts";
import { START_MS } from "../test/mock.ts";
import { type MockRun, mockFrames } from "../test/screen.ts";
import { toSvg } from "./svg.ts";

const FOLDER = `${import.meta.dir}/../docs/screens`;

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 60],
] as const;

const ONE_HOST: MockRun = { hosts: 1, gpus: 8, frames: 1200, interval_ms: 3000 };
const THREE_HOSTS: MockRun = { hosts: 3, gpus: 8, frames: 360, interval_ms: 10_000 };
const HUNDRED_HOSTS: MockRun = { hosts: 100, gpus: 8, frames: 60, interval_ms: 10_000 };

interface Screen {
  readonly name: string;
  readonly run: MockRun;
  /** Where a recording is looked at, as `--start` takes it; `null`: live, at the last frame. */
  readonly start: string | null;
  readonly choices?: Partial<Choices>;
}

const SCREENS: readonly Screen[] = [
  { name: "host", run: ONE_HOST, start: null },
  { name: "replay", run: ONE_HOST, start: "33:09" },
  { name: "help", run: ONE_HOST, start: "33:09", choices: { isHelpOpen: true } },
  { name: "hosts", run: THREE_HOSTS, start: "41:40", choices: { marked: "mock-0002:9090" } },
  { name: "cluster", run: HUNDRED_HOSTS, start: null, choices: { marked: "mock-0042:9090" } },
];

/** Writes the frames of a run as `record` would have. */
async function record(path: string, run: MockRun): Promise<void> {
  const { interval_ms } = run;
  const file = await AppendFile.create(path);
  const header = {
    t_ms: START_MS,
    interval_ms,
    source: run.hosts > 1 ? "remote" : "local",
    hosts: mockHostnames(run.hosts),
    all_smi_version: "0.1.0",
    recording: "docs/screens",
    segment: 1,
    first_seq: 0,
    timezone: "UTC",
  } as const;
  const writer = new SegmentWriter(file, codecs.zstd, header, new Detector({ interval_ms }));
  for (const frame of mockFrames(run)) await writer.append(frame, Buffer.from(`${frameLine(frame)}\n`));
  await writer.end();
  await file.close();
}

/** A recording, or a machine that has been watched from the beginning of the run. */
async function open(folder: string, { name, run, start }: Screen): Promise<BlockCursor> {
  if (start !== null) {
    const path = join(folder, `${name}.ndjson.zst`);
    await record(path, run);
    return (await openReplay(path, false)).cursor;
  }
  const ring = new RingStore();
  for (const frame of mockFrames(run)) ring.push(frame);
  return new BlockCursor(ring, () => run.interval_ms);
}

/** The pictures of a screen by the names of their files: each size as text without, and as SVG with colour. */
async function pictures(folder: string, screen: Screen): Promise<[name: string, content: string][]> {
  const cursor = await open(folder, screen);
  // What is found behind the first screen is to be on it, however fast this machine is.
  await cursor.finishAnalysis();
  const start = screen.start === null ? null : parseTimecode(screen.start, { t_ms: START_MS, zone: "UTC" });
  const draw = (depth: "none" | "truecolor", width: number, height: number) =>
    drawOnce({
      cursor,
      isLive: start === null,
      interval_ms: screen.run.interval_ms,
      zones: { viewer: "UTC", recorder: null },
      start,
      speed: 1,
      isLoop: false,
      theme: makeTheme(depth, "dark"),
      width,
      height,
      choices: { ...INITIAL_CHOICES, ...screen.choices },
    });
  const drawn: [string, string][] = [];
  for (const [width, height] of SIZES) {
    const name = `${screen.name}-${width}x${height}`;
    drawn.push([`${name}.txt`, toText(await draw("none", width, height))]);
    drawn.push([`${name}.svg`, toSvg(await draw("truecolor", width, height), "dark")]);
  }
  cursor.close();
  return drawn;
}

/** The names of the screens, without their sizes. */
export const SCREEN_NAMES: readonly string[] = SCREENS.map(({ name }) => name);

/** The pictures of the screens of these names, by the names of their files. */
export async function drawScreens(names: readonly string[]): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "screens-"));
  try {
    const drawn: [string, string][] = [];
    for (const screen of SCREENS.filter(({ name }) => names.includes(name))) {
      drawn.push(...(await pictures(folder, screen)));
    }
    return new Map(drawn);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, content] of await drawScreens(SCREEN_NAMES)) writeFileSync(join(FOLDER, name), content);
}
