/**
 * What recording a cluster costs: simulated nodes behind real sockets, and a real recorder that asks them.
 *
 *     npm run bench:cluster              a minute of 100 nodes, the same where ten of them fail, two of 1,000
 *     npm run bench:cluster -- 600       ten minutes and twenty
 */
import { availableParallelism, cpus, release } from "node:os";
import { formatBytes } from "../src/cli/units.ts";
import { type ClusterCost, type ClusterRun, measureCluster } from "./cluster_run.ts";

const [seconds = 60] = process.argv.slice(2).map(Number);

const HUNDRED = { nodes: 100, interval_s: 1, frames: seconds, warmUp: 10, garbage: 0, slow: 0, down: 0 };

interface Aims {
  readonly cpu_ms: number;
  readonly memoryMiB: number;
}

/** That of replay, for whatever was recorded. */
const SEEK_P99_MS = 20;

const AIMS: Aims = { cpu_ms: 85, memoryMiB: 170 };
const RUNS: readonly (ClusterRun & Aims)[] = [
  { ...HUNDRED, ...AIMS },
  { ...HUNDRED, ...AIMS, garbage: 2, slow: 3, down: 5 },
  {
    ...{ ...HUNDRED, nodes: 1000, interval_s: 10, frames: seconds / 5, warmUp: 3 },
    ...{ cpu_ms: 850, memoryMiB: 450 },
  },
];

/** What `record` keeps unless it is told otherwise: 10 segments of 100 MiB. */
const KEPT_BYTES = 10 * (100 << 20);
const nameOf = ({ nodes, interval_s, garbage, slow, down }: ClusterRun): string =>
  `${nodes} nodes, ${interval_s} s${garbage + slow + down > 0 ? `, ${garbage + slow + down} fail` : ""}`;

const row = (run: ClusterRun, cost: ClusterCost) => ({
  cluster: nameOf(run),
  frames: `${cost.frames}, ${cost.late_ms} ms late at most`,
  "CPU a cycle": `${cost.cpuPerCycle_ms.toFixed(0)} ms`,
  resident: `${cost.memory.resident.toFixed(0)} MiB`,
  highest: `${cost.memory.highest.toFixed(0)} MiB`,
  "a frame": `${formatBytes(cost.textPerFrameBytes)} of text, ${formatBytes(cost.bytesPerFrame)} stored`,
  "kept by default": `${(((KEPT_BYTES / cost.bytesPerFrame) * run.interval_s) / 3600).toFixed(1)} h`,
  "seek: median, p99": `${cost.seek_ms.median.toFixed(0)} ms, ${cost.seek_ms.p99.toFixed(0)} ms`,
  "nodes' CPU a second": `${cost.nodesCpuPerSecond_ms.toFixed(0)} ms`,
});

const aim = (what: string, measured: number, limit: number, unit: string) => ({
  what,
  aim: `≤ ${limit} ${unit}`,
  measured: `${measured.toFixed(0)} ${unit}`,
  "": measured <= limit ? "met" : "MISSED",
});

console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} CPUs, ${process.platform} ${release()}, Bun ${Bun.version}; ` +
    "8 GPUs, 224 threads and 100 processes a node",
);
const rows: Record<string, string>[] = [];
const aims: Record<string, string>[] = [];
for (const run of RUNS) {
  const cost = await measureCluster(run);
  rows.push(row(run, cost));
  aims.push(
    aim(`${nameOf(run)}: CPU a cycle`, cost.cpuPerCycle_ms, run.cpu_ms, "ms"),
    aim(`${nameOf(run)}: memory, highest`, cost.memory.highest, run.memoryMiB, "MiB"),
    aim(`${nameOf(run)}: frames missing`, run.frames - cost.frames, 0, ""),
    aim(`${nameOf(run)}: frames with a wrong outcome`, cost.wrong, 0, ""),
    aim(`${nameOf(run)}: p99 of seeks`, cost.seek_ms.p99, SEEK_P99_MS, "ms"),
  );
}
console.table(rows);
console.table(aims);
process.exit(aims.every((one) => one[""] === "met") ? 0 : 1);
