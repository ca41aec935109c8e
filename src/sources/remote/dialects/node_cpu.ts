import { type Cpu, cpuFields } from "../../../frame/schema.ts";
import { plausible, plausibleWhole } from "../../plausible.ts";
import { blankMaker } from "../blank.ts";
import type { Labels, Take } from "../exposition.ts";
import { type CpuSeconds, detached, type NodeCounters, naturalOf, type PageContext } from "./dialect.ts";

/** The CPUs of node_exporter: seconds by mode that only two pages turn into percent, joules that they turn into watts. */

const MOST_CPUS = 8192;
const MOST_SENSORS = 1024;

/** hwmon drivers of CPU sensors. */
const CPU_CHIPS = new Set(["coretemp", "k10temp", "zenpower"]);

interface Seconds {
  idle: number;
  all: number;
}

interface Core {
  readonly cpu: string;
  readonly package: string;
  readonly core: string;
}

/** What a page says, and two pages together. */
export interface NodeCpu {
  readonly info: Labels | null;
  readonly cores: readonly Core[];
  readonly cpus: readonly string[];
  readonly max_mhz: number | null;
  readonly celsius: number | null;
  readonly watts: number | null;
  /** Percent by CPU number; empty after the first page. */
  readonly loads: ReadonlyMap<string, CpuSeconds>;
  readonly perCore: boolean;
}

export class NodeCpus {
  readonly #seconds = new Map<string, Seconds>();
  readonly #joules = new Map<string, number>();
  readonly #cores: Core[] = [];
  readonly #chips = new Set<string>();
  readonly #temperatures: { readonly chip: string; readonly celsius: number }[] = [];
  #info: Labels | null = null;
  #max_mhz: number | null = null;

  take(family: string): Take | null {
    switch (family) {
      case "node_cpu_seconds_total":
        return (labels, value) => this.#addSeconds(labels.get("cpu"), labels.get("mode"), value);
      case "node_cpu_info":
        return (labels) => this.#addCore(labels);
      case "node_cpu_scaling_frequency_max_hertz":
      case "node_cpu_frequency_max_hertz":
        return (_, hertz) => {
          const mhz = plausibleWhole("megahertz_max", hertz, 1e6);
          if (mhz !== null) this.#max_mhz = Math.max(mhz, this.#max_mhz ?? 0);
        };
      case "node_rapl_package_joules_total":
        return (labels, joules) => {
          const path = labels.get("path") ?? "";
          if (joules !== null && this.#joules.size < MOST_SENSORS) this.#joules.set(detached(path), joules);
        };
      case "node_hwmon_chip_names":
        return (labels) => {
          if (CPU_CHIPS.has(labels.get("chip_name") ?? "")) this.#chips.add(labels.get("chip") ?? "");
        };
      case "node_hwmon_temp_celsius":
        return (labels, value) => {
          const celsius = plausible("chip_celsius", value);
          if (celsius === null || this.#temperatures.length === MOST_SENSORS) return;
          this.#temperatures.push({ chip: labels.get("chip") ?? "", celsius });
        };
      default:
        return null;
    }
  }

  #addSeconds(cpu: string | undefined, mode: string | undefined, value: number | null): void {
    if (cpu === undefined || value === null || naturalOf(cpu) === null) return;
    let seconds = this.#seconds.get(cpu);
    if (seconds === undefined) {
      if (this.#seconds.size === MOST_CPUS) return;
      seconds = { idle: 0, all: 0 };
      this.#seconds.set(detached(cpu), seconds);
    }
    seconds.all += value;
    if (mode === "idle" || mode === "iowait") seconds.idle += value;
  }

  #addCore(labels: Labels): void {
    this.#info ??= labels;
    const [cpu, pack, core] = [labels.get("cpu"), labels.get("package"), labels.get("core")];
    if (cpu === undefined || pack === undefined || core === undefined || this.#cores.length === MOST_CPUS) return;
    this.#cores.push({ cpu, package: pack, core });
  }

  /** `null` where the page has nothing of CPUs. */
  finish({ monotonic_ms, history, perCore }: PageContext): NodeCpu | null {
    const before = history.counters;
    const now: NodeCounters = { monotonic_ms, cpus: this.#seconds, joules: this.#joules };
    history.counters = now;
    if (this.#seconds.size === 0 && this.#cores.length === 0) return null;
    const celsius = this.#temperatures.filter(({ chip }) => this.#chips.has(chip)).map((one) => one.celsius);
    return {
      info: this.#info,
      cores: this.#cores,
      cpus: [...this.#seconds.keys()],
      max_mhz: this.#max_mhz,
      celsius: celsius.length === 0 ? null : Math.round(Math.max(...celsius)),
      watts: before === undefined ? null : wattsBetween(before, now),
      loads: before === undefined ? new Map() : loadsBetween(before, now),
      perCore,
    };
  }
}

/** What each CPU did between two pages; without those whose counters went back. */
function loadsBetween(before: NodeCounters, now: NodeCounters): Map<string, CpuSeconds> {
  const loads = new Map<string, CpuSeconds>();
  for (const [cpu, { idle, all }] of now.cpus) {
    const earlier = before.cpus.get(cpu);
    if (earlier === undefined || all < earlier.all || idle < earlier.idle) continue;
    loads.set(cpu, { idle: idle - earlier.idle, all: all - earlier.all });
  }
  return loads;
}

/** The packages' power; unknown where a counter started again (RAPL's do all the time: at 2^32 µJ or so). */
function wattsBetween(before: NodeCounters, now: NodeCounters): number | null {
  const seconds = (now.monotonic_ms - before.monotonic_ms) / 1000;
  if (now.joules.size === 0 || !(seconds > 0)) return null;
  let joules = 0;
  for (const [path, value] of now.joules) {
    const earlier = before.joules.get(path);
    if (earlier === undefined || value < earlier) return null;
    joules += value - earlier;
  }
  // No package needs nothing: this is the same page again.
  return plausible("machine_watts", Math.round((10 * joules) / seconds) / 10);
}

/** Percent of the time that these CPUs were not idle; unknown where no time passed. */
function utilization(loads: readonly (CpuSeconds | undefined)[]): number | null {
  let [idle, all] = [0, 0];
  for (const load of loads) {
    idle += load?.idle ?? 0;
    all += load?.all ?? 0;
  }
  return all > 0 ? Math.round(1000 * (1 - idle / all)) / 10 : null;
}

const PLATFORMS = new Map([
  ["GenuineIntel", "Intel"],
  ["AuthenticAMD", "Amd"],
]);

function platformOf(vendor: string, architecture: string): string {
  return PLATFORMS.get(vendor) ?? (/^(?:aarch64|arm)/.test(architecture) ? "Arm" : vendor || architecture);
}

const distinct = (values: readonly string[]): number | null => new Set(values).size || null;

function socketsOf({ cores, loads }: NodeCpu): Cpu["per_socket_info"] {
  const packages = Map.groupBy(cores, (core) => core.package);
  return [...packages].flatMap(([name, own]) => {
    const socket_id = naturalOf(name);
    if (socket_id === null) return [];
    return [
      {
        socket_id,
        utilization: utilization(own.map(({ cpu }) => loads.get(cpu))),
        cores: distinct(own.map(({ core }) => core)),
        threads: own.length,
        temperature: null,
        frequency_mhz: null,
      },
    ];
  });
}

const coresOf = ({ cpus, loads }: NodeCpu): Cpu["per_core_utilization"] =>
  cpus.flatMap((cpu) => {
    const core_id = naturalOf(cpu);
    const load = utilization([loads.get(cpu)]);
    return core_id === null ? [] : [{ core_id, core_type: "Standard", utilization: load }];
  });

const blankCpu = blankMaker(cpuFields);

/** All CPUs of the machine as one device. */
export function cpuOf(cpu: NodeCpu, architecture: string, time: string): Cpu {
  const { info, cores, cpus, loads } = cpu;
  const cache = /^(\d{1,9}) KB$/.exec(info?.get("cachesize") ?? "")?.[1];
  return {
    ...blankCpu(),
    cpu_model: info?.get("model_name") ?? "",
    architecture,
    platform_type: platformOf(info?.get("vendor") ?? "", architecture),
    socket_count: distinct(cores.map((core) => core.package)),
    total_cores: distinct(cores.map((core) => `${core.package} ${core.core}`)),
    total_threads: cpus.length || null,
    max_frequency_mhz: cpu.max_mhz,
    cache_size_mb: cache === undefined ? null : Math.round(Number(cache) / 1024),
    utilization: utilization([...loads.values()]),
    temperature: cpu.celsius,
    power_consumption: cpu.watts,
    per_socket_info: socketsOf(cpu),
    per_core_utilization: cpu.perCore ? coresOf(cpu) : [],
    time,
  };
}
