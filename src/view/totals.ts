import { powerLimit_w } from "../frame/power_limit.ts";
import type { Cpu, Gpu, Memory } from "../frame/schema.ts";
import { gpuNumber } from "./gpus.ts";

/** Sums and means over the GPUs of a host or of all. `null`: nothing of it is known. */
export interface GpuTotals {
  readonly devices: number;
  /** That gave a reading. */
  readonly answering: number;
  /** Mean, %. */
  readonly utilization: number | null;
  readonly used_memory: number | null;
  readonly total_memory: number | null;
  readonly power_w: number | null;
  /** Of the GPUs whose limit is known; `null` where one's is not. */
  readonly powerLimit_w: number | null;
  readonly hottest: { readonly temperature: number; readonly host_id: string; readonly number: string } | null;
}

/** Adds what is known. */
export function sumOf<T>(items: readonly T[], of: (item: T) => number | null): number | null {
  let sum: number | null = null;
  for (const item of items) {
    const value = of(item);
    if (value !== null) sum = (sum ?? 0) + value;
  }
  return sum;
}

/** The mean of what is known. */
export function meanOf<T>(items: readonly T[], of: (item: T) => number | null): number | null {
  let [sum, count] = [0, 0];
  for (const item of items) {
    const value = of(item);
    if (value === null) continue;
    sum += value;
    count++;
  }
  return count === 0 ? null : sum / count;
}

/** Numbers count within each host. */
function hottestOf(gpus: readonly Gpu[]): GpuTotals["hottest"] {
  let hottest: GpuTotals["hottest"] = null;
  const places = new Map<string, number>();
  for (const gpu of gpus) {
    const place = places.get(gpu.host_id) ?? 0;
    places.set(gpu.host_id, place + 1);
    const { temperature, host_id } = gpu;
    if (temperature === null || temperature <= (hottest?.temperature ?? Number.NEGATIVE_INFINITY)) continue;
    hottest = { temperature, host_id, number: gpuNumber(gpu, place) };
  }
  return hottest;
}

export function gpuTotals(gpus: readonly Gpu[]): GpuTotals {
  const isLimitKnown = gpus.every((gpu) => gpu.lost || powerLimit_w(gpu) !== null);
  return {
    devices: gpus.length,
    answering: gpus.filter((gpu) => !gpu.lost && (gpu.utilization !== null || gpu.used_memory !== null)).length,
    utilization: meanOf(gpus, (gpu) => gpu.utilization),
    used_memory: sumOf(gpus, (gpu) => gpu.used_memory),
    total_memory: sumOf(gpus, (gpu) => gpu.total_memory),
    power_w: sumOf(gpus, (gpu) => gpu.power_consumption),
    powerLimit_w: isLimitKnown ? sumOf(gpus, powerLimit_w) : null,
    hottest: hottestOf(gpus),
  };
}

/** Mean over sockets or hosts, %. */
export const cpuUtilization = (cpus: readonly Cpu[]): number | null => meanOf(cpus, (cpu) => cpu.utilization);

/** Share of memory in use, %. */
export const memoryUtilization = (memory: readonly Memory[]): number | null => meanOf(memory, (m) => m.utilization);
