import { cleanText } from "../../frame/clean_text.ts";
import type { Process } from "../../frame/schema.ts";
import { round1 } from "./files.ts";
import type { KernelUnits } from "./kernel_units.ts";
import type { KnownProcess } from "./process_table.ts";

/** A process's use of one GPU, under the keys of the frame. */
export interface GpuUse {
  /** Index of the GPU. */
  readonly device_id: number | null;
  readonly device_uuid: string;
  /** GPU memory in bytes. */
  readonly used_memory: number | null;
  /** Percent. */
  readonly gpu_utilization: number | null;
}

/** Which process uses which GPUs. */
export type GpuUses = ReadonlyMap<number, readonly GpuUse[]>;

/** What the rows of a frame have in common. */
export interface Machine extends KernelUnits {
  /** Seconds since the epoch. */
  readonly boot_s: number | null;
  readonly memory_bytes: number | null;
  userName(uid: number): string;
}

/** The use of a process that uses no GPU: none, which is known. */
const NO_GPU: GpuUse = { device_id: 0, device_uuid: "", used_memory: 0, gpu_utilization: 0 };

/**
 * The `count` processes that use most: the one with most CPU, the one with most memory, the next of each, and so on. In
 * the order of their numbers, in which a frame resembles the one before, so that it takes fewer bytes.
 */
export function pickLargest(processes: readonly KnownProcess[], count: number): KnownProcess[] {
  const byCpu = processes
    .filter((process) => (process.cpu_percent ?? 0) > 0)
    .sort((a, b) => (b.cpu_percent ?? 0) - (a.cpu_percent ?? 0) || a.pid - b.pid);
  const byMemory = [...processes].sort((a, b) => b.resident_pages - a.resident_pages || a.pid - b.pid);
  const picked = new Set<KnownProcess>();
  for (let rank = 0; rank < byMemory.length && picked.size < count; rank++) {
    for (const process of [byCpu[rank], byMemory[rank]]) if (process && picked.size < count) picked.add(process);
  }
  return [...picked].sort((a, b) => a.pid - b.pid);
}

/** The rows of the processes that use GPUs, one per GPU, then those of the others. */
export function processRows(
  uses: GpuUses,
  known: ReadonlyMap<number, KnownProcess>,
  others: readonly KnownProcess[],
  machine: Machine,
): Process[] {
  const ofGpus = [...uses]
    .sort(([a], [b]) => a - b)
    .flatMap(([pid, devices]) => {
      const process = known.get(pid);
      return devices.map((use) => (process ? processRow(process, use, machine) : hiddenRow(pid, use)));
    });
  return [...ofGpus, ...others.map((process) => processRow(process, null, machine))];
}

/** In percent; `null`: not known. */
function shareOf(total: number | null | undefined, part: number): number | null {
  const percent = total ? round1((100 * part) / total) : null;
  return percent !== null && percent <= 100 ? percent : null;
}

function processRow(process: KnownProcess, use: GpuUse | null, machine: Machine): Process {
  const { pid, stat, uid } = process;
  const name = cleanText(stat.comm);
  const rss_bytes = process.resident_pages * machine.page_bytes;
  return {
    ...gpuColumns(pid, name, use),
    cpu_percent: process.cpu_percent === null ? null : round1(process.cpu_percent),
    memory_percent: shareOf(machine.memory_bytes, rss_bytes),
    memory_rss: rss_bytes,
    memory_vms: stat.vms_bytes,
    user: uid === null ? "" : machine.userName(uid),
    state: stat.state,
    start_time: startTime(stat.start_ticks, machine),
    cpu_time: Math.floor(stat.cpu_ticks / machine.ticks_per_second),
    command: process.command ?? `[${name}]`,
    ppid: stat.ppid,
    threads: stat.threads,
    uses_gpu: use !== null,
    priority: stat.priority,
    nice_value: stat.nice,
    gpu_utilization: (use ?? NO_GPU).gpu_utilization,
  };
}

/** A process that the GPU names and `/proc` does not: in another container, or hidden from us. */
const hiddenRow = (pid: number, use: GpuUse): Process => ({
  ...gpuColumns(pid, "", use),
  cpu_percent: null,
  memory_percent: null,
  memory_rss: null,
  memory_vms: null,
  user: "",
  state: "?",
  start_time: "",
  cpu_time: null,
  command: "",
  ppid: null,
  threads: null,
  uses_gpu: true,
  priority: null,
  nice_value: null,
  gpu_utilization: use.gpu_utilization,
});

const gpuColumns = (pid: number, process_name: string, use: GpuUse | null) => {
  const { device_id, device_uuid, used_memory } = use ?? NO_GPU;
  return { device_id, device_uuid, pid, process_name, used_memory };
};

/** Seconds since the epoch, as text. */
const startTime = (start_ticks: number, { boot_s, ticks_per_second }: Machine): string =>
  boot_s === null ? "" : String(Math.floor(boot_s + start_ticks / ticks_per_second));
