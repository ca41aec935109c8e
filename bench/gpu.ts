/**
 * What reading GPUs costs: CPU of a real recorder and its helper for each cycle over eight cards of the stub's, with all
 * of their health, and the helper's memory.
 *
 *     npm run bench:gpu                 600 frames each, ten a second: two minutes
 *     npm run bench:gpu -- 1200 3       an hour each, at the default interval
 *
 * The recorder's part is the difference to one that records the same machine without GPUs, half of it before and half
 * after: the machine itself gets faster and slower.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { StubDriver } from "../test/nvml_stub.ts";
import { measureRecorder } from "./recorder.ts";

const [frames = 600, interval_s = 0.1] = process.argv.slice(2).map(Number);

const AIM_CPU_MS = 1.5;
const AIM_RESIDENT_MIB = 52;
const AIM_OWN_MIB = 10;

/** What changes from one cycle to the next on cards at work. */
const AT_WORK = [
  "fixed",
  ...["* power_mw 400000+137", "* memory_used_mib 19818+1"],
  ...["* clock_graphics 1000+1", "* clock_sm 1000+1"],
];

const atMost = (what: string, measured: number, limit: number, unit: string) => ({
  what,
  aim: `≤ ${limit} ${unit}`,
  measured: `${measured.toFixed(2)} ${unit}`,
  "": measured <= limit ? "met" : "MISSED",
});

console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} CPUs, ${process.platform} ${release()}, Bun ${Bun.version}; ` +
    `${frames} frames, one every ${interval_s} s`,
);
const folder = mkdtempSync(join(tmpdir(), "all-smi-bench-gpu-"));
try {
  const { env } = new StubDriver(folder, "h100_x8", ...AT_WORK);
  const half = () => measureRecorder(["--include", "cpu,memory"], Math.ceil(frames / 2), interval_s);
  const before = await half();
  const { helper, ...recorder } = await measureRecorder(["--include", "gpu,cpu,memory"], frames, interval_s, env);
  if (helper === null) throw new Error("the recorder had no helper");
  const after = await half();
  const without_ms = (before.cpuPerFrame_ms + after.cpuPerFrame_ms) / 2;
  const more_ms = recorder.cpuPerFrame_ms - without_ms;
  console.table([
    { part: "recorder without GPUs", "CPU a frame": `${without_ms.toFixed(2)} ms` },
    { part: "what 8 GPUs add to it", "CPU a frame": `${more_ms.toFixed(2)} ms` },
    { part: "helper", "CPU a frame": `${helper.cpuPerFrame_ms.toFixed(2)} ms` },
  ]);
  console.log(`${recorder.bytesPerFrame.toFixed(0)} bytes a frame, ${before.bytesPerFrame.toFixed(0)} without GPUs`);
  console.table([
    atMost("CPU a cycle over 8 GPUs, recorder and helper", more_ms + helper.cpuPerFrame_ms, AIM_CPU_MS, "ms"),
    atMost("helper, resident", helper.resident, AIM_RESIDENT_MIB, "MiB"),
    atMost("helper, of its own", helper.own, AIM_OWN_MIB, "MiB"),
  ]);
} finally {
  rmSync(folder, { recursive: true });
}
