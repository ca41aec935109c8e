import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeLine } from "../src/frame/decode.ts";
import type { Frame } from "../src/frame/frame.ts";
import { FileBytes } from "../src/recording/bytes.ts";
import { codecOf } from "../src/recording/codec.ts";
import { scanLines } from "../src/recording/scan.ts";
import { firstBytes, type Memory, memoryOf, PROGRAM, type Sample, sampleOf } from "./recorder.ts";
import type { Measured } from "./replay_measure.ts";

const PORT = 21_001;
const SEEKS = 300;

export interface ClusterRun {
  readonly nodes: number;
  readonly interval_s: number;
  readonly frames: number;
  /** Frames until code is compiled and connections are open. */
  readonly warmUp: number;
  readonly garbage: number;
  readonly slow: number;
  readonly down: number;
}

export interface ClusterCost {
  readonly frames: number;
  /** The frame that is furthest from its place on the grid. */
  readonly late_ms: number;
  /** Frames in which a host is missing, or did not end as it should. */
  readonly wrong: number;
  readonly cpuPerCycle_ms: number;
  readonly memory: Memory;
  readonly nodesCpuPerSecond_ms: number;
  readonly textPerFrameBytes: number;
  readonly bytesPerFrame: number;
  readonly seek_ms: { readonly median: number; readonly p99: number };
}

const run = (program: string, ...options: string[]) =>
  Bun.spawn([program, ...options], { stdio: ["ignore", "ignore", "inherit"] });

/** Serves that many nodes, records them by `program`, and reads what was recorded. */
export async function measureCluster(cluster: ClusterRun, program = PROGRAM): Promise<ClusterCost> {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-bench-"));
  const nodes = run(PROGRAM, "mock", ...nodeOptions(cluster, join(folder, "nodes")));
  try {
    while (!existsSync(join(folder, "nodes"))) {
      if (nodes.exitCode !== null) throw new Error("the nodes could not be served");
      await Bun.sleep(20);
    }
    return await measureRecorder(cluster, program, folder, nodes.pid);
  } finally {
    nodes.kill("SIGKILL");
    await nodes.exited;
    rmSync(folder, { recursive: true });
  }
}

const nodeOptions = ({ nodes, garbage, slow, down }: ClusterRun, hostfile: string): string[] => [
  ...["--nodes", `${nodes}`, "--port", `${PORT}`, "--hostfile", hostfile],
  ...["--garbage", `${garbage}`, "--slow", `${slow}`, "--down", `${down}`],
];

async function measureRecorder(
  cluster: ClusterRun,
  program: string,
  folder: string,
  nodesPid: number,
): Promise<ClusterCost> {
  const { interval_s, frames, warmUp } = cluster;
  const path = join(folder, "cluster.ndjson.zst");
  const recorder = run(
    program,
    ...["record", "--hostfile", join(folder, "nodes"), "-o", path, "--quiet"],
    ...["-i", `${interval_s}`, "--duration", `${frames * interval_s}`],
  );
  try {
    await firstBytes(path, recorder);
    await Bun.sleep((warmUp - 0.5) * interval_s * 1000);
    const before = [sampleOf(recorder.pid), sampleOf(nodesPid)] as const;
    await Bun.sleep((frames - warmUp - 1) * interval_s * 1000);
    const after = [sampleOf(recorder.pid), sampleOf(nodesPid)] as const;
    const memory = memoryOf(recorder.pid);
    if ((await recorder.exited) !== 0) throw new Error("record failed");
    return {
      ...(await check(path, cluster)),
      cpuPerCycle_ms: perSecond_ms(before[0], after[0]) * interval_s,
      nodesCpuPerSecond_ms: perSecond_ms(before[1], after[1]),
      memory,
      bytesPerFrame: statSync(path).size / frames,
      seek_ms: await seeks(path),
    };
  } finally {
    recorder.kill("SIGKILL");
  }
}

const perSecond_ms = (before: Sample, after: Sample): number =>
  ((after.cpu_ms - before.cpu_ms) / (after.t_ms - before.t_ms)) * 1000;

async function check(path: string, cluster: ClusterRun) {
  const file = FileBytes.open(path);
  const found = { frames: 0, wrong: 0, late_ms: 0, textPerFrameBytes: 0 };
  let first: Frame | null = null;
  try {
    for await (const one of scanLines(file, codecOf(file.read(0, 64)))) {
      if (!("line" in one)) throw new Error(one.skipped);
      const line = decodeLine(Buffer.from(one.line).toString());
      if (line.kind !== "frame") continue;
      const { frame } = line;
      first ??= frame;
      const place_ms = first.t_ms + found.frames * cluster.interval_s * 1000;
      found.late_ms = Math.max(found.late_ms, Math.abs(frame.t_ms - place_ms));
      found.wrong += isRight(frame, cluster) ? 0 : 1;
      found.frames++;
      found.textPerFrameBytes += (one.line.length - found.textPerFrameBytes) / found.frames;
    }
    return found;
  } finally {
    file.close();
  }
}

/** The last nodes are those that fail: first those with garbage, then the slow ones, then those that are down. */
function isRight({ scrapes = [], gpus = [] }: Frame, { nodes, garbage, slow, down }: ClusterRun): boolean {
  const well = nodes - garbage - slow - down;
  const expected = [
    ...Array.from({ length: well }, () => null),
    ...Array.from({ length: garbage }, () => "not a metrics page"),
    ...Array.from({ length: slow }, () => "timeout"),
    ...Array.from({ length: down }, () => "connection refused"),
  ];
  const isEach = scrapes.length === nodes && scrapes.every(({ error }, n) => error === expected[n]);
  return isEach && gpus.length === well * 8;
}

async function seeks(path: string): Promise<ClusterCost["seek_ms"]> {
  const measure = join(import.meta.dir, "replay_measure.ts");
  const child = Bun.spawn([process.execPath, measure, "seek", path, `${SEEKS}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { times_ms } = JSON.parse(await child.stdout.text()) as Measured;
  const sorted = times_ms.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * SEEKS)] ?? Number.NaN;
  return { median: at(0.5), p99: at(0.99) };
}
