import type { Field, Unit } from "../frame/field.ts";

/**
 * The one check of what sources say, whatever they are: files of the kernel, firmware, a driver's library or tool,
 * exporters. What no such thing can be is unknown; so are the numbers and words by which sources say that they do not
 * know.
 */

/** What a number may be: beyond it is nonsense, or means "unknown". In the frame's units. */
const RANGES = {
  /** A chip that answers works, and is warmer than ice; 127 is all that seven bits hold. */
  chip_celsius: [1, 126],
  /** At which something is done about it. */
  limit_celsius: [1, 250],
  /** What blows into a machine and out of it. */
  air_celsius: [-60, 110],
  percent: [0, 100],
  /** Of the speed that is quiet enough: NVML says that it can be more than 100. */
  fan_percent: [0, 200],
  ratio: [0, 1],
  /** A card, a processor or a machine that answers draws something; and 0 is no limit. */
  watts: [0.001, 5000],
  machine_watts: [0.001, 1_000_000],
  /** A power supply can be idle beside others. */
  supply_watts: [0, 100_000],
  /** A clock can stand; graphics memory counts its effective one, of 14,000 and more. */
  megahertz: [0, 30_000],
  /** What a clock can reach. */
  megahertz_max: [1, 30_000],
  rpm: [0, 60_000],
  /** 2^32 of the MiB that drivers count in is more. */
  bytes: [0, 2 ** 50],
  /** Where there is memory it has a size. */
  memory_size: [1, 2 ** 50],
  count: [0, Number.MAX_SAFE_INTEGER],
  /** Of something small: of microjoules, milliamperes. */
  amount: [0, Number.MAX_SAFE_INTEGER],
  flag: [0, 1],
  cores: [1, 10_000_000],
  pcie_generation: [1, 8],
  pcie_width: [1, 32],
  performance_state: [0, 15],
  numa_node: [0, 4095],
  /** No GPU has more. */
  partition: [0, 63],
} as const satisfies Record<string, readonly [lowest: number, highest: number]>;

export type Quantity = keyof typeof RANGES;

/** Of 16 bits all, or all but the sign: only where nothing real comes there by chance. */
const NARROW: ReadonlySet<Quantity> = new Set(["count", "rpm"]);

/** The numbers that DCGM and others leave out at the upper end of a type for kinds of "unknown". */
const RESERVED = 16;
const [TOP_31, TOP_32] = [2 ** 31, 2 ** 32];

/** All bits of a type, or all but the sign's, and the few numbers below, whatever unit they stand for. */
export function isUnknownNumber(value: number): boolean {
  const size = Math.abs(value);
  if (size < TOP_31 - RESERVED) return false;
  return size < TOP_31 || (size < TOP_32 && size >= TOP_32 - RESERVED) || size > Number.MAX_SAFE_INTEGER;
}

/**
 * What a source says, in the frame's unit; `null` where it cannot be so, or means "unknown".
 *
 * @param raw In the source's unit.
 * @param scale So many of the source's units are one of the frame's.
 */
export function plausible(quantity: Quantity, raw: number | null | undefined, scale = 1): number | null {
  if (raw === null || raw === undefined || isUnknownNumber(raw)) return null;
  if (NARROW.has(quantity) && (raw === 0x7fff || raw === 0xffff)) return null;
  const [lowest, highest] = RANGES[quantity];
  const value = raw / scale;
  return value >= lowest && value <= highest ? value : null;
}

/** From where to where all numbers of the frame's unit are plausible: of most devices nothing else has to be asked. */
export function soundRange(quantity: Quantity): readonly [lowest: number, highest: number] {
  const [lowest, highest] = RANGES[quantity];
  return [lowest, Math.min(highest, NARROW.has(quantity) ? 0x7ffe : TOP_31 - RESERVED - 1)];
}

/** As {@link plausible}, to a whole number. */
export function plausibleWhole(quantity: Quantity, raw: number | null | undefined, scale = 1): number | null {
  const value = plausible(quantity, raw, scale);
  return value === null ? null : Math.round(value);
}

/** By unit, what most keys of a frame hold. */
const BY_UNIT: Partial<Record<Unit, Quantity>> = {
  percent: "percent",
  celsius: "chip_celsius",
  watts: "watts",
  megahertz: "megahertz",
  rpm: "rpm",
};

/** What keys of a frame hold where that is not said by the unit; `null`: no more is known of it than its type. */
const BY_KEY: Readonly<Record<string, Quantity | null>> = {
  temperature_threshold_slowdown: "limit_celsius",
  temperature_threshold_shutdown: "limit_celsius",
  temperature_threshold_max_operating: "limit_celsius",
  temperature_threshold_acoustic: "limit_celsius",
  inlet_temperature: "air_celsius",
  outlet_temperature: "air_celsius",
  total_power_watts: "machine_watts",
  power_watts: "supply_watts",
  fan_percent: "fan_percent",
  sm_occupancy: "ratio",
  memory_bandwidth_utilization: "ratio",
  used_memory: "bytes",
  total_memory: "memory_size",
  // Where these keys have 0 they are unknown: a clock that stands is told by `clocks`.
  frequency: "megahertz_max",
  frequency_mhz: "megahertz_max",
  sm_max: "megahertz_max",
  memory_max: "megahertz_max",
  video_max: "megahertz_max",
  base_frequency_mhz: "megahertz_max",
  max_frequency_mhz: "megahertz_max",
  gpu_core_count: "cores",
  performance_state: "performance_state",
  numa_node_id: "numa_node",
  generation: "pcie_generation",
  generation_max: "pcie_generation",
  width: "pcie_width",
  width_max: "pcie_width",
  replays: "count",
  corrected_volatile: "count",
  uncorrected_volatile: "count",
  corrected_aggregate: "count",
  uncorrected_aggregate: "count",
  correctable: "count",
  uncorrectable: "count",
  pending: "flag",
  failure: "flag",
  retired_pages: "count",
  retired_pages_pending: "flag",
  crc_errors: "count",
  replay_errors: "count",
  recovery_errors: "count",
  // Of one core.
  cpu_percent: null,
};

/** What a key of a frame's device holds. */
export function quantityOf(key: string, { unit }: Field): Quantity | null {
  return BY_KEY[key] === undefined ? ((unit && BY_UNIT[unit]) ?? null) : BY_KEY[key];
}

/** How sources write that they do not know a text, or that there is none. */
const NO_TEXT = /^(?:\[.*\]|n\/?a|none|null|unknown|not (?:supported|available|specified|applicable)|\(null\)|-)$/i;

/** A text that says something. */
export function knownText(text: string | null | undefined): string | null {
  const trimmed = text?.trim() ?? "";
  return trimmed === "" || NO_TEXT.test(trimmed) ? null : trimmed;
}

/** How a card is divided; a card that is not has no such name. */
export function knownPartition(text: string | null | undefined): string | null {
  const known = knownText(text);
  return known !== null && /^(?:disabled|off|invalid|\d+)$/i.test(known) ? null : known;
}

/** An id that tells one device from others: not of zeros alone, nor of ones. */
export function knownId(text: string | null | undefined): string | null {
  const known = knownText(text);
  const digits = known?.replace(/^(?:GPU|MIG|PCI)-|^0x|[-:\s]/gi, "") ?? "";
  return digits === "" || /^(?:0+|f+)$/i.test(digits) ? null : known;
}
