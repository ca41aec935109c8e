import type { Gpu } from "../../frame/schema.ts";

/** What of a GPU is read anew in every cycle, where it was not read. */
export const UNREAD = {
  utilization: null,
  ane_utilization: null,
  dla_utilization: null,
  tensorcore_utilization: null,
  temperature: null,
  used_memory: null,
  frequency: null,
  power_consumption: null,
  performance_state: null,
  fan_speed_rpm: null,
  gpm_metrics: null,
} as const satisfies Partial<Gpu>;

/**
 * What every device has beyond its name and place, where nothing of it is known. In the schema's order, which is the
 * quickest to encode.
 */
export const UNKNOWN = {
  utilization: null,
  ane_utilization: null,
  dla_utilization: null,
  tensorcore_utilization: null,
  temperature: null,
  used_memory: null,
  total_memory: null,
  frequency: null,
  power_consumption: null,
  gpu_core_count: null,
  temperature_threshold_slowdown: null,
  temperature_threshold_shutdown: null,
  temperature_threshold_max_operating: null,
  temperature_threshold_acoustic: null,
  performance_state: null,
  fan_speed_rpm: null,
  numa_node_id: null,
  gsp_firmware_mode: null,
  gsp_firmware_version: null,
  nvlink_remote_devices: [],
  gpm_metrics: null,
  detail: {},
} satisfies Partial<Gpu>;
