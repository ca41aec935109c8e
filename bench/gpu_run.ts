import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StubDriver } from "../test/nvml_stub.ts";
import { type HelperCost, measureRecorder, PROGRAM } from "./recorder.ts";

/** What reading eight cards of the stub's costs. */
export interface GpuCost {
  /** CPU a frame of a recorder without GPUs. */
  readonly without_ms: number;
  /** What GPUs add to it. */
  readonly more_ms: number;
  readonly helper: HelperCost;
  readonly bytesPerFrame: number;
  readonly bytesPerFrameWithout: number;
}

/** What changes from one cycle to the next on cards at work. */
const AT_WORK = [
  "fixed",
  ...["* power_mw 400000+137", "* memory_used_mib 19818+1"],
  ...["* clock_graphics 1000+1", "* clock_sm 1000+1"],
];

/**
 * Measures a recorder of eight cards. Its own part is the difference to one that records the same machine without GPUs,
 * half of it before and half after: the machine itself gets faster and slower.
 */
export async function measureGpus(frames: number, interval_s: number, program = PROGRAM): Promise<GpuCost> {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-bench-gpu-"));
  try {
    const { env } = new StubDriver(folder, "h100_x8", ...AT_WORK);
    const half = () => measureRecorder(["--include", "cpu,memory"], Math.ceil(frames / 2), interval_s, {}, program);
    const before = await half();
    const options = ["--include", "gpu,cpu,memory"];
    const { helper, ...recorder } = await measureRecorder(options, frames, interval_s, env, program);
    if (helper === null) throw new Error("the recorder had no helper");
    const after = await half();
    const without_ms = (before.cpuPerFrame_ms + after.cpuPerFrame_ms) / 2;
    return {
      without_ms,
      more_ms: recorder.cpuPerFrame_ms - without_ms,
      helper,
      bytesPerFrame: recorder.bytesPerFrame,
      bytesPerFrameWithout: before.bytesPerFrame,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
