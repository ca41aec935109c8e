import { powerLimit_w } from "../frame/power_limit.ts";
import type { Gpu } from "../frame/schema.ts";
import { Cliff } from "./cliff.ts";
import type { Name } from "./definitions.ts";
import { LinkMemory } from "./gpu_links.ts";
import { type Moment, Reading, Run, rise } from "./marks.ts";
import type { Verdict } from "./verdict.ts";

/** What is remembered of one GPU. */
export class GpuMemory {
  seen_ms = Number.NEGATIVE_INFINITY;
  /** Number of the last frame that it was in. */
  frame = -1;
  readonly cliff = new Cliff();
  readonly atLimit = new Run();
  readonly corrected = new Reading();
  readonly uncorrected = new Reading();
  readonly rowFailures = new Reading();
  readonly pendingRows = new Reading();
  readonly retiredPages = new Reading();
  readonly links = new LinkMemory();
  /** When a condition last stayed, on or near. */
  readonly stayed_ms: Partial<Record<Name, number>> = {};
}

/** A condition of a GPU: how a frame decides it, and the words for the case at hand. */
export interface GpuRule {
  readonly name: Name;
  verdict(gpu: Gpu, memory: GpuMemory, now: Moment): Verdict;
  details(gpu: Gpu): string;
}

const isAlive = ({ utilization, temperature, power_consumption, used_memory }: Gpu): boolean =>
  utilization !== null || temperature !== null || power_consumption !== null || used_memory !== null;

const lost: GpuRule = {
  name: "gpu_lost",
  verdict: (gpu) => (gpu.lost ? "on" : isAlive(gpu) ? "off" : "unknown"),
  details: ({ lost }) => lost?.reason ?? "",
};

const HYSTERESIS_CELSIUS = 2;

const temperature: GpuRule = {
  name: "temperature",
  verdict({ temperature, temperature_threshold_slowdown: limit }) {
    if (temperature === null || limit === null) return "unknown";
    if (temperature >= limit) return "on";
    return temperature > limit - HYSTERESIS_CELSIUS ? "near" : "off";
  },
  details: ({ temperature, temperature_threshold_slowdown: limit }) => `${temperature} °C, slows down at ${limit} °C`,
};

/** Slowed down to stay within a power limit is how a GPU works at full load; these are faults of what is around it. */
const HARMFUL = ["thermal", "hardware", "power_brake"];
const harmful = ({ health }: Gpu): string[] => health?.throttle?.filter((reason) => HARMFUL.includes(reason)) ?? [];

const throttle: GpuRule = {
  name: "throttle",
  verdict: (gpu) => (gpu.health?.throttle ? (harmful(gpu).length > 0 ? "on" : "off") : "unknown"),
  details: (gpu) => harmful(gpu).join(", "),
};

/** Power swings around its limit by about a hundredth. */
const AT_LIMIT = 0.99;
const NEAR_LIMIT = 0.95;
const AT_LIMIT_MS = 10_000;

const power: GpuRule = {
  name: "power",
  verdict(gpu, { atLimit }, now) {
    const limit = powerLimit_w(gpu);
    const watts = gpu.power_consumption;
    if (limit === null || watts === null) return "unknown";
    if (watts < limit * AT_LIMIT) {
      atLimit.end();
      return watts < limit * NEAR_LIMIT ? "off" : "near";
    }
    atLimit.confirm(now);
    return atLimit.lasted_ms >= AT_LIMIT_MS ? "on" : "near";
  },
  details: (gpu) => `${Math.round(gpu.power_consumption ?? 0)} W of ${Math.round(powerLimit_w(gpu) ?? 0)} W`,
};

const cliff: GpuRule = {
  name: "cliff",
  verdict: (gpu, memory, now) => memory.cliff.look(gpu, now),
  details: ({ utilization, used_memory }) => `${utilization} %, ${((used_memory ?? 0) / 2 ** 30).toFixed(1)} GiB`,
};

const corrected: GpuRule = {
  name: "ecc_corrected",
  verdict(gpu, memory, now) {
    const errors = rise(memory.corrected, gpu.health?.ecc?.corrected_volatile, now);
    return errors === null ? "unknown" : errors > 0 ? "on" : "off";
  },
  details: ({ health }) => `${health?.ecc?.corrected_volatile} since the driver was loaded`,
};

export const gpuRules: readonly GpuRule[] = [lost, temperature, throttle, power, cliff, corrected];

/** A counter of which every rise is a thing of its own. */
export interface CounterRule {
  readonly name: Name;
  /** It is 1 or 0: by how much it rose says nothing. */
  readonly isFlag?: true;
  /** By how much it rose. */
  rise(gpu: Gpu, memory: GpuMemory, now: Moment): number | null;
}

export const counterRules: readonly CounterRule[] = [
  {
    name: "ecc_uncorrected",
    rise: ({ health }, memory, now) => rise(memory.uncorrected, health?.ecc?.uncorrected_volatile, now),
  },
  {
    name: "row_remapping",
    isFlag: true,
    rise: ({ health }, memory, now) => rise(memory.rowFailures, health?.remapped_rows?.failure, now),
  },
  {
    name: "row_pending",
    isFlag: true,
    rise: ({ health }, memory, now) => rise(memory.pendingRows, health?.remapped_rows?.pending, now),
  },
  {
    name: "retired_pages",
    rise: ({ health }, memory, now) => rise(memory.retiredPages, health?.retired_pages, now),
  },
];
