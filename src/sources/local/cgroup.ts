import type { Cpu } from "../../frame/schema.ts";
import { parseCpuList, parseNatural, type Tree } from "./files.ts";
import { type Mount, mountinfoFile, parseMountinfo } from "./mountinfo.ts";

/** Limits and usage of the control group that this process is in: cgroups(7), admin-guide/cgroup-v2.rst. */
export type CgroupUsage = NonNullable<Cpu["cgroup"]>;

/** A limit, and the group of the hierarchy that has it (or this process's own, where there is none). */
interface Limit {
  readonly folder: string;
  readonly value: number | null;
}

interface Groups {
  readonly cpu: Limit;
  /** `null`: the kernel counts no memory of groups (`cgroup_disable=memory`). */
  readonly memory: Limit | null;
  readonly cpuFiles: Files;
  readonly memoryFiles: Files;
  /** v1 may count CPU time in a hierarchy of its own. */
  readonly accountingFolder: string;
}

/** What the two versions of the interface call the same things. */
interface Files {
  readonly cpuLimit: (tree: Tree, folder: string) => number | null;
  /** The CPUs that the group may run on: what of its own list those above it allow. v1 had no such file before 3.17. */
  readonly cpusets: readonly string[];
  readonly memoryLimit: string;
  readonly memoryUsed: string;
  readonly inactiveFile: string;
  readonly cpuUsed_us: (tree: Tree, folder: string, stat: Map<string, number>) => number | null;
}

const V2: Files = {
  cpuLimit: (tree, folder) => {
    const [quota, period] = (tree.text(`${folder}/cpu.max`) ?? "").split(" ").map(parseNatural);
    return quota && period ? quota / period : null;
  },
  cpusets: ["cpuset.cpus.effective"],
  memoryLimit: "memory.max",
  memoryUsed: "memory.current",
  inactiveFile: "inactive_file",
  cpuUsed_us: (_tree, _folder, stat) => stat.get("usage_usec") ?? null,
};

const V1: Files = {
  cpuLimit: (tree, folder) => {
    const quota = tree.natural(`${folder}/cpu.cfs_quota_us`);
    const period = tree.natural(`${folder}/cpu.cfs_period_us`);
    // Without a limit the quota is -1.
    return quota && period ? quota / period : null;
  },
  cpusets: ["cpuset.effective_cpus", "cpuset.cpus"],
  // Without a limit it says the highest number of pages there can be, which is no safe integer.
  memoryLimit: "memory.limit_in_bytes",
  memoryUsed: "memory.usage_in_bytes",
  inactiveFile: "total_inactive_file",
  cpuUsed_us: (tree, folder) => {
    const nanoseconds = tree.natural(`${folder}/cpuacct.usage`);
    return nanoseconds === null ? null : nanoseconds / 1000;
  },
};

interface Counters {
  readonly folder: string;
  readonly at_ms: number;
  readonly used_us: number | null;
  readonly periods: number | null;
  readonly throttled: number | null;
}

/** Limits are changed seldom (a pod that is resized), and finding them takes many reads. */
const LIMITS_EVERY_MS = 60_000;

export class CgroupReader {
  readonly #tree: Tree;
  #groups: Groups | null = null;
  #found_ms = Number.NEGATIVE_INFINITY;
  #before: Counters | null = null;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** `null` where nothing is limited. */
  read(now_ms: number): CgroupUsage | null {
    if (now_ms - this.#found_ms >= LIMITS_EVERY_MS) {
      this.#groups = findGroups(this.#tree);
      this.#found_ms = now_ms;
    }
    const groups = this.#groups;
    if (groups === null) return null;
    const before = this.#before;
    const after = readCounters(this.#tree, groups, now_ms);
    this.#before = after;
    return {
      cpu_limit_cores: groups.cpu.value === null ? null : Math.round(groups.cpu.value * 100) / 100,
      ...ratesBetween(before, after),
      memory_limit_bytes: groups.memory?.value ?? null,
      memory_used_bytes: readWorkingSet(this.#tree, groups),
    };
  }
}

function ratesBetween(before: Counters | null, after: Counters): Pick<CgroupUsage, "cpu_used_cores" | "cpu_throttled"> {
  const elapsed_ms = after.at_ms - (before?.at_ms ?? after.at_ms);
  if (before === null || elapsed_ms <= 0 || before.folder !== after.folder) {
    return { cpu_used_cores: null, cpu_throttled: null };
  }
  const used_us = difference(before.used_us, after.used_us);
  const periods = difference(before.periods, after.periods);
  const throttled = difference(before.throttled, after.throttled);
  return {
    cpu_used_cores: used_us === null ? null : Math.round(used_us / elapsed_ms / 10) / 100,
    // Periods without a runnable thread are not counted: none at all is none throttled.
    cpu_throttled: periods === null || throttled === null ? null : throttledPercent(throttled, periods),
  };
}

const throttledPercent = (throttled: number, periods: number): number =>
  periods === 0 ? 0 : Math.min(100, Math.round((1000 * throttled) / periods) / 10);

const difference = (before: number | null, after: number | null): number | null =>
  before === null || after === null || after < before ? null : after - before;

function readCounters(tree: Tree, { cpu, cpuFiles, accountingFolder }: Groups, at_ms: number): Counters {
  const stat = parseKeyed(tree.text(`${cpu.folder}/cpu.stat`));
  return {
    folder: cpu.folder,
    at_ms,
    used_us: cpuFiles.cpuUsed_us(tree, accountingFolder, stat),
    periods: stat.get("nr_periods") ?? null,
    throttled: stat.get("nr_throttled") ?? null,
  };
}

/** What cannot be taken back without cost: usage less the page cache that nobody has touched for a while, as Kubernetes counts. */
function readWorkingSet(tree: Tree, { memory, memoryFiles }: Groups): number | null {
  if (memory === null) return null;
  const used = tree.natural(`${memory.folder}/${memoryFiles.memoryUsed}`);
  const inactive = parseKeyed(tree.text(`${memory.folder}/memory.stat`)).get(memoryFiles.inactiveFile);
  return used === null ? null : Math.max(0, used - (inactive ?? 0));
}

/** Lines of `key number`. */
function parseKeyed(text: string | null): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of text?.split("\n") ?? []) {
    const [key, value] = line.split(" ");
    const number = parseNatural(value ?? null);
    if (key && number !== null) values.set(key, number);
  }
  return values;
}

function findGroups(tree: Tree): Groups | null {
  const own = parseMembership(tree.text("/proc/self/cgroup"));
  const mounts = parseMountinfo(tree.text(mountinfoFile(tree)) ?? "");
  const v2 = mounts.find(({ type }) => type === "cgroup2");
  const v1 = (controller: string): Mount | undefined =>
    mounts.find(({ type, superOptions }) => type === "cgroup" && superOptions.includes(controller));
  const chain = (controller: string): string[] =>
    foldersUpwards(v1(controller) ?? v2, own.get(controller) ?? own.get("") ?? "/");
  const filesOf = (controller: string): Files => (v1(controller) === undefined ? V2 : V1);
  const [cpuFiles, memoryFiles] = [filesOf("cpu"), filesOf("memory")];
  const quota = tightest(chain("cpu"), (folder) => cpuFiles.cpuLimit(tree, folder));
  const cpuset = tightest(chain("cpuset"), (folder) => cpusetOf(tree, folder, filesOf("cpuset")));
  const place = quota ?? cpuset;
  if (place === null) return null;
  const cpu = { folder: place.folder, value: smaller(quota?.value ?? null, limitOf(tree, cpuset)) };
  const memory = tightest(chain("memory"), (folder) => tree.natural(`${folder}/${memoryFiles.memoryLimit}`));
  if (cpu.value === null && (memory?.value ?? null) === null) return null;
  const accountingFolder = cpuFiles === V2 ? cpu.folder : (chain("cpuacct")[0] ?? cpu.folder);
  return { cpu, memory, cpuFiles, memoryFiles, accountingFolder };
}

/** How many CPUs the group may run on. */
function cpusetOf(tree: Tree, folder: string, files: Files): number | null {
  for (const file of files.cpusets) {
    const { length } = parseCpuList(tree.text(`${folder}/${file}`));
    if (length > 0) return length;
  }
  return null;
}

/** A set of all CPUs there are limits nothing. */
function limitOf(tree: Tree, cpuset: Limit | null): number | null {
  const value = cpuset?.value ?? null;
  if (value === null) return null;
  const listed = parseCpuList(tree.text("/sys/devices/system/cpu/online")).length;
  const online = listed || (tree.text("/proc/stat")?.match(/^cpu\d/gm)?.length ?? 0);
  return value < online ? value : null;
}

const smaller = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

/** Where this process is, by controller; `""` is the hierarchy of version 2. */
export function parseMembership(text: string | null): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text?.split("\n") ?? []) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    for (const controller of match?.[1]?.split(",") ?? []) paths.set(controller, match?.[2] ?? "/");
  }
  return paths;
}

/** The group's folder and those above it that can be seen here, the group's own first. */
export function foldersUpwards(mount: Mount | undefined, path: string): string[] {
  if (mount === undefined) return [];
  const inside = mount.root === "/" ? path : path.startsWith(mount.root) ? path.slice(mount.root.length) : "";
  // "/../x" is how a group outside of the namespace is written: it cannot be seen from here.
  const parts = inside.includes("..") ? [] : inside.split("/").filter((part) => part !== "");
  return Array.from({ length: parts.length + 1 }, (_, above) =>
    [mount.mountPoint, ...parts.slice(0, parts.length - above)].join("/"),
  );
}

function tightest(folders: readonly string[], limitOf: (folder: string) => number | null): Limit | null {
  let found: Limit | null = null;
  for (const folder of folders) {
    const value = limitOf(folder);
    if (found === null || (value !== null && (found.value === null || value < found.value))) found = { folder, value };
  }
  return found;
}
