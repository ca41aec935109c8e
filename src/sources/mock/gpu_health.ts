import type { Gpu } from "../../frame/schema.ts";
import { type GpuState, MAX_CLOCK_MHZ, POWER_LIMIT_W } from "./gpu_state.ts";
import type { HostState } from "./host_state.ts";
import type { IncidentSchedule } from "./incidents.ts";
import { hash, noise, salt } from "./random.ts";

type Health = NonNullable<Gpu["health"]>;

const LINKS = 18;
const KIB = 1024;
/** What one incident adds to the counters. */
const CORRECTED_EACH = 2;
const CRC_EACH = 12;
const REPLAYS_EACH = 3;
/** So many ECC incidents of a GPU go by before one cannot be corrected. */
const UNCORRECTABLE_EVERY = 32;

const EARLIER = salt("errors before this boot");
const WEAK_LINK = salt("weak link");
const TRAFFIC = salt("pcie traffic");

const REMOTE_DEVICES: Gpu["nvlink_remote_devices"] = Array.from({ length: LINKS }, (_, link_index) => ({
  link_index,
  remote_type: "switch",
  bandwidth_mb_s: null,
}));

/** All links of an H100 in an HGX board lead to switches. */
export const nvlinkDevices = (): Gpu["nvlink_remote_devices"] => REMOTE_DEVICES;

/** The link of a GPU that its link incidents are about. */
export const weakLink = (seed: number, host: number, gpu: number): number => hash(seed, WEAK_LINK, host, gpu) % LINKS;

const uncorrected = (turns: number): number => Math.floor(turns / UNCORRECTABLE_EVERY);

/** The ECC incident that happens now leaves an error that could not be corrected. */
export function isUncorrectable(incidents: IncidentSchedule, host: number, gpu: number, begin_s: number): boolean {
  const turns = incidents.turns("ecc", host, gpu, begin_s);
  return uncorrected(turns) > uncorrected(turns - 1);
}

function memoryErrors(
  host: HostState,
  gpu: number,
  incidents: IncidentSchedule,
): Pick<Health, "ecc" | "remapped_rows"> {
  const now = incidents.turns("ecc", host.host, gpu, host.t_s);
  const atBoot = incidents.turns("ecc", host.host, gpu, host.boot_s);
  const corrected = (now - atBoot) * CORRECTED_EACH;
  const lasting = uncorrected(now) - uncorrected(atBoot);
  const earlier = hash(host.seed, EARLIER, host.host, gpu);
  const earlierLasting = earlier % 7 === 0 ? 1 : 0;
  return {
    ecc: {
      corrected_volatile: corrected,
      uncorrected_volatile: lasting,
      corrected_aggregate: corrected + (earlier % 40),
      uncorrected_aggregate: lasting + earlierLasting,
    },
    remapped_rows: {
      correctable: 0,
      uncorrectable: lasting + earlierLasting,
      pending: lasting > 0 ? 1 : 0,
      failure: 0,
    },
  };
}

function links(host: HostState, state: GpuState, incidents: IncidentSchedule): NonNullable<Health["nvlink"]> {
  const { gpu, incident } = state;
  const turns =
    incidents.turns("link", host.host, gpu, host.t_s) - incidents.turns("link", host.host, gpu, host.boot_s);
  const weak = weakLink(host.seed, host.host, gpu);
  return Array.from({ length: LINKS }, (_, link_index) => {
    const failures = link_index === weak ? turns : 0;
    return {
      link_index,
      state: link_index === weak && incident?.kind === "link" ? "inactive" : "active",
      crc_errors: failures * CRC_EACH,
      replay_errors: failures * REPLAYS_EACH,
      recovery_errors: failures,
    };
  });
}

function traffic(host: HostState, state: GpuState, direction: number, most_kib: number): number {
  const swing = 0.6 + 0.4 * noise(host.seed, TRAFFIC, host.host * 64 + state.gpu * 2 + direction, host.t_s, 2);
  return Math.round(330 + state.utilization * most_kib * swing) * KIB;
}

/** The extension `health`, as NVML would answer. */
export function gpuHealth(host: HostState, state: GpuState, incidents: IncidentSchedule): Health {
  return {
    throttle: state.throttle === null ? [] : [state.throttle],
    power_limit_watts: POWER_LIMIT_W,
    memory_temperature: Math.round(state.memoryTemperature_c),
    memory_utilization: Math.round(state.utilization * 55),
    ...memoryErrors(host, state.gpu, incidents),
    retired_pages: null,
    pcie: {
      generation: 5,
      generation_max: 5,
      width: 16,
      width_max: 16,
      replays: hash(host.seed, EARLIER, host.host, state.gpu + 100) % 10,
      rx_bytes_per_second: traffic(host, state, 0, 9_000_000),
      tx_bytes_per_second: traffic(host, state, 1, 6_000_000),
    },
    nvlink: links(host, state, incidents),
    clocks: {
      sm: state.clock_mhz,
      sm_max: MAX_CLOCK_MHZ,
      memory: 2619,
      memory_max: 2619,
      video: state.job === null ? 765 : 1545,
      video_max: 1545,
    },
    encoder: 0,
    decoder: 0,
    jpeg: 0,
    ofa: 0,
  };
}
