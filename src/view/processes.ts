import type { Process } from "../frame/schema.ts";
import { gpuNumber } from "./gpus.ts";
import type { Host } from "./hosts.ts";
import type { Choices, ProcessSort } from "./model.ts";

/** A process, with all that it does on all GPUs: a frame has a row for each of them. */
export interface ProcessRow {
  readonly process: Process;
  /** The numbers of its GPUs, in order. */
  readonly gpus: string[];
  /** Over all its GPUs, bytes; `null`: not known, or it uses none. */
  gpuMemory: number | null;
  /** Sum over its GPUs, %. */
  gpuUtilization: number | null;
}

const plus = (sum: number | null, value: number | null): number | null => (value === null ? sum : (sum ?? 0) + value);

function rowsOf(host: Host): ProcessRow[] {
  const numbers = new Map(host.gpus.map((gpu, place) => [gpu.uuid, gpuNumber(gpu, place)]));
  const rows = new Map<number, ProcessRow>();
  for (const process of host.processes) {
    let row = rows.get(process.pid);
    if (row === undefined) {
      row = { process, gpus: [], gpuMemory: null, gpuUtilization: null };
      rows.set(process.pid, row);
    }
    if (!process.uses_gpu) continue;
    row.gpus.push(numbers.get(process.device_uuid) ?? String(process.device_id ?? "?"));
    row.gpuMemory = plus(row.gpuMemory, process.used_memory);
    row.gpuUtilization = plus(row.gpuUtilization, process.gpu_utilization);
  }
  return [...rows.values()];
}

type Order = (a: ProcessRow, b: ProcessRow) => number;

/** What is not known comes last in either direction. */
const byNumber =
  (of: (row: ProcessRow) => number | null, direction: number): Order =>
  (a, b) => {
    const [one, other] = [of(a), of(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return (one - other) * direction;
  };

const NUMBERS: Readonly<Record<Exclude<ProcessSort, "default" | "user">, (row: ProcessRow) => number | null>> = {
  cpu: ({ process }) => process.cpu_percent,
  memory: ({ process }) => process.memory_rss,
  gpu_memory: ({ gpuMemory }) => gpuMemory,
  pid: ({ process }) => process.pid,
  time: ({ process }) => process.cpu_time,
};

/** By itself: those on GPUs first, by their memory there; then by CPU. */
function byDefault(a: ProcessRow, b: ProcessRow): number {
  const onGpu = Number(b.gpus.length > 0) - Number(a.gpus.length > 0);
  return onGpu || byNumber(NUMBERS.gpu_memory, -1)(a, b) || byNumber(NUMBERS.cpu, -1)(a, b);
}

function orderOf(sort: ProcessSort, isDescending: boolean): Order {
  const direction = isDescending ? -1 : 1;
  if (sort === "default") return byDefault;
  if (sort === "user") return (a, b) => a.process.user.localeCompare(b.process.user, "en") * direction;
  return byNumber(NUMBERS[sort], direction);
}

function matches({ process, gpus }: ProcessRow, filter: string): boolean {
  if (filter.startsWith("#")) return gpus.includes(filter.slice(1));
  const text = `${process.pid} ${process.user} ${process.process_name} ${process.command}`;
  return text.toLowerCase().includes(filter.toLowerCase());
}

export interface ShownProcesses {
  readonly rows: readonly ProcessRow[];
  /** Of all that the frame has of this host. */
  readonly total: number;
}

/** The processes of a host that the choices leave, in the order chosen. */
export function shownProcesses(host: Host, choices: Choices): ShownProcesses {
  const all = rowsOf(host);
  const { filter, onlyGpuProcesses, processSort, isDescending } = choices;
  const order = orderOf(processSort, isDescending);
  const rows = all
    .filter((row) => (!onlyGpuProcesses || row.gpus.length > 0) && (filter === "" || matches(row, filter)))
    .sort((a, b) => order(a, b) || a.process.pid - b.process.pid);
  return { rows, total: all.length };
}

/** `0-7`, `0,2-3` */
export function gpuRanges(numbers: readonly string[]): string {
  const ranges: string[] = [];
  const sorted = [...new Set(numbers)].sort((a, b) => Number(a) - Number(b));
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i] ?? "";
    while (i + 1 < sorted.length && Number(sorted[i + 1]) === Number(sorted[i]) + 1) i++;
    const last = sorted[i] ?? "";
    ranges.push(first === last ? first : `${first}-${last}`);
  }
  return ranges.join(",");
}
