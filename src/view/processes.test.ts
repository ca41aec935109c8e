import { expect, test } from "bun:test";
import { nvidiaFrame } from "../../test/frames.ts";
import { CHOICES } from "../../test/screen.ts";
import type { Process } from "../frame/schema.ts";
import { type Host, hostsOf } from "./hosts.ts";
import type { Choices } from "./model.ts";
import { gpuRanges, shownProcesses } from "./processes.ts";

const [training] = nvidiaFrame.processes ?? [];
const [dgx] = hostsOf(nvidiaFrame);
if (training === undefined || dgx === undefined) throw new Error("no process");

const onGpu = (pid: number, gpu: number, used_memory: number | null): Process => ({
  ...training,
  pid,
  device_id: gpu,
  device_uuid: dgx.gpus[gpu]?.uuid ?? "",
  used_memory,
  gpu_utilization: 40,
});

const idle = (pid: number, cpu_percent: number | null): Process => ({
  ...training,
  pid,
  cpu_percent,
  uses_gpu: false,
  used_memory: 0,
  user: "bob",
  command: "bash",
});

const host: Host = {
  ...dgx,
  processes: [idle(1, 5), onGpu(2, 0, 10), onGpu(2, 1, 20), onGpu(2, 2, null), onGpu(3, 7, 50), idle(4, null)],
};

const pids = (changes: Partial<Choices>) =>
  shownProcesses(host, { ...CHOICES, ...changes }).rows.map(({ process }) => process.pid);

test("the rows of one process on several GPUs are one", () => {
  const row = shownProcesses(host, CHOICES).rows.find(({ process }) => process.pid === 2);
  expect(row).toMatchObject({ gpus: ["0", "1", "2"], gpuMemory: 30, gpuUtilization: 120 });
});

test("by itself GPU memory, then CPU; what is not known comes last", () => {
  expect(pids({})).toEqual([3, 2, 1, 4]);
  expect(pids({ processSort: "cpu" })).toEqual([2, 3, 1, 4]);
  expect(pids({ processSort: "cpu", isDescending: false })).toEqual([1, 2, 3, 4]);
  expect(pids({ processSort: "pid" })).toEqual([4, 3, 2, 1]);
  expect(pids({ processSort: "user", isDescending: false })).toEqual([2, 3, 1, 4]);
});

test("filters", () => {
  expect(pids({ onlyGpuProcesses: true })).toEqual([3, 2]);
  expect(pids({ filter: "BASH" })).toEqual([1, 4]);
  expect(pids({ filter: "#1" })).toEqual([2]);
  expect(shownProcesses(host, { ...CHOICES, filter: "bash" }).total).toBe(4);
});

test("numbers of GPUs as ranges", () => {
  expect(gpuRanges(["0", "1", "2", "3", "4", "5", "6", "7"])).toBe("0-7");
  expect(gpuRanges(["10", "2", "3", "0", "3"])).toBe("0,2-3,10");
  expect(gpuRanges([])).toBe("");
});
