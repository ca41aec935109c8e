/**
 * What recording costs: CPU and memory of real recorders on this machine, and bytes a frame for each codec.
 *
 *     npm run bench:record                 1,200 frames each, ten a second: thirteen minutes
 *     npm run bench:record -- 1200 3       an hour each, at the default interval
 *
 * Simulated frames are the same in every run; those of this machine are not.
 */
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { codecs } from "../src/recording/codec.ts";
import type { MockOptions } from "../src/sources/mock/mock.ts";
import { ALL } from "../test/mock.ts";
import { encode, mockLines, unflushedBytesPerLine } from "./lines.ts";
import { measureRecorder, type RecorderCost } from "./recorder.ts";

const [frames = 1200, interval_s = 0.1] = process.argv.slice(2).map(Number);
const SLEEPING = 1000;

const AIM_CPU_MS = 3;
const AIM_CPU_WITH_PROCESSES_MS = 10;
const AIM_RESIDENT_MIB = 72;
/** A recorder as people leave it on. */
const DEFAULT = { interval_s: 3, frames: 40 };

const SEED = 1;
const SMALL: MockOptions = {
  hosts: 1,
  gpus: 8,
  seed: SEED,
  health: false,
  perCore: false,
  include: ["gpus", "cpus", "memory"],
};
const LINES: readonly (readonly [name: string, options: MockOptions, count: number])[] = [
  ["8 GPUs, CPU total, memory", SMALL, 2000],
  ["8 GPUs, all sections", { hosts: 1, gpus: 8, seed: SEED, include: ALL }, 300],
  ["100 hosts of 8 GPUs, CPU total, memory", { ...SMALL, hosts: 100 }, 40],
];

interface Aim {
  readonly what: string;
  readonly aim: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const atMost = (what: string, measured: number, limit: number, unit: string): Aim => ({
  what,
  aim: `≤ ${limit} ${unit}`,
  measured: `${measured.toFixed(2)} ${unit}`,
  isMet: measured <= limit,
});

async function withSleepers<T>(count: number, work: () => Promise<T>): Promise<T> {
  const sleepers = Array.from({ length: count }, () =>
    Bun.spawn(["sleep", "86400"], { stdio: ["ignore", "ignore", "ignore"] }),
  );
  try {
    return await work();
  } finally {
    for (const sleeper of sleepers) sleeper.kill();
    await Promise.all(sleepers.map((sleeper) => sleeper.exited));
  }
}

async function recorders(): Promise<Aim[]> {
  const table: Record<string, string>[] = [];
  const measure = async (name: string, ...options: string[]): Promise<RecorderCost> => {
    const cost = await measureRecorder(options, frames, interval_s);
    table.push(recorderRow(name, cost));
    console.error(`${name}: ${cost.cpuPerFrame_ms.toFixed(2)} ms, ${cost.memory.resident.toFixed(1)} MiB`);
    return cost;
  };
  const few = await measure("this machine, without processes", "--include", "gpu,cpu,memory,chassis,storage");
  const all = await measure("this machine, all sections");
  const many = await withSleepers(SLEEPING, () => measure(`this machine, ${SLEEPING} more processes`));
  const mock = await measure("8 GPUs (mock)", "--source", "mock", "--include", "gpu,cpu,memory", "--seed", `${SEED}`);
  const left = await measureRecorder([], DEFAULT.frames, DEFAULT.interval_s);
  table.push(recorderRow(`this machine, all sections, every ${DEFAULT.interval_s} s`, left));
  console.table(table);
  const resident = Math.max(...[few, all, many, mock].map(({ memory }) => memory.resident));
  return [
    atMost("CPU a frame, without processes", few.cpuPerFrame_ms, AIM_CPU_MS, "ms"),
    atMost(`CPU a frame, ${SLEEPING} processes present`, many.cpuPerFrame_ms, AIM_CPU_WITH_PROCESSES_MS, "ms"),
    atMost(`resident after ${frames} frames, whichever is most`, resident, AIM_RESIDENT_MIB, "MiB"),
    atMost("resident, all sections, at the default interval", left.memory.resident, AIM_RESIDENT_MIB, "MiB"),
  ];
}

const recorderRow = (name: string, { frames, cpuPerFrame_ms, memory, bytesPerFrame }: RecorderCost) => ({
  recorder: name,
  frames: String(frames),
  "CPU a frame": `${cpuPerFrame_ms.toFixed(2)} ms`,
  resident: `${memory.resident.toFixed(1)} MiB`,
  anonymous: memory.anonymous.toFixed(1),
  file: memory.file.toFixed(1),
  highest: memory.highest.toFixed(1),
  "zstd bytes a frame": bytesPerFrame.toFixed(0),
});

async function codecSizes(): Promise<Aim[]> {
  const table: Record<string, string>[] = [];
  const ratios: number[] = [];
  for (const [name, options, count] of LINES) {
    const lines = mockLines(options, count);
    const unflushed = await unflushedBytesPerLine(lines);
    const row: Record<string, string> = { frame: name };
    for (const codec of Object.values(codecs)) {
      const { bytesPerLine, cpuPerLine_us } = await encode(codec, lines);
      row[codec.name] = `${bytesPerLine.toFixed(1)} B, ${cpuPerLine_us.toFixed(0)} µs`;
      if (codec.name === "zstd") ratios.push(bytesPerLine / unflushed);
    }
    table.push({ ...row, "zstd -3, unflushed": `${unflushed.toFixed(1)} B`, ratio: (ratios.at(-1) ?? 0).toFixed(3) });
  }
  console.table(table);
  return [atMost("zstd bytes of 8 KB frames, of an unflushed level-3 stream's", ratios[0] ?? Number.NaN, 1, "times")];
}

console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} CPUs, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
    `${process.platform} ${release()}, Bun ${Bun.version}; a frame every ${interval_s} s`,
);
const aims = [...(await codecSizes()), ...(await recorders())];
console.table(aims.map(({ isMet, ...aim }) => ({ ...aim, "": isMet ? "met" : "MISSED" })));
