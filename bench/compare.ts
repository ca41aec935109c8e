/**
 * What recording and replay cost beside another checkout of this project, both measured in turn, so that whatever else
 * the machine does comes to both:
 *
 *     npm run bench:compare -- ../before                      five rounds: three hours
 *     npm run bench:compare -- ../before --only record,gpu    some of record, gpu, cluster, replay
 *
 * `../before` is a checkout that `npm ci` has run in. Prints the median of the rounds. Fewer `--frames` measure how the
 * engine compiles: a recorder's first half a minute costs a third more than those after it.
 */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { measureCluster } from "./cluster_run.ts";
import { measureGpus } from "./gpu_run.ts";
import { measureRecorder } from "./recorder.ts";
import type { Measured } from "./replay_measure.ts";
import { INTERVAL_MS, recordingPaths } from "./replay_recording.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    frames: { type: "string", default: "1200" },
    only: { type: "string", default: "record,gpu,cluster,replay" },
  },
});
const [before] = positionals;
if (before === undefined || !existsSync(join(before, "bin/all-smi"))) {
  console.error(
    "usage: npm run bench:compare -- PATH [--rounds N] [--only record,gpu,cluster,replay]; PATH: a checkout",
  );
  process.exit(2);
}
const TREES = [resolve(before), resolve(import.meta.dir, "..")] as const;
const rounds = Number(values.rounds);
const frames = Number(values.frames);

/** CPU may be a tenth more. */
const MOST_CPU = 1.1;
const MOST_REPLAY_MEMORY = 1.15;

/** By what is measured: a number of each tree in each round, and what it may be at most. */
interface Series {
  readonly values: readonly [number[], number[]];
  readonly unit: string;
  readonly limit: { readonly ratio: number } | { readonly value: number };
}

const found = new Map<string, Series>();

function note(what: string, tree: 0 | 1, value: number, unit: string, limit: Series["limit"]): void {
  const series = found.get(what) ?? { values: [[], []] as const, unit, limit };
  series.values[tree].push(value);
  found.set(what, series);
}

const cpu = (what: string, tree: 0 | 1, ms: number) => note(`${what}: CPU`, tree, ms, "ms", { ratio: MOST_CPU });
const resident = (what: string, tree: 0 | 1, mib: number, most: number) =>
  note(`${what}: resident`, tree, mib, "MiB", { value: most });

const program = (tree: 0 | 1): string => join(TREES[tree], "bin/all-smi");

const RECORDERS = {
  "this machine": [],
  "this machine, without processes": ["--include", "gpu,cpu,memory,chassis,storage"],
  "8 GPUs (mock)": ["--mock", "1x8", "--include", "gpu,cpu,memory"],
} as const;

/** A recorder as people leave it on. */
const DEFAULT = { interval_s: 3, frames: 40 };

async function record(tree: 0 | 1): Promise<void> {
  for (const [name, options] of Object.entries(RECORDERS)) {
    const cost = await measureRecorder(options, frames, 0.1, {}, program(tree));
    cpu(`record, ${name}`, tree, cost.cpuPerFrame_ms);
    resident(`record, ${name}`, tree, cost.memory.resident, 72);
  }
  const { memory } = await measureRecorder([], DEFAULT.frames, DEFAULT.interval_s, {}, program(tree));
  resident(`record, this machine, every ${DEFAULT.interval_s} s`, tree, memory.resident, 72);
}

async function gpu(tree: 0 | 1): Promise<void> {
  const cost = await measureGpus(frames, 0.1, program(tree));
  cpu("8 GPUs by NVML, recorder and helper", tree, cost.more_ms + cost.helper.cpuPerFrame_ms);
  resident("8 GPUs by NVML, helper", tree, cost.helper.resident, 36);
}

async function cluster(tree: 0 | 1): Promise<void> {
  const healthy = { garbage: 0, slow: 0, down: 0 };
  // The minute that `bench:cluster` measures, from its tenth second on.
  const hundred = { nodes: 100, interval_s: 1, frames: 60, warmUp: 10, ...healthy };
  const thousand = { nodes: 1000, interval_s: 10, frames: 9, warmUp: 3, ...healthy };
  for (const [run, most] of [
    [hundred, 170],
    [thousand, 450],
  ] as const) {
    const cost = await measureCluster(run, program(tree));
    cpu(`${run.nodes} nodes`, tree, cost.cpuPerCycle_ms);
    resident(`${run.nodes} nodes`, tree, cost.memory.highest, most);
  }
}

const REPLAY_FRAMES = 50_000;
const BUN = [process.execPath, "--config=/dev/null", "--no-env-file"];

async function replay(tree: 0 | 1): Promise<void> {
  const { zstd: path, stream } = recordingPaths(join(tmpdir(), "all-smi-bench"), REPLAY_FRAMES);
  if (!existsSync(path)) {
    const command = [...BUN, join(import.meta.dir, "replay_recording.ts"), join(tmpdir(), "all-smi-bench")];
    await ended([...command, `${REPLAY_FRAMES}`]);
  }
  for (const [name, file] of [
    ["", path],
    [" without index", stream],
  ] as const) {
    const start = `${Math.floor((REPLAY_FRAMES * 0.96 * INTERVAL_MS) / 1000)}`;
    const view = await ended([program(tree), "view", "--replay", file, "--start", start, "--once"]);
    cpu(`view --once${name}`, tree, view.cpu_ms);
    note(`view --once${name}: most resident`, tree, view.peakMiB, "MiB", { ratio: MOST_REPLAY_MEMORY });
  }
  const { output } = await ended([...BUN, join(TREES[tree], "bench/replay_measure.ts"), "seek", path, "300"]);
  const { times_ms, peakBytes } = JSON.parse(output) as Measured;
  cpu("300 seeks, median", tree, median(times_ms));
  note("300 seeks: most resident", tree, peakBytes / 2 ** 20, "MiB", { ratio: MOST_REPLAY_MEMORY });
}

async function ended(command: readonly string[]): Promise<{ output: string; cpu_ms: number; peakMiB: number }> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const output = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed`);
  const usage = child.resourceUsage();
  return {
    output,
    cpu_ms: Number(usage?.cpuTime.total ?? Number.NaN) / 1000,
    peakMiB: (usage?.maxRSS ?? Number.NaN) / 2 ** 20,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return ((sorted[middle] ?? Number.NaN) + (sorted[sorted.length - 1 - middle] ?? Number.NaN)) / 2;
}

const MEASURES = { record, gpu, cluster, replay } as const;
for (const name of values.only.split(",")) {
  if (!(name in MEASURES)) throw new Error(`--only ${name}: of ${Object.keys(MEASURES).join(",")}`);
}
for (let round = 1; round <= rounds; round++) {
  for (const name of values.only.split(",") as (keyof typeof MEASURES)[]) {
    // Whichever comes first finds the machine in another state.
    for (const tree of round % 2 === 0 ? ([1, 0] as const) : ([0, 1] as const)) {
      await MEASURES[name](tree);
      console.error(`round ${round}, ${name}, ${tree === 0 ? "before" : "now"}`);
    }
  }
}

let isMet = true;
const rows = [...found].map(
  ([
    what,
    {
      values: [old, now],
      unit,
      limit,
    },
  ]) => {
    const [was, is] = [median(old), median(now)];
    const most = "value" in limit ? limit.value : was * limit.ratio;
    isMet &&= is <= most;
    return {
      what,
      before: `${was.toFixed(2)} ${unit}`,
      now: `${is.toFixed(2)} ${unit}`,
      ratio: (is / was).toFixed(3),
      "at most": "value" in limit ? `${limit.value} ${unit}` : `${limit.ratio} times`,
      "": is <= most ? "met" : "MISSED",
    };
  },
);
console.log(`${rounds} rounds, medians; recorders with ${frames} frames, ten a second`);
console.table(rows);
process.exit(isMet ? 0 : 1);
