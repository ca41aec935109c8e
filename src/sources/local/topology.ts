import { type CoreType, readCoreTypes } from "./core_kinds.ts";
import type { CpuInfo } from "./cpuinfo.ts";
import { parseCpuList, parseInteger, type Tree } from "./files.ts";

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
  const found = cpus.map((cpu) => sysfsPlace(tree, cpu) ?? cpuinfoPlace(info, cpu));
  const places = hasOneSocket(tree, info) ? found.map((place) => place && { ...place, package: 0 }) : found;
  return { sockets: groupSockets(cpus, places), coreTypes: readCoreTypes(tree, cpus, info) };
}

const TABLES = "/sys/firmware/acpi/tables";
/** The first is a link to the second, which a container may not see. */
const DEVICE_TREES = ["/proc/device-tree", "/sys/firmware/devicetree/base"];

/**
 * A machine that a device tree describes says the numbers of clusters of cores where others say those of packages, unless
 * its map of CPUs has sockets (Documentation/devicetree/bindings/cpu/cpu-topology.txt). So does one with ARM cores whose
 * firmware has no table of them (PPTT). On POWER they are chips.
 */
function hasOneSocket(tree: Tree, { model, isArm }: CpuInfo): boolean {
  const tables = tree.names(TABLES);
  if (tables.length > 0) return isArm && !tables.includes("PPTT");
  const described = DEVICE_TREES.find((folder) =>
    tree.names(folder).some((name) => name === "model" || name === "cpus"),
  );
  if (described === undefined || /^POWER/i.test(model ?? "")) return false;
  return tree.names(`${described}/cpus/cpu-map`).filter((name) => /^socket\d+$/.test(name)).length < 2;
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
