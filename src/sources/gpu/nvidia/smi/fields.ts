import {
  flagOf,
  maskOf,
  mebibytesOf,
  modeOf,
  naturalOf,
  numberOf,
  performanceStateOf,
  textOf,
  timestampOf,
} from "./cells.ts";

/** A value that nvidia-smi is asked for. */
interface Field<T> {
  /** As the versions of nvidia-smi call it, the newest name first; the first that it knows is asked for. */
  readonly names: readonly string[];
  /** Its value, in the unit of the frame; `null` where it is not known. */
  readonly parse: (cell: string) => T | null;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** What a row of a query says. */
export type Values<F extends Fields> = { readonly [K in keyof F]: ReturnType<F[K]["parse"]> };

const field = <T>(parse: (cell: string) => T | null, ...names: string[]): Field<T> => ({ names, parse });

const reasons = (name: string): [string, string] => [`clocks_event_reasons.${name}`, `clocks_throttle_reasons.${name}`];

/** What `--query-gpu` is asked for; its names are explained by `nvidia-smi --help-query-gpu`. */
export const GPU_FIELDS = {
  timestamp_ms: field(timestampOf, "timestamp"),
  count: field(naturalOf, "count"),
  index: field(naturalOf, "index"),
  uuid: field(textOf, "uuid", "gpu_uuid"),
  pci: field(textOf, "pci.bus_id", "gpu_bus_id"),
  name: field(textOf, "name", "gpu_name"),
  driver_version: field(textOf, "driver_version"),
  vbios_version: field(textOf, "vbios_version"),
  compute_capability: field(textOf, "compute_cap"),
  persistence_mode: field(textOf, "persistence_mode"),
  compute_mode: field(textOf, "compute_mode"),
  mig_mode: field(modeOf, "mig.mode.current"),
  mig_mode_pending: field(modeOf, "mig.mode.pending"),
  ecc_mode: field(textOf, "ecc.mode.current"),
  ecc_mode_pending: field(textOf, "ecc.mode.pending"),
  gsp_mode: field(modeOf, "gsp.mode.current"),

  utilization: field(numberOf, "utilization.gpu"),
  memory_utilization: field(numberOf, "utilization.memory"),
  encoder: field(numberOf, "utilization.encoder"),
  decoder: field(numberOf, "utilization.decoder"),
  jpeg: field(numberOf, "utilization.jpeg"),
  ofa: field(numberOf, "utilization.ofa"),
  total_memory: field(mebibytesOf, "memory.total"),
  used_memory: field(mebibytesOf, "memory.used"),
  temperature: field(naturalOf, "temperature.gpu"),
  memory_temperature: field(naturalOf, "temperature.memory"),
  fan_percent: field(numberOf, "fan.speed"),
  performance_state: field(performanceStateOf, "pstate"),
  throttle: field(maskOf, ...reasons("active")),

  power_w: field(numberOf, "power.draw"),
  power_limit_w: field(numberOf, "enforced.power.limit"),
  power_limit_default_w: field(numberOf, "power.default_limit"),
  power_limit_min_w: field(numberOf, "power.min_limit"),
  power_limit_max_w: field(numberOf, "power.max_limit"),

  clock_graphics: field(naturalOf, "clocks.current.graphics", "clocks.gr"),
  clock_sm: field(naturalOf, "clocks.current.sm", "clocks.sm"),
  clock_sm_max: field(naturalOf, "clocks.max.sm"),
  clock_graphics_max: field(naturalOf, "clocks.max.graphics", "clocks.max.gr"),
  clock_memory: field(naturalOf, "clocks.current.memory", "clocks.mem"),
  clock_memory_max: field(naturalOf, "clocks.max.memory", "clocks.max.mem"),
  clock_video: field(naturalOf, "clocks.current.video", "clocks.video"),

  pcie_generation: field(naturalOf, "pcie.link.gen.gpucurrent", "pcie.link.gen.current"),
  pcie_generation_max: field(naturalOf, "pcie.link.gen.max"),
  pcie_width: field(naturalOf, "pcie.link.width.current"),
  pcie_width_max: field(naturalOf, "pcie.link.width.max"),

  corrected_volatile: field(naturalOf, "ecc.errors.corrected.volatile.total"),
  uncorrected_volatile: field(naturalOf, "ecc.errors.uncorrected.volatile.total"),
  corrected_aggregate: field(naturalOf, "ecc.errors.corrected.aggregate.total"),
  uncorrected_aggregate: field(naturalOf, "ecc.errors.uncorrected.aggregate.total"),
  remapped_correctable: field(naturalOf, "remapped_rows.correctable"),
  remapped_uncorrectable: field(naturalOf, "remapped_rows.uncorrectable"),
  remapped_pending: field(flagOf, "remapped_rows.pending"),
  remapped_failure: field(flagOf, "remapped_rows.failure"),
  retired_single_bit: field(naturalOf, "retired_pages.single_bit_ecc.count", "retired_pages.sbe"),
  retired_double_bit: field(naturalOf, "retired_pages.double_bit.count", "retired_pages.dbe"),
  retired_pending: field(flagOf, "retired_pages.pending"),
} as const satisfies Fields;

export type GpuValues = Values<typeof GPU_FIELDS>;

/** What `--query-compute-apps` is asked for; these names are as old as the switch. */
export const PROCESS_FIELDS = {
  timestamp_ms: field(timestampOf, "timestamp"),
  uuid: field(textOf, "gpu_uuid"),
  pid: field(naturalOf, "pid"),
  used_memory: field(mebibytesOf, "used_gpu_memory", "used_memory"),
} as const satisfies Fields;

export type ProcessValues = Values<typeof PROCESS_FIELDS>;
