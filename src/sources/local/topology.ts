import type { Cpu } from "../../frame/schema.ts";
import type { CpuInfo } from "./cpuinfo.ts";
import { parseCpuList, parseInteger, type Tree } from "./files.ts";

export type CoreType = Cpu["per_core_utilization"][number]["core_type"];

export interface Socket {
  readonly cpus: readonly number[];
  readonly cores: number;
}

export interface Topology {
  /** In the order of the kernel's package numbers; empty where nothing says how the CPUs are packaged. */
  readonly sockets: readonly Socket[];
  /** Where cores differ; a CPU that is not in it is a `Standard` one. */
  readonly coreTypes: ReadonlyMap<number, CoreType>;
}

const CPU = "/sys/devices/system/cpu/cpu";

/** How the online CPUs are packaged: by sysfs, else by /proc/cpuinfo. */
export function readTopology(tree: Tree, cpus: readonly number[], info: CpuInfo): Topology {
  const places = cpus.map((cpu) => sysfsPlace(tree, cpu) ?? cpuinfoPlace(info, cpu));
  return { sockets: groupSockets(cpus, places), coreTypes: readCoreTypes(tree, cpus) };
}

interface Place {
  readonly package: number;
  /** The same for the threads of one core. */
  readonly core: string;
}

function sysfsPlace(tree: Tree, cpu: number): Place | null {
  const folder = `${CPU}${cpu}/topology/`;
  const number = parseInteger(tree.text(`${folder}physical_package_id`));
  // core_cpus_list is the newer name (5.3).
  const core = tree.text(`${folder}core_cpus_list`) ?? tree.text(`${folder}thread_siblings_list`);
  return number === null || core === null ? null : { package: number, core };
}

function cpuinfoPlace(info: CpuInfo, cpu: number): Place | null {
  const found = info.processors.find(({ processor }) => processor === cpu);
  if (found === undefined || found.physicalId === null || found.coreId === null) return null;
  return { package: found.physicalId, core: String(found.coreId) };
}

function groupSockets(cpus: readonly number[], places: readonly (Place | null)[]): Socket[] {
  const packages = new Map<number, { cpus: number[]; cores: Set<string> }>();
  cpus.forEach((cpu, i) => {
    const place = places[i];
    if (!place) return;
    const group = packages.get(place.package) ?? { cpus: [], cores: new Set() };
    packages.set(place.package, group);
    group.cpus.push(cpu);
    group.cores.add(place.core);
  });
  return [...packages].sort(([a], [b]) => a - b).map(([, group]) => ({ cpus: group.cpus, cores: group.cores.size }));
}

/** Where the kernel lists the CPUs of one kind on Intel's hybrid chips. */
const INTEL_KINDS: readonly [string, CoreType][] = [
  ["/sys/devices/cpu_core/cpus", "Performance"],
  ["/sys/devices/cpu_atom/cpus", "Efficiency"],
  ["/sys/devices/cpu_lowpower/cpus", "Efficiency"],
];

/** Below this share of the strongest core's capacity a core is a small one (a Cortex-A78 beside an X1 is not). */
const SMALL_CORE = 0.7;

function readCoreTypes(tree: Tree, cpus: readonly number[]): Map<number, CoreType> {
  const types = new Map<number, CoreType>();
  for (const [file, type] of INTEL_KINDS) for (const cpu of parseCpuList(tree.text(file))) types.set(cpu, type);
  return types.size > 0 ? types : capacityTypes(cpus, (cpu) => tree.natural(`${CPU}${cpu}/cpu_capacity`));
}

/** By the scheduler's cpu_capacity (1024: the strongest core), which only asymmetric machines have different values of. */
function capacityTypes(cpus: readonly number[], capacityOf: (cpu: number) => number | null): Map<number, CoreType> {
  const types = new Map<number, CoreType>();
  const capacities = cpus.map(capacityOf);
  const strongest = Math.max(...capacities.map((capacity) => capacity ?? 0));
  const isSmall = (capacity: number | null): boolean => capacity !== null && capacity < SMALL_CORE * strongest;
  if (!capacities.some(isSmall)) return types;
  cpus.forEach((cpu, i) => {
    types.set(cpu, isSmall(capacities[i] ?? null) ? "Efficiency" : "Performance");
  });
  return types;
}

/** Bytes of a cache size as sysfs writes it: `107520K`. */
function parseCacheSize(text: string | null): number | null {
  const size = /^(\d{1,9})K$/.exec(text ?? "");
  return size === null ? null : Number(size[1]) * 1024;
}

/** The last-level caches of all sockets together, in MiB; each cache counts once, however many CPUs share it. */
export function readCacheMegabytes(tree: Tree, cpus: readonly number[]): number | null {
  const folder = (cpu: number): string => `${CPU}${cpu}/cache/`;
  const first = cpus[0];
  if (first === undefined) return null;
  const levels = tree
    .names(folder(first))
    .filter((name) => name.startsWith("index"))
    .map((name) => ({ name, level: tree.natural(`${folder(first)}${name}/level`) ?? 0 }));
  const last = levels.reduce((a, b) => (b.level > a.level ? b : a), { name: "", level: 1 });
  if (last.level < 2) return null;
  let bytes = 0;
  const counted = new Set<number>();
  for (const cpu of cpus) {
    if (counted.has(cpu)) continue;
    const cache = `${folder(cpu)}${last.name}/`;
    for (const sharer of [cpu, ...parseCpuList(tree.text(`${cache}shared_cpu_list`))]) counted.add(sharer);
    bytes += parseCacheSize(tree.text(`${cache}size`)) ?? 0;
  }
  return bytes === 0 ? null : Math.round(bytes / 1024 ** 2);
}
