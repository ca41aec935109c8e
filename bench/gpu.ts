/**
 * What reading GPUs costs: CPU of a real recorder and its helper for each cycle over eight cards of the stub's, with all
 * of their health, and the helper's memory.
 *
 *     npm run bench:gpu                 600 frames each, ten a second: two minutes
 *     npm run bench:gpu -- 1200 3       an hour each, at the default interval
 */
import { availableParallelism, cpus, release } from "node:os";
import { measureGpus } from "./gpu_run.ts";

const [frames = 600, interval_s = 0.1] = process.argv.slice(2).map(Number);

const AIM_CPU_MS = 1.5;
const AIM_RESIDENT_MIB = 36;
const AIM_OWN_MIB = 6;

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
const { without_ms, more_ms, helper, ...bytes } = await measureGpus(frames, interval_s);
console.table([
  { part: "recorder without GPUs", "CPU a frame": `${without_ms.toFixed(2)} ms` },
  { part: "what 8 GPUs add to it", "CPU a frame": `${more_ms.toFixed(2)} ms` },
  { part: "helper", "CPU a frame": `${helper.cpuPerFrame_ms.toFixed(2)} ms` },
]);
console.log(`${bytes.bytesPerFrame.toFixed(0)} bytes a frame, ${bytes.bytesPerFrameWithout.toFixed(0)} without GPUs`);
console.table([
  atMost("CPU a cycle over 8 GPUs, recorder and helper", more_ms + helper.cpuPerFrame_ms, AIM_CPU_MS, "ms"),
  atMost("helper, resident", helper.resident, AIM_RESIDENT_MIB, "MiB"),
  atMost("helper, of its own", helper.own, AIM_OWN_MIB, "MiB"),
]);
