/**
 * What replaying a long recording costs: 1,000,000 frames of 8 GPUs, 8 GB of JSON, in every state a file can be in.
 *
 *     npm run bench:replay                          makes the recordings first: a quarter of an hour, 9 GB
 *     npm run bench:replay -- --frames 50000        a quick look
 *     npm run bench:replay -- --folder DIR          where the recordings are kept (default: the folder for temporary files)
 *
 * Every number is from processes of its own. Beside each file stands what the machine's own program takes to decode it.
 */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dropCaches } from "./page_cache.ts";
import type { Measure, Measured } from "./replay_measure.ts";
import { INTERVAL_MS, recordingPaths, type Variant } from "./replay_recording.ts";

const { values } = parseArgs({
  options: { frames: { type: "string", default: "1000000" }, folder: { type: "string", default: tmpdir() } },
});
const frames = Number(values.frames);

const AIM_VIEW_MS = 150;
const AIM_VIEW_MIB = 120;
const AIM_SEEK_MS = 20;
const AIM_CUT_MS = 300;
const AIM_SCAN_MIB = 150;

/** Processes that a time is the median of. */
const ROUNDS = 5;
/** Seeks, and steps back into the block before. */
const SEEKS = 300;
const STEPS = 50;
/** In a stream without index each one decodes from the beginning, or goes on from where the last one ended. */
const STREAM_SEEKS = 5;

/** Near the end: 800 hours of the full length. */
const START_S = Math.floor((frames * 0.96 * INTERVAL_MS) / 1000);
const BUN = [process.execPath, "--config=/dev/null", "--no-env-file"];
const YARDSTICK: { readonly [V in Variant]: string } = {
  zstd: "zstd -dc",
  cut: "zstd -dc",
  stream: "zstd -dc",
  gzip: "gzip -dc",
  plain: "cat",
};

interface Run {
  readonly wall_ms: number;
  readonly peakBytes: number;
  readonly output: string;
}

async function run(command: readonly string[], isOk = (code: number) => code === 0): Promise<Run> {
  const start = performance.now();
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const output = await new Response(child.stdout).text();
  const code = await child.exited;
  const wall_ms = performance.now() - start;
  if (!isOk(code)) throw new Error(`${command.join(" ")}: ${await new Response(child.stderr).text()}`);
  return { wall_ms, peakBytes: child.resourceUsage()?.maxRSS ?? Number.NaN, output };
}

async function measure(name: Measure, path: string, count: number): Promise<Measured> {
  return JSON.parse((await run([...BUN, join(import.meta.dir, "replay_measure.ts"), name, path, `${count}`])).output);
}

const view = (path: string): Promise<Run> =>
  run([join(import.meta.dir, "../bin/all-smi"), "view", "--replay", path, "--start", `${START_S}`, "--once"]);

/** How long the machine's own program takes to decode the file. One that is cut off is an error to it. */
const yardstick = (variant: Variant, path: string): Promise<Run> =>
  run(["sh", "-c", `${YARDSTICK[variant]} "$1" | wc -c`, "sh", path]);

const quantile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
const median = (times: readonly number[]): number => quantile(times, 0.5);
const most = (values: readonly number[]): number => Math.max(...values);

async function repeat<T>(before: () => Promise<void>, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < ROUNDS) {
    await before();
    results.push(await work());
  }
  return results;
}

interface Row {
  readonly variant: Variant;
  readonly isCold: boolean;
  readonly yardstick_ms: number;
  readonly open_ms: number;
  readonly known_ms: number;
  readonly knownPeakBytes: number;
  readonly view_ms: number;
  readonly viewPeakBytes: number;
  readonly last_ms: number;
  readonly seeks_ms: readonly number[];
  readonly back_ms: readonly number[];
  readonly seekPeakBytes: number;
}

async function rowOf(variant: Variant, path: string, isCold: boolean): Promise<Row> {
  const before = async () => {
    if (isCold) await dropCaches(path);
  };
  const seeks = variant === "stream" ? STREAM_SEEKS : SEEKS;
  const steps = variant === "stream" ? STREAM_SEEKS : STEPS;
  await before();
  const { wall_ms: yardstick_ms } = await yardstick(variant, path);
  const opens = await repeat(before, () => measure("open", path, 1));
  const views = await repeat(before, () => view(path));
  const lasts = await repeat(before, () => measure("last", path, 1));
  await before();
  const seek = await measure("seek", path, seeks);
  await before();
  const back = await measure("back", path, steps);
  return {
    variant,
    isCold,
    yardstick_ms,
    open_ms: median(opens.flatMap(({ times_ms }) => times_ms)),
    known_ms: median(opens.map(({ known_ms }) => known_ms)),
    knownPeakBytes: most(opens.map(({ peakBytes }) => peakBytes)),
    view_ms: median(views.map(({ wall_ms }) => wall_ms)),
    viewPeakBytes: most(views.map(({ peakBytes }) => peakBytes)),
    last_ms: median(lasts.flatMap(({ times_ms }) => times_ms)),
    seeks_ms: seek.times_ms,
    back_ms: back.times_ms,
    seekPeakBytes: most([seek.peakBytes, back.peakBytes]),
  };
}

const ms = (value: number): string => (value < 10_000 ? `${value.toFixed(value < 100 ? 1 : 0)} ms` : seconds(value));
const seconds = (value: number): string => `${(value / 1000).toFixed(1)} s`;
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

const shown = (row: Row) => ({
  file: row.variant,
  "page cache": row.isCold ? "cold" : "warm",
  yardstick: `${YARDSTICK[row.variant]} ${seconds(row.yardstick_ms)}`,
  "first screen": ms(row.open_ms),
  "all known": `${ms(row.known_ms)}, ${mib(row.knownPeakBytes)}`,
  "view --once": `${ms(row.view_ms)}, ${mib(row.viewPeakBytes)}`,
  "last frame": ms(row.last_ms),
  "seek: median": ms(median(row.seeks_ms)),
  p99: ms(quantile(row.seeks_ms, 0.99)),
  "step back: median": row.back_ms.length > 0 ? ms(median(row.back_ms)) : "all held",
  most: row.back_ms.length > 0 ? ms(most(row.back_ms)) : "",
  peak: mib(row.seekPeakBytes),
});

interface Aim {
  readonly what: string;
  readonly aim: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const atMost = (what: string, value: number, limit: number, format: (value: number) => string): Aim => ({
  what,
  aim: `≤ ${format(limit)}`,
  measured: format(value),
  isMet: value <= limit,
});

/** Of files that are in the page cache. */
function aims(rows: readonly Row[]): Aim[] {
  const of = (variant: Variant): Row => rows.find((row) => row.variant === variant && !row.isCold) as Row;
  const [zstd, cut, stream] = [of("zstd"), of("cut"), of("stream")];
  const mibLimit = (limit: number) => limit * 2 ** 20;
  return [
    atMost(`view --start ${START_S} --once, whole process`, zstd.view_ms, AIM_VIEW_MS, ms),
    atMost("  its memory", zstd.viewPeakBytes, mibLimit(AIM_VIEW_MIB), mib),
    atMost("  the same of the cut-off file", cut.view_ms, AIM_CUT_MS, ms),
    atMost(`p99 of ${SEEKS} seeks`, quantile(zstd.seeks_ms, 0.99), AIM_SEEK_MS, ms),
    atMost("scan of one stream, no slower than its yardstick", stream.known_ms, stream.yardstick_ms, ms),
    atMost("  its memory", stream.knownPeakBytes, mibLimit(AIM_SCAN_MIB), mib),
  ];
}

/** In a process of its own: the kernel counts what this one has held as held by those that it starts. */
async function makeRecordings(folder: string): Promise<void> {
  const command = [...BUN, join(import.meta.dir, "replay_recording.ts"), folder, `${frames}`];
  const code = await Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"] }).exited;
  if (code !== 0) throw new Error("the recordings could not be made");
}

const folder = join(values.folder, "all-smi-bench");
const recordings = recordingPaths(folder, frames);
if (!Object.values(recordings).every((path) => existsSync(path))) await makeRecordings(folder);
const rows: Row[] = [];
for (const [variant, path] of Object.entries(recordings) as [Variant, string][]) {
  await run(["sh", "-c", 'cat "$1" | wc -c', "sh", path]);
  for (const isCold of [false, true]) {
    rows.push(await rowOf(variant, path, isCold));
    console.error(`${variant}, ${isCold ? "cold" : "warm"}`);
  }
}
console.log(`${frames} frames; times of view are of whole processes, the others from the call on`);
console.table(rows.map(shown));
const found = aims(rows);
console.table(found);
process.exit(found.every(({ isMet }) => isMet) ? 0 : 1);
