import { highest } from "../../local/files.ts";
import { plausible, type Quantity } from "../../plausible.ts";
import { generationOf } from "../drm/pcie.ts";
import { parseAttributes } from "./metrics_attributes.ts";
import { HEADER_BYTES, LAYOUTS, type Layout } from "./metrics_layouts.ts";
import { partitionsOf, type XgmiLinks, xgmiOf } from "./metrics_parts.ts";
import { isUnknown, readNumber, type Values } from "./metrics_values.ts";
import { instinctThrottle, type Residencies, residenciesOf, throttleOf } from "./throttle.ts";

/** What the firmware says of the card in one piece: the file `gpu_metrics`. */
export interface GpuMetrics {
  /** Format and content revision: `1.3`. */
  readonly version: string;
  /** °C. */
  readonly edge: number | null;
  readonly hotspot: number | null;
  readonly memory: number | null;
  /** Percent of time. */
  readonly gfx_busy: number | null;
  readonly memory_busy: number | null;
  /** Watts. */
  readonly power: number | null;
  /** MHz; of several of a kind the fastest. */
  readonly gfxclk: number | null;
  readonly uclk: number | null;
  readonly vclk: number | null;
  readonly fan_rpm: number | null;
  readonly link_width: number | null;
  readonly link_generation: number | null;
  /** `null`: it has none to other cards, or does not say. */
  readonly xgmi: XgmiLinks | null;
  /** Of each of its partitions, percent of time in which it is busy; `null`: it is one whole, or does not say. */
  readonly partitions: readonly (number | null)[] | null;
  /** Why it is slower than asked at this moment; `null` where this version does not say, or not in a common way. */
  readonly throttle: readonly string[] | null;
  /** Of versions that count instead how long it has been slowed down. */
  readonly residencies: Residencies | null;
}

/** `null`: it is cut off, or of a version that is not known here. */
export function parseMetrics(bytes: Buffer | null): GpuMetrics | null {
  if (bytes === null || bytes.length < HEADER_BYTES) return null;
  const size = bytes.readUInt16LE(0);
  const version = `${bytes[2]}.${bytes[3]}`;
  const layout = LAYOUTS.get(version)?.find((one) => one.size === size && size <= bytes.length);
  const values = layout === undefined ? parseAttributes(bytes, version) : valuesOf(bytes, layout);
  return values === null ? null : metricsOf(version, values);
}

const valuesOf =
  (table: Buffer, { places }: Layout): Values =>
  (name) => {
    const { offset, bytes, count } = places.get(name) ?? { offset: 0, bytes: 1, count: 0 };
    const numbers = Array.from({ length: count }, (_, i) => readNumber(table, offset + i * bytes, bytes));
    return numbers.filter((value) => !isUnknown(value, bytes));
  };

function metricsOf(version: string, values: Values): GpuMetrics {
  // Some firmware leaves what it does not know at 0, where no such sensor can be, or at nonsense.
  const number = (name: string, what: Quantity): number | null =>
    highest(values(name).map((value) => plausible(what, Number(value))));
  const instinct = values("instinct_throttle")[0];
  return {
    version,
    edge: number("edge", "chip_celsius"),
    hotspot: number("hotspot", "chip_celsius"),
    memory: number("memory", "chip_celsius"),
    gfx_busy: number("gfx_busy", "percent"),
    memory_busy: number("memory_busy", "percent"),
    power: number("power", "watts"),
    gfxclk: number("gfxclk", "megahertz"),
    uclk: number("uclk", "megahertz"),
    vclk: number("vclk", "megahertz"),
    fan_rpm: number("fan_rpm", "rpm"),
    link_width: number("link_width", "pcie_width"),
    link_generation: generationOf((number("link_speed", "count") ?? 0) / 10),
    xgmi: xgmiOf(values),
    partitions: partitionsOf(values),
    throttle: instinct === undefined ? throttleOf(values("throttle")[0]) : instinctThrottle(instinct),
    residencies: residenciesOf(values),
  };
}
