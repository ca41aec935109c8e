import type { Fields } from "../src/frame/field.ts";
import type { Frame, Sections } from "../src/frame/frame.ts";
import type { Cpu, Gpu, Process } from "../src/frame/schema.ts";
import {
  chassisFields,
  cpuFields,
  gpuFields,
  memoryFields,
  processFields,
  storageFields,
} from "../src/frame/schema.ts";

/** Fixed frames for golden files: one where every key has a value, one of a machine without GPUs, one of unknowns. */

const host = { host_id: "dgx-01", hostname: "dgx-01", instance: "dgx-01" };
const time = "2026-04-18 21:02:06";
const GIB = 2 ** 30;

function gpu(index: number): Gpu {
  return {
    uuid: `GPU-8b2281de-6d3c-22ed-0ec8-d3b86487000${index}`,
    time,
    name: "NVIDIA H100 80GB HBM3",
    device_type: "GPU",
    ...host,
    index,
    utilization: 97.5 - index,
    ane_utilization: 0,
    dla_utilization: 12.5,
    tensorcore_utilization: 61.25,
    temperature: 59 + index,
    used_memory: 76005048320 - index * GIB,
    total_memory: 85520809984,
    frequency: 1980,
    power_consumption: 631.95,
    gpu_core_count: 16896,
    temperature_threshold_slowdown: 92,
    temperature_threshold_shutdown: 95,
    temperature_threshold_max_operating: 85,
    temperature_threshold_acoustic: 87,
    performance_state: 0,
    fan_speed_rpm: 4200,
    numa_node_id: index < 4 ? 0 : 1,
    gsp_firmware_mode: 1,
    gsp_firmware_version: "590.48.01",
    nvlink_remote_devices: [
      { link_index: 0, remote_type: "switch", bandwidth_mb_s: 26562 },
      { link_index: 1, remote_type: "gpu", bandwidth_mb_s: null },
    ],
    gpm_metrics: { sm_occupancy: 0.5, memory_bandwidth_utilization: 0.3125 },
    detail: {
      "Driver Version": "590.48.01",
      "CUDA Version": "13.1",
      lib_name: "CUDA",
      lib_version: "13.1",
      Brand: "Nvidia",
      architecture: "Hopper",
      "PCIe Generation": "5",
      power_limit_max: "700.00",
    },
    lost: index === 7 ? { since: "2026-04-18T12:01:00.000Z", reason: "fell off the bus" } : null,
    mig: [
      {
        gpu_instance: 1,
        compute_instance: 0,
        uuid: `MIG-5a0c3f0e-0000-0000-0000-00000000000${index}`,
        profile: "1g.10gb",
        used_memory: 4 * GIB,
        total_memory: 10 * GIB,
        utilization: 33,
      },
    ],
    health: health(index),
  };
}

const health = (index: number): NonNullable<Gpu["health"]> => ({
  throttle: index === 0 ? ["power", "thermal"] : [],
  power_limit_watts: 700,
  memory_temperature: 71,
  hotspot_temperature: 71,
  memory_utilization: 38,
  fan_percent: 45,
  ecc: { corrected_volatile: index, uncorrected_volatile: 0, corrected_aggregate: 12, uncorrected_aggregate: 1 },
  remapped_rows: { correctable: 1, uncorrectable: 0, pending: 0, failure: 0 },
  retired_pages: 0,
  retired_pages_pending: 0,
  pcie: {
    generation: 5,
    generation_max: 5,
    width: 16,
    width_max: 16,
    replays: 3,
    rx_bytes_per_second: 1048576,
    tx_bytes_per_second: 524288,
  },
  nvlink: [{ link_index: 0, state: "active", crc_errors: 2, replay_errors: 1, recovery_errors: 0 }],
  clocks: { sm: 1980, sm_max: 1980, memory: 2619, memory_max: 2619, video: 1545, video_max: 1545 },
  encoder: 1,
  decoder: 2,
  jpeg: 3,
  ofa: 4,
});

const cpu: Cpu = {
  index: 0,
  ...host,
  cpu_model: "Intel(R) Xeon(R) Platinum 8480C",
  architecture: "x86_64",
  platform_type: "Intel",
  socket_count: 2,
  total_cores: 112,
  total_threads: 224,
  base_frequency_mhz: 2000,
  max_frequency_mhz: 3800,
  cache_size_mb: 105,
  utilization: 12.4,
  temperature: 48,
  power_consumption: 310.5,
  per_socket_info: [
    { socket_id: 0, utilization: 20.5, cores: 56, threads: 112, temperature: 48, frequency_mhz: 2900 },
    { socket_id: 1, utilization: 4.3, cores: 56, threads: 112, temperature: 45, frequency_mhz: 2000 },
  ],
  apple_silicon_info: null,
  per_core_utilization: [
    { core_id: 0, core_type: "Performance", utilization: 31 },
    { core_id: 1, core_type: "Efficiency", utilization: 0 },
  ],
  time,
  load_average: [14.2, 12.75, 9],
  uptime_seconds: 864000,
  cgroup: {
    cpu_limit_cores: 16,
    cpu_used_cores: 11.5,
    cpu_throttled: 2.5,
    memory_limit_bytes: 256 * GIB,
    memory_used_bytes: 64 * GIB,
  },
};

const training: Process = {
  device_id: 0,
  device_uuid: gpu(0).uuid,
  pid: 41207,
  process_name: "python3",
  used_memory: 75161927680,
  cpu_percent: 102.3,
  memory_percent: 1.9,
  memory_rss: 41231686041,
  memory_vms: 98784247808,
  user: "alice",
  state: "R",
  start_time: "1776500000",
  cpu_time: 5525,
  command: 'python3 train.py --config "h100, large" --sizes {1,2}',
  ppid: 41100,
  threads: 48,
  uses_gpu: true,
  priority: 20,
  nice_value: 0,
  gpu_utilization: 94,
};

/** Eight GPUs, and a value under every key. */
export const nvidiaFrame: Frame = {
  t_ms: Date.parse("2026-04-18T12:02:06.250Z"),
  seq: 42,
  elapsed_ms: 126000,
  source: "local",
  hostname: "dgx-01",
  errors: ["chassis: psu1: no answer"],
  gpus: [0, 1, 2, 3, 4, 5, 6, 7].map(gpu),
  cpus: [cpu],
  memory: [
    {
      index: 0,
      ...host,
      total_bytes: 2164163334144,
      used_bytes: 412316860416,
      available_bytes: 1739461754880,
      free_bytes: 901943132160,
      buffers_bytes: 2147483648,
      cached_bytes: 824633720832,
      swap_total_bytes: 8 * GIB,
      swap_used_bytes: GIB,
      swap_free_bytes: 7 * GIB,
      utilization: 19.05,
      time,
    },
  ],
  chassis: [
    {
      ...host,
      total_power_watts: 6420.5,
      inlet_temperature: 26,
      outlet_temperature: 41.5,
      thermal_pressure: "Nominal",
      fan_speeds: [{ id: 1, name: "FAN1", speed_rpm: 9800, max_rpm: 16000 }],
      psu_status: [{ id: 0, name: "PSU0", status: "Ok", power_watts: 2140.25 }],
      detail: { "Product Name": "DGXH100", Vendor: "NVIDIA", cpu_power_watts: "310.50" },
      time,
    },
  ],
  processes: [training],
  storage: [
    {
      mount_point: "/",
      total_bytes: 270553174016,
      available_bytes: 83443798016,
      host_id: "dgx-01",
      hostname: "dgx-01",
      index: 0,
      used_bytes: 187109376000,
      device: "/dev/nvme0n1p2",
      file_system: "ext4",
    },
  ],
};

/** A machine with no GPU, no swap and few sensors. */
export const linuxFrame: Frame = {
  t_ms: Date.parse("2026-11-24T01:24:49.000Z"),
  seq: 0,
  elapsed_ms: 0,
  source: "local",
  hostname: "vm",
  errors: [],
  gpus: [],
  cpus: [
    {
      ...cpu,
      host_id: "vm",
      hostname: "vm",
      instance: "vm",
      cpu_model: "AMD EPYC",
      platform_type: "Amd",
      socket_count: 1,
      total_cores: 2,
      total_threads: 2,
      base_frequency_mhz: 2596,
      max_frequency_mhz: null,
      utilization: 31.176822662353516,
      temperature: null,
      power_consumption: null,
      per_socket_info: [
        { socket_id: 0, utilization: 31.176822662353516, cores: 2, threads: 2, temperature: null, frequency_mhz: 2596 },
      ],
      per_core_utilization: [
        { core_id: 0, core_type: "Standard", utilization: 0 },
        { core_id: 1, core_type: "Standard", utilization: 62.353645324707031 },
      ],
      load_average: [0.5, 0.25, 0.125],
      uptime_seconds: 3600,
      cgroup: null,
    },
  ],
  memory: [
    {
      index: 0,
      host_id: "vm",
      hostname: "vm",
      instance: "vm",
      total_bytes: 25276514304,
      used_bytes: 409067520,
      available_bytes: 24867446784,
      free_bytes: 24840572928,
      buffers_bytes: 798720,
      cached_bytes: 141131776,
      swap_total_bytes: 0,
      swap_used_bytes: 0,
      swap_free_bytes: 0,
      utilization: 1.6183699820321553,
      time,
    },
  ],
  chassis: [
    {
      host_id: "vm",
      hostname: "vm",
      instance: "vm",
      total_power_watts: null,
      inlet_temperature: null,
      outlet_temperature: null,
      thermal_pressure: null,
      fan_speeds: [],
      psu_status: [],
      detail: { platform: "Linux" },
      time,
    },
  ],
  processes: [],
  storage: [
    {
      mount_point: "/",
      total_bytes: 270553174016,
      available_bytes: 83443798016,
      host_id: "vm",
      hostname: "vm",
      index: 0,
      used_bytes: 187109376000,
    },
  ],
};

/** A device of which all that can be unknown is. */
function unknownDevice(fields: Fields): Record<string, unknown> {
  const values: Partial<Record<string, unknown>> = { integer: 0, labels: {}, boolean: false };
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]) => {
      if (field.unknown !== "never") return [key, null];
      if (field.kind === "choice") return [key, field.choices?.at(-1)];
      if (field.kind === "list") return [key, field.fields ? [unknownDevice(field.fields)] : []];
      return [key, values[field.kind] ?? ""];
    }),
  );
}

const unknownSections: unknown = {
  gpus: [unknownDevice(gpuFields)],
  cpus: [unknownDevice(cpuFields)],
  memory: [unknownDevice(memoryFields)],
  chassis: [unknownDevice(chassisFields)],
  processes: [unknownDevice(processFields)],
  storage: [unknownDevice(storageFields)],
};

/** Nothing but what tells the devices apart. */
export const unknownFrame: Frame = {
  t_ms: 0,
  seq: null,
  elapsed_ms: null,
  source: null,
  hostname: "",
  errors: [],
  ...(unknownSections as Sections),
};
