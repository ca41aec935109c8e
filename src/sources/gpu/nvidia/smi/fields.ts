import { plausible, type Quantity } from "../../../plausible.ts";
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
  totalMemoryOf,
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

const amount = (quantity: Quantity, ...names: string[]): Field<number> =>
  field((cell) => plausible(quantity, numberOf(cell)), ...names);

const mebibytes = (...names: string[]): Field<number> =>
  field((cell) => plausible("bytes", mebibytesOf(cell)), ...names);

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

  utilization: amount("percent", "utilization.gpu"),
  memory_utilization: amount("percent", "utilization.memory"),
  encoder: amount("percent", "utilization.encoder"),
  decoder: amount("percent", "utilization.decoder"),
  jpeg: amount("percent", "utilization.jpeg"),
  ofa: amount("percent", "utilization.ofa"),
  /** 0: it has none of its own. */
  total_memory: field(totalMemoryOf, "memory.total"),
  used_memory: mebibytes("memory.used"),
  temperature: amount("chip_celsius", "temperature.gpu"),
  memory_temperature: amount("chip_celsius", "temperature.memory"),
  fan_percent: amount("fan_percent", "fan.speed"),
  performance_state: field(performanceStateOf, "pstate"),
  throttle: field(maskOf, ...reasons("active")),

  power_w: amount("watts", "power.draw"),
  power_limit_w: amount("watts", "enforced.power.limit"),
  power_limit_default_w: amount("watts", "power.default_limit"),
  power_limit_min_w: amount("watts", "power.min_limit"),
  power_limit_max_w: amount("watts", "power.max_limit"),

  clock_graphics: amount("megahertz", "clocks.current.graphics", "clocks.gr"),
  clock_sm: amount("megahertz", "clocks.current.sm", "clocks.sm"),
  clock_sm_max: amount("megahertz_max", "clocks.max.sm"),
  clock_graphics_max: amount("megahertz_max", "clocks.max.graphics", "clocks.max.gr"),
  clock_memory: amount("megahertz", "clocks.current.memory", "clocks.mem"),
  clock_memory_max: amount("megahertz_max", "clocks.max.memory", "clocks.max.mem"),
  clock_video: amount("megahertz", "clocks.current.video", "clocks.video"),

  pcie_generation: amount("pcie_generation", "pcie.link.gen.gpucurrent", "pcie.link.gen.current"),
  pcie_generation_max: amount("pcie_generation", "pcie.link.gen.max"),
  pcie_width: amount("pcie_width", "pcie.link.width.current"),
  pcie_width_max: amount("pcie_width", "pcie.link.width.max"),

  corrected_volatile: amount("count", "ecc.errors.corrected.volatile.total"),
  uncorrected_volatile: amount("count", "ecc.errors.uncorrected.volatile.total"),
  corrected_aggregate: amount("count", "ecc.errors.corrected.aggregate.total"),
  uncorrected_aggregate: amount("count", "ecc.errors.uncorrected.aggregate.total"),
  remapped_correctable: amount("count", "remapped_rows.correctable"),
  remapped_uncorrectable: amount("count", "remapped_rows.uncorrectable"),
  remapped_pending: field(flagOf, "remapped_rows.pending"),
  remapped_failure: field(flagOf, "remapped_rows.failure"),
  retired_single_bit: amount("count", "retired_pages.single_bit_ecc.count", "retired_pages.sbe"),
  retired_double_bit: amount("count", "retired_pages.double_bit.count", "retired_pages.dbe"),
  retired_pending: field(flagOf, "retired_pages.pending"),
} as const satisfies Fields;

export type GpuValues = Values<typeof GPU_FIELDS>;

/** What `--query-compute-apps` is asked for; these names are as old as the switch. */
export const PROCESS_FIELDS = {
  timestamp_ms: field(timestampOf, "timestamp"),
  uuid: field(textOf, "gpu_uuid"),
  pid: field(naturalOf, "pid"),
  used_memory: mebibytes("used_gpu_memory", "used_memory"),
} as const satisfies Fields;

export type ProcessValues = Values<typeof PROCESS_FIELDS>;
