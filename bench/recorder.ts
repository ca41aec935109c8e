import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileBytes } from "../src/recording/bytes.ts";
import { codecOf } from "../src/recording/codec.ts";
import { scanLines } from "../src/recording/scan.ts";
import { childrenOf } from "../test/child_processes.ts";

/** Of this checkout. */
export const PROGRAM = join(import.meta.dir, "../bin/all-smi");

/** Until every section has had its first, dearer reading and idle processes are known as such. */
const WARM_UP_FRAMES = 30;

/** Of /proc/PID/stat: USER_HZ is 100 on every Linux that Bun runs on. */
const TICK_MS = 10;

/** What a real `all-smi record` cost. */
export interface RecorderCost {
  readonly frames: number;
  readonly cpuPerFrame_ms: number;
  readonly memory: Memory;
  /** Of the recording as stored. */
  readonly bytesPerFrame: number;
  /** Of the process that it has a driver's library run in; `null`: it has none. */
  readonly helper: HelperCost | null;
}

export interface HelperCost {
  readonly cpuPerFrame_ms: number;
  /** MiB, as `/proc/PID/smaps_rollup` has it. */
  readonly resident: number;
  /** MiB that it has written to and shares with nobody. */
  readonly own: number;
}

/** In MiB, as /proc/PID/status has it. File pages are Bun's program and shared with all that run it. */
export interface Memory {
  readonly resident: number;
  readonly anonymous: number;
  readonly file: number;
  readonly highest: number;
}

export interface Sample {
  readonly t_ms: number;
  readonly cpu_ms: number;
}

/** Records that many frames in a process of its own, and measures what comes after the warm-up. */
export async function measureRecorder(
  options: readonly string[],
  frames: number,
  interval_s: number,
  env: Readonly<Record<string, string>> = {},
  program = PROGRAM,
): Promise<RecorderCost> {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-bench-"));
  const path = join(folder, "trace.ndjson.zst");
  const recorder = Bun.spawn([program, "record", "-o", path, "-i", String(interval_s), "--quiet", ...options], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    await firstBytes(path, recorder);
    await Bun.sleep(WARM_UP_FRAMES * interval_s * 1000);
    const [helper] = childrenOf(recorder.pid);
    const before = sampleOf(recorder.pid);
    const helperBefore_ms = helper === undefined ? 0 : sampleOf(helper).cpu_ms;
    await Bun.sleep(frames * interval_s * 1000);
    const after = sampleOf(recorder.pid);
    const memory = memoryOf(recorder.pid);
    const helperAfter_ms = helper === undefined ? 0 : sampleOf(helper).cpu_ms;
    const helperMemory = helper === undefined ? null : ownMemoryOf(helper);
    recorder.kill("SIGTERM");
    if ((await recorder.exited) !== 0) throw new Error(`record ${options.join(" ")} failed`);
    const times = await frameTimes(path);
    const measured = times.filter((t_ms) => t_ms >= before.t_ms && t_ms < after.t_ms).length;
    return {
      frames: times.length,
      cpuPerFrame_ms: (after.cpu_ms - before.cpu_ms) / measured,
      memory,
      bytesPerFrame: statSync(path).size / times.length,
      helper: helperMemory && { cpuPerFrame_ms: (helperAfter_ms - helperBefore_ms) / measured, ...helperMemory },
    };
  } finally {
    recorder.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}

/** Until the recording has begun; a recorder that ends before that has said why. */
export async function firstBytes(path: string, recorder: Bun.Subprocess): Promise<void> {
  while ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) {
    if (recorder.exitCode !== null) throw new Error(`record ended at once, with ${recorder.exitCode}`);
    await Bun.sleep(5);
  }
}

/** CPU time of a process: user and system, the 14th and 15th field; the name before them may hold anything but the last bracket. */
export function sampleOf(pid: number): Sample {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { t_ms: Date.now(), cpu_ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
}

/** MiB under a key of one of /proc's files. */
const mebibytes = (text: string, key: string): number =>
  Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) / 1024;

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return {
    resident: mebibytes(text, "VmRSS"),
    anonymous: mebibytes(text, "RssAnon"),
    file: mebibytes(text, "RssFile"),
    highest: mebibytes(text, "VmHWM"),
  };
}

function ownMemoryOf(pid: number): Pick<HelperCost, "resident" | "own"> {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  return { resident: mebibytes(text, "Rss"), own: mebibytes(text, "Private_Dirty") };
}

async function frameTimes(path: string): Promise<number[]> {
  const file = FileBytes.open(path);
  const times: number[] = [];
  try {
    for await (const one of scanLines(file, codecOf(file.read(0, 64)))) {
      if (!("line" in one)) throw new Error(one.skipped);
      const line: { t: string; header?: true; index?: true } = JSON.parse(Buffer.from(one.line).toString());
      if (!line.header && !line.index) times.push(Date.parse(line.t));
    }
  } finally {
    file.close();
  }
  return times;
}
