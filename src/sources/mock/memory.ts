import type { Memory } from "../../frame/schema.ts";
import { type HostState, sumOf } from "./host_state.ts";
import { loadedShare } from "./load.ts";
import { noise, round, salt } from "./random.ts";

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const CACHE = salt("page cache");
const BUFFERS = salt("buffers");
const RESIDENT = salt("resident memory");

export const MEMORY_TOTAL_BYTES = 2_113_440_756 * KIB;

/** As /proc/meminfo counts, in KiB. */
export function memoryRow(host: HostState): Memory {
  const inKib = (bytes: number) => Math.floor(bytes / KIB) * KIB;
  const jobs = sumOf(host.gpus, ({ job }) => (job === null ? 0 : job.hostMemoryMiB * MIB * loadedShare(job, host.t_s)));
  const used = inKib(38 * GIB + jobs + 3 * GIB * noise(host.seed, RESIDENT, host.host, host.t_s, 12));
  const cached = inKib((320 + 500 * noise(host.seed, CACHE, host.host, host.t_s, 3600)) * GIB);
  const buffers = inKib((2 + noise(host.seed, BUFFERS, host.host, host.t_s, 900)) * GIB);
  const free = MEMORY_TOTAL_BYTES - used - cached - buffers;
  return {
    index: 0,
    ...host.identity,
    total_bytes: MEMORY_TOTAL_BYTES,
    used_bytes: used,
    available_bytes: inKib(free + 0.95 * cached),
    free_bytes: free,
    buffers_bytes: buffers,
    cached_bytes: cached,
    swap_total_bytes: 0,
    swap_used_bytes: 0,
    swap_free_bytes: 0,
    utilization: round((used / MEMORY_TOTAL_BYTES) * 100, 2),
    time: host.time,
  };
}
