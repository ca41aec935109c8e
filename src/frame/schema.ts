import {
  boolean,
  choice,
  extension,
  type Fields,
  float,
  floats,
  identifier,
  integer,
  labels,
  list,
  type Metric,
  object,
  optionalText,
  platform,
  type Shape,
  text,
  texts,
} from "./field.ts";

/**
 * Every key of a device in a frame: type, unit, how unknown is written, Prometheus family. Encoding, the checking of
 * untrusted input, CSV columns and the Prometheus text all come from these tables. Keys without `extension` are those
 * of the Rust tool's snapshot (schema 1), and the order here is the order on the line.
 */

const metric = (family: string, help: string): Metric => ({ family, help });
const counter = (family: string, help: string): Metric => ({ family, help, counter: true });

const host = { host_id: text(), hostname: text(), instance: text() } as const;

const percent = (unknown: "listed" | "null" | -1, m?: Metric) =>
  float({ unknown, unit: "percent", ...(m ? { metric: m } : {}) });
const watts = (unknown: "null" | -1, m?: Metric) => float({ unknown, unit: "watts", ...(m ? { metric: m } : {}) });
const bytes = (m?: Metric) => integer("u64", { unknown: "listed", unit: "bytes", ...(m ? { metric: m } : {}) });
const celsius = (m?: Metric) => integer("u32", { unknown: "null", unit: "celsius", ...(m ? { metric: m } : {}) });
const bytesOrNull = (m: Metric) => integer("u64", { unknown: "null", unit: "bytes", metric: m });
const bytesPerSecond = (m: Metric) => integer("u64", { unknown: "null", unit: "bytes_per_second", metric: m });
const count = (m: Metric) => integer("u64", { unknown: "null", metric: m });
const megahertz = (m: Metric) => integer("u32", { unknown: "null", unit: "megahertz", metric: m });
const percentOrNull = (m: Metric) => extension(percent("null", m));
const countListed = (m: Metric) => integer("u32", { unknown: "listed", metric: m });

/** What a post-mortem needs to know of a GPU beyond its gauges. */
const gpuHealth = {
  throttle: extension(texts()),
  power_limit_watts: extension(
    watts("null", metric("gpu_power_limit_current_watts", "Power limit in force for the GPU in watts")),
  ),
  memory_temperature: extension(
    celsius(metric("gpu_memory_temperature_celsius", "Temperature of the GPU's memory in celsius")),
  ),
  hotspot_temperature: extension(
    celsius(metric("gpu_hotspot_temperature_celsius", "Temperature of the GPU's hottest spot in celsius")),
  ),
  memory_utilization: percentOrNull(
    metric("gpu_memory_utilization", "Percentage of time in which the GPU's memory was read or written"),
  ),
  fan_percent: percentOrNull(metric("gpu_fan_speed_percent", "Speed that the GPU's fans are told, percentage")),
  ecc: extension(
    object({
      corrected_volatile: count(
        counter("gpu_ecc_corrected_volatile_total", "Memory errors corrected since the driver was loaded"),
      ),
      uncorrected_volatile: count(
        counter("gpu_ecc_uncorrected_volatile_total", "Memory errors not corrected since the driver was loaded"),
      ),
      corrected_aggregate: count(
        counter("gpu_ecc_corrected_aggregate_total", "Memory errors corrected in the GPU's lifetime"),
      ),
      uncorrected_aggregate: count(
        counter("gpu_ecc_uncorrected_aggregate_total", "Memory errors not corrected in the GPU's lifetime"),
      ),
    }),
  ),
  remapped_rows: extension(
    object({
      correctable: count(metric("gpu_remapped_rows_correctable", "Memory rows remapped after corrected errors")),
      uncorrectable: count(metric("gpu_remapped_rows_uncorrectable", "Memory rows remapped after uncorrected errors")),
      pending: count(metric("gpu_remapped_rows_pending", "1 while a row waits for a reset to be remapped")),
      failure: count(metric("gpu_remapped_rows_failure", "1 once a row could not be remapped")),
    }),
  ),
  retired_pages: extension(count(metric("gpu_retired_pages", "Memory pages taken out of use"))),
  retired_pages_pending: extension(
    count(metric("gpu_retired_pages_pending", "1 while a memory page waits for a reset to be taken out of use")),
  ),
  pcie: extension(
    object({
      generation: count(metric("gpu_pcie_gen_current", "PCIe generation in use")),
      generation_max: count(metric("gpu_pcie_gen_max", "Highest PCIe generation of GPU and slot")),
      width: count(metric("gpu_pcie_width_current", "PCIe lanes in use")),
      width_max: count(metric("gpu_pcie_width_max", "Most PCIe lanes of GPU and slot")),
      replays: count(counter("gpu_pcie_replays_total", "PCIe packets sent again")),
      rx_bytes_per_second: bytesPerSecond(
        metric("gpu_pcie_rx_bytes_per_second", "Received by the GPU over PCIe in bytes per second"),
      ),
      tx_bytes_per_second: bytesPerSecond(
        metric("gpu_pcie_tx_bytes_per_second", "Sent by the GPU over PCIe in bytes per second"),
      ),
    }),
  ),
  nvlink: extension(
    list({
      link_index: identifier(),
      state: optionalText(),
      crc_errors: count(counter("gpu_nvlink_crc_errors_total", "CRC errors of the NVLink")),
      replay_errors: count(counter("gpu_nvlink_replay_errors_total", "Replays of the NVLink")),
      recovery_errors: count(counter("gpu_nvlink_recovery_errors_total", "Recoveries of the NVLink")),
    }),
  ),
  clocks: extension(
    object({
      sm: megahertz(metric("gpu_clock_sm_mhz", "SM clock in MHz")),
      sm_max: megahertz(metric("gpu_clock_graphics_max_mhz", "Highest graphics and SM clock in MHz")),
      memory: megahertz(metric("gpu_clock_memory_mhz", "Memory clock in MHz")),
      memory_max: megahertz(metric("gpu_clock_memory_max_mhz", "Highest memory clock in MHz")),
      video: megahertz(metric("gpu_clock_video_mhz", "Video clock in MHz")),
      video_max: megahertz(metric("gpu_clock_video_max_mhz", "Highest video clock in MHz")),
    }),
  ),
  encoder: percentOrNull(metric("gpu_encoder_utilization", "Video encoder utilization percentage")),
  decoder: percentOrNull(metric("gpu_decoder_utilization", "Video decoder utilization percentage")),
  jpeg: percentOrNull(metric("gpu_jpeg_utilization", "JPEG decoder utilization percentage")),
  ofa: percentOrNull(metric("gpu_ofa_utilization", "Optical flow accelerator utilization percentage")),
} as const satisfies Fields;

export const gpuFields = {
  uuid: text(),
  time: text(),
  name: text(),
  device_type: choice(["NPU", "TPU", "GPU"]),
  ...host,
  index: extension(identifier()),
  utilization: percent(-1, metric("gpu_utilization", "GPU utilization percentage")),
  ane_utilization: float({
    unknown: -1,
    unit: "milliwatts",
    metric: metric("ane_utilization", "Power of the Apple Neural Engine in mW"),
  }),
  dla_utilization: percent("null", metric("dla_utilization", "DLA utilization percentage")),
  tensorcore_utilization: percent("null", metric("tensorcore_utilization", "Tensor core utilization percentage")),
  temperature: integer("u32", {
    unknown: 0,
    unit: "celsius",
    metric: metric("gpu_temperature_celsius", "GPU temperature in celsius"),
  }),
  used_memory: bytes(metric("gpu_memory_used_bytes", "GPU memory used in bytes")),
  total_memory: bytes(metric("gpu_memory_total_bytes", "GPU memory total in bytes")),
  frequency: integer("u32", {
    unknown: 0,
    unit: "megahertz",
    metric: metric("gpu_frequency_mhz", "GPU frequency in MHz"),
  }),
  power_consumption: watts(-1, metric("gpu_power_consumption_watts", "GPU power consumption in watts")),
  gpu_core_count: integer("u32", {
    unknown: "null",
    metric: metric("gpu_cores", "Number of cores of the GPU"),
  }),
  temperature_threshold_slowdown: celsius(
    metric("gpu_temperature_threshold_slowdown_celsius", "Temperature at which the GPU slows down in celsius"),
  ),
  temperature_threshold_shutdown: celsius(
    metric("gpu_temperature_threshold_shutdown_celsius", "Temperature at which the GPU shuts down in celsius"),
  ),
  temperature_threshold_max_operating: celsius(
    metric("gpu_temperature_threshold_max_operating_celsius", "Highest operating temperature of the GPU in celsius"),
  ),
  temperature_threshold_acoustic: celsius(
    metric("gpu_temperature_threshold_acoustic_celsius", "Acoustic temperature threshold of the GPU in celsius"),
  ),
  performance_state: integer("u32", {
    unknown: "null",
    metric: metric("gpu_performance_state", "GPU performance state, 0 (fastest) to 15"),
  }),
  fan_speed_rpm: integer("u32", {
    unknown: "null",
    unit: "rpm",
    metric: metric("gpu_fan_speed_rpm", "GPU fan speed in RPM"),
  }),
  numa_node_id: integer("i32", {
    unknown: "null",
    metric: metric("gpu_numa_node_id", "NUMA node that the GPU is attached to"),
  }),
  gsp_firmware_mode: integer("u8", {
    unknown: "null",
    metric: metric("gpu_gsp_firmware_mode", "GSP firmware mode: 0 disabled, 1 enabled, 2 default"),
  }),
  gsp_firmware_version: optionalText(),
  nvlink_remote_devices: list({
    link_index: identifier(),
    remote_type: choice(["gpu", "ibmnpu", "switch", "unknown"]),
    bandwidth_mb_s: integer("u32", { unknown: "null", unit: "megabytes_per_second" }),
  }),
  gpm_metrics: object({
    sm_occupancy: float({
      unknown: "null",
      unit: "ratio",
      metric: metric("gpu_sm_occupancy", "Share of the SMs' warp slots in use, 0 to 1"),
    }),
    memory_bandwidth_utilization: float({
      unknown: "null",
      unit: "ratio",
      metric: metric("gpu_memory_bandwidth_utilization", "Share of the memory bandwidth in use, 0 to 1"),
    }),
  }),
  detail: labels(),
  lost: extension(object({ since: text(), reason: text() })),
  mig: extension(
    list({
      gpu_instance: integer("u32", { unknown: "null" }),
      compute_instance: integer("u32", { unknown: "null" }),
      uuid: text(),
      profile: text(),
      used_memory: bytesOrNull(metric("mig_instance_memory_used_bytes", "Memory used of the MIG instance in bytes")),
      total_memory: bytesOrNull(metric("mig_instance_memory_total_bytes", "Memory of the MIG instance in bytes")),
      utilization: percent("null", metric("mig_instance_utilization_gpu", "MIG instance utilization percentage")),
    }),
  ),
  health: extension(object(gpuHealth)),
} as const satisfies Fields;

export const cpuFields = {
  index: identifier("u32", 0),
  ...host,
  cpu_model: text(),
  architecture: text(),
  platform_type: platform(),
  socket_count: integer("u32", { unknown: "listed", metric: metric("cpu_socket_count", "Number of CPU sockets") }),
  total_cores: integer("u32", { unknown: "listed", metric: metric("cpu_core_count", "Total number of CPU cores") }),
  total_threads: integer("u32", {
    unknown: "listed",
    metric: metric("cpu_thread_count", "Total number of CPU threads"),
  }),
  base_frequency_mhz: integer("u32", {
    unknown: 0,
    unit: "megahertz",
    metric: metric("cpu_frequency_mhz", "CPU frequency in MHz"),
  }),
  max_frequency_mhz: integer("u32", {
    unknown: 0,
    unit: "megahertz",
    metric: metric("cpu_max_frequency_mhz", "Highest CPU frequency in MHz"),
  }),
  cache_size_mb: integer("u32", { unknown: "listed", unit: "megabytes" }),
  utilization: percent("listed", metric("cpu_utilization", "CPU utilization percentage")),
  temperature: celsius(metric("cpu_temperature_celsius", "CPU temperature in celsius")),
  power_consumption: watts("null", metric("cpu_power_consumption_watts", "CPU power consumption in watts")),
  per_socket_info: list({
    socket_id: identifier(),
    utilization: percent("listed", metric("cpu_socket_utilization", "Per-socket CPU utilization percentage")),
    cores: integer("u32", { unknown: "listed" }),
    threads: integer("u32", { unknown: "listed" }),
    temperature: celsius(metric("cpu_socket_temperature_celsius", "Per-socket CPU temperature in celsius")),
    frequency_mhz: integer("u32", {
      unknown: 0,
      unit: "megahertz",
      metric: metric("cpu_socket_frequency_mhz", "Per-socket CPU frequency in MHz"),
    }),
  }),
  apple_silicon_info: object({
    s_core_count: countListed(metric("cpu_s_core_count", "Number of super cores")),
    p_core_count: countListed(metric("cpu_p_core_count", "Number of performance cores")),
    e_core_count: countListed(metric("cpu_e_core_count", "Number of efficiency cores")),
    gpu_core_count: countListed(metric("cpu_gpu_core_count", "Number of GPU cores of the chip")),
    s_core_utilization: percent("listed", metric("cpu_s_core_utilization", "Super core utilization percentage")),
    p_core_utilization: percent("listed", metric("cpu_p_core_utilization", "Performance core utilization percentage")),
    e_core_utilization: percent("listed", metric("cpu_e_core_utilization", "Efficiency core utilization percentage")),
    ane_ops_per_second: float({
      unknown: "null",
      metric: metric("cpu_ane_ops_per_second", "Operations of the Apple Neural Engine per second"),
    }),
    s_cluster_frequency_mhz: megahertz(metric("cpu_s_cluster_frequency_mhz", "Super cluster frequency in MHz")),
    p_cluster_frequency_mhz: megahertz(metric("cpu_p_cluster_frequency_mhz", "Performance cluster frequency in MHz")),
    e_cluster_frequency_mhz: megahertz(metric("cpu_e_cluster_frequency_mhz", "Efficiency cluster frequency in MHz")),
    s_core_l2_cache_mb: integer("u32", { unknown: "null", unit: "megabytes" }),
    p_core_l2_cache_mb: integer("u32", { unknown: "null", unit: "megabytes" }),
    e_core_l2_cache_mb: integer("u32", { unknown: "null", unit: "megabytes" }),
  }),
  per_core_utilization: list({
    core_id: identifier(),
    core_type: choice(["Super", "Performance", "Efficiency", "Standard"]),
    utilization: percent("listed", metric("cpu_core_utilization", "Per-core CPU utilization percentage")),
  }),
  time: text(),
  load_average: extension(floats()),
  uptime_seconds: extension(
    integer("u64", {
      unknown: "null",
      unit: "seconds",
      metric: metric("uptime_seconds", "Seconds since the machine was started"),
    }),
  ),
  cgroup: extension(
    object({
      cpu_limit_cores: float({
        unknown: "null",
        unit: "cores",
        metric: metric("cgroup_cpu_limit_cores", "Cores that the control group may use"),
      }),
      cpu_used_cores: float({
        unknown: "null",
        unit: "cores",
        metric: metric("cgroup_cpu_used_cores", "Cores that the control group uses"),
      }),
      cpu_throttled: percent(
        "null",
        metric("cgroup_cpu_throttled_percent", "Percentage of periods in which the control group hit its CPU limit"),
      ),
      memory_limit_bytes: bytesOrNull(
        metric("cgroup_memory_limit_bytes", "Memory that the control group may use in bytes"),
      ),
      memory_used_bytes: bytesOrNull(metric("cgroup_memory_used_bytes", "Memory that the control group uses in bytes")),
    }),
  ),
} as const satisfies Fields;

export const memoryFields = {
  index: identifier("u32", 0),
  ...host,
  total_bytes: bytes(metric("memory_total_bytes", "Total system memory in bytes")),
  used_bytes: bytes(metric("memory_used_bytes", "Used system memory in bytes")),
  available_bytes: bytes(metric("memory_available_bytes", "Available system memory in bytes")),
  free_bytes: bytes(metric("memory_free_bytes", "Free system memory in bytes")),
  buffers_bytes: bytes(metric("memory_buffers_bytes", "Memory used for buffers in bytes")),
  cached_bytes: bytes(metric("memory_cached_bytes", "Memory used for cache in bytes")),
  swap_total_bytes: bytes(metric("swap_total_bytes", "Total swap space in bytes")),
  swap_used_bytes: bytes(metric("swap_used_bytes", "Used swap space in bytes")),
  swap_free_bytes: bytes(metric("swap_free_bytes", "Free swap space in bytes")),
  utilization: percent("listed", metric("memory_utilization", "Memory utilization percentage")),
  estimated: extension(texts()),
  time: text(),
} as const satisfies Fields;

export const chassisFields = {
  ...host,
  total_power_watts: watts("null", metric("chassis_power_watts", "Power of the whole machine in watts")),
  inlet_temperature: float({
    unknown: "null",
    unit: "celsius",
    metric: metric("chassis_inlet_temperature_celsius", "Inlet air temperature in celsius"),
  }),
  outlet_temperature: float({
    unknown: "null",
    unit: "celsius",
    metric: metric("chassis_outlet_temperature_celsius", "Outlet air temperature in celsius"),
  }),
  thermal_pressure: optionalText(),
  fan_speeds: list({
    id: identifier(),
    name: text(),
    speed_rpm: integer("u32", {
      unknown: "listed",
      unit: "rpm",
      metric: metric("chassis_fan_speed_rpm", "Chassis fan speed in RPM"),
    }),
    max_rpm: integer("u32", { unknown: 0, unit: "rpm" }),
  }),
  psu_status: list({
    id: identifier(),
    name: text(),
    status: choice(["Ok", "Degraded", "Failed", "NotPresent", "Unknown"]),
    power_watts: watts("null", metric("chassis_psu_power_watts", "Power of the power supply in watts")),
  }),
  detail: labels(),
  time: text(),
} as const satisfies Fields;

export const processFields = {
  device_id: integer("u64", { unknown: "listed" }),
  device_uuid: text(),
  pid: identifier(),
  process_name: text(),
  used_memory: bytes(metric("process_memory_used_bytes", "GPU memory used by the process in bytes")),
  cpu_percent: percent("listed", metric("process_cpu_percent", "CPU use of the process, 100 is one core")),
  memory_percent: percent("listed"),
  memory_rss: bytes(metric("process_memory_rss_bytes", "Resident memory of the process in bytes")),
  memory_vms: bytes(),
  user: text(),
  state: text(),
  start_time: text(),
  cpu_time: integer("u64", { unknown: "listed", unit: "seconds" }),
  command: text(),
  ppid: integer("u32", { unknown: "listed" }),
  threads: integer("u32", { unknown: "listed" }),
  uses_gpu: boolean(),
  priority: integer("i32", { unknown: "listed" }),
  nice_value: integer("i32", { unknown: "listed" }),
  gpu_utilization: percent("listed", metric("process_gpu_utilization", "GPU utilization by the process in percent")),
  /** In frames of several hosts: whose process it is. */
  host_id: extension(text()),
} as const satisfies Fields;

export const storageFields = {
  mount_point: text(),
  total_bytes: bytes(metric("disk_total_bytes", "Total disk space in bytes")),
  available_bytes: bytes(metric("disk_available_bytes", "Available disk space in bytes")),
  host_id: text(),
  hostname: text(),
  index: identifier("u32", 0),
  used_bytes: extension(bytesOrNull(metric("disk_used_bytes", "Used disk space in bytes"))),
  device: extension(text()),
  file_system: extension(text()),
} as const satisfies Fields;

/** The outcome of one scrape of one host in this cycle (remote frames only). */
export const scrapeFields = {
  host: text(),
  hostname: text(),
  up: boolean(),
  latency_ms: float({ unknown: "null" }),
  error: optionalText(),
} as const satisfies Fields;

/** Something with a time of its own that a source heard of in this cycle. */
export const eventFields = {
  kind: text(),
  severity: choice(["warning", "critical", "info"]),
  t: text(),
  host: text(),
  device: optionalText(),
  text: text(),
} as const satisfies Fields;

/** The device sections of a frame, in the order in which they stand on the line. */
export const sections = {
  gpus: gpuFields,
  cpus: cpuFields,
  memory: memoryFields,
  chassis: chassisFields,
  processes: processFields,
  storage: storageFields,
} as const satisfies Record<string, Fields>;

export type SectionName = keyof typeof sections;

export type Gpu = Shape<typeof gpuFields>;
export type Cpu = Shape<typeof cpuFields>;
export type Memory = Shape<typeof memoryFields>;
export type Chassis = Shape<typeof chassisFields>;
export type Process = Shape<typeof processFields>;
export type Storage = Shape<typeof storageFields>;
export type Scrape = Shape<typeof scrapeFields>;
export type FrameEvent = Shape<typeof eventFields>;
