import type { Gpu } from "../../frame/schema.ts";
import { gpuHealth, nvlinkDevices } from "./gpu_health.ts";
import type { GpuState } from "./gpu_state.ts";
import { SLOWDOWN_C } from "./gpu_state.ts";
import type { HostState } from "./host_state.ts";
import type { IncidentSchedule } from "./incidents.ts";
import { hash, round, salt } from "./random.ts";

const MIB = 1024 ** 2;
const TOTAL_MIB = 81_559;

const UUID = salt("uuid");

const DRIVER = { "Driver Version": "590.48.01", "CUDA Version": "13.1" };
/** As the Rust tool's NVIDIA reader words them. */
const DETAIL = {
  ...DRIVER,
  lib_name: "CUDA",
  lib_version: "13.1",
  Brand: "Nvidia",
  architecture: "Hopper",
  "PCIe Generation": "5",
  "PCIe Width": "x16",
  pcie_gen_max: "5",
  pcie_width_max: "16",
  compute_mode: "Default",
  performance_state: "Zero",
  power_limit_current: "700.00",
  power_limit_default: "700.00",
  power_limit_min: "200.00",
  power_limit_max: "700.00",
  clock_graphics_max: "1980",
  clock_memory_max: "2619",
  ecc_mode_current: "Enabled",
  mig_mode_current: "0",
  vbios_version: '"96.00.A5.00.01"',
};

/** Not a real one: the words of a UUID come from the seed. */
export function gpuUuid(seed: number, host: number, gpu: number): string {
  const word = (i: number) =>
    hash(seed, UUID, host, gpu * 4 + i)
      .toString(16)
      .padStart(8, "0");
  const [a, b, c, d] = [word(0), word(1), word(2), word(3)];
  return `GPU-${a}-${b.slice(0, 4)}-${b.slice(4)}-${c.slice(0, 4)}-${c.slice(4)}${d}`;
}

type Gauges = Pick<
  Gpu,
  "utilization" | "temperature" | "used_memory" | "frequency" | "power_consumption" | "performance_state"
>;

const UNKNOWN_GAUGES: Gauges = {
  utilization: null,
  temperature: null,
  used_memory: null,
  frequency: null,
  power_consumption: null,
  performance_state: null,
};

/** In the steps in which NVML reports: whole percent, degrees and MHz, mW, MiB. */
const gaugesOf = (state: GpuState): Gauges => ({
  utilization: Math.round(state.utilization * 100),
  temperature: Math.round(state.temperature_c),
  used_memory: state.memoryMiB * MIB,
  frequency: state.clock_mhz,
  power_consumption: round(state.power_w, 3),
  performance_state: 0,
});

/** How a GPU stands in the frame. One that is lost keeps its row, and nothing that would have to be read. */
export function gpuRow(
  host: HostState,
  state: GpuState,
  uuid: string,
  incidents: IncidentSchedule,
  withHealth: boolean,
): Gpu {
  const isLost = state.lostSince_s !== null;
  return {
    uuid,
    time: host.time,
    name: "NVIDIA H100 80GB HBM3",
    device_type: "GPU",
    ...host.identity,
    ...(isLost ? UNKNOWN_GAUGES : gaugesOf(state)),
    ane_utilization: 0,
    dla_utilization: null,
    tensorcore_utilization: null,
    total_memory: TOTAL_MIB * MIB,
    gpu_core_count: null,
    temperature_threshold_slowdown: SLOWDOWN_C,
    temperature_threshold_shutdown: 95,
    temperature_threshold_max_operating: 85,
    temperature_threshold_acoustic: null,
    fan_speed_rpm: null,
    numa_node_id: state.gpu * 2 < host.gpus.length ? 0 : 1,
    gsp_firmware_mode: 1,
    gsp_firmware_version: DRIVER["Driver Version"],
    nvlink_remote_devices: withHealth ? nvlinkDevices() : [],
    gpm_metrics: null,
    detail: withHealth ? DETAIL : DRIVER,
    ...(isLost && {
      lost: { since: new Date(state.lostSince_s * 1000).toISOString(), reason: "XID 79: fell off the bus" },
    }),
    ...(withHealth && { index: state.gpu, health: isLost ? null : gpuHealth(host, state, incidents) }),
  };
}
