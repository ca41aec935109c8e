import { machine } from "node:os";
import type { Cpu } from "../../frame/schema.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../source.ts";
import { armModel } from "./arm_cores.ts";
import { CgroupReader } from "./cgroup.ts";
import { type CpuReadings, CpuSensors } from "./cpu_sensors.ts";
import { addLoads, type CpuTimes, type Load, loadBetween, parseCpuTimes, utilizationOf } from "./cpu_times.ts";
import { type CpuInfo, parseCpuinfo } from "./cpuinfo.ts";
import { deviceTreeModel } from "./dmi.ts";
import { type HotFile, parseCpuList, Tree } from "./files.ts";
import { type Frequencies, readCurrentMhz, readFrequencies } from "./frequency.ts";
import { Paced, patienceIn } from "./paced.ts";
import { Rapl } from "./rapl.ts";
import { readCacheMegabytes, readTopology, type Topology } from "./topology.ts";

export interface CpuOptions {
  /** Prefix of /proc and /sys; `""` is this machine. */
  readonly root: string;
  readonly host: HostIdentity;
  /** Whether frames carry every CPU's own utilization. */
  readonly perCore: boolean;
}

/** What changes only when CPUs are plugged, or somebody changes the machine's settings. */
interface Facts {
  readonly cpus: readonly number[];
  readonly topology: Topology;
  readonly frequencies: Frequencies;
  readonly sensors: CpuSensors;
  readonly fixed: Pick<Cpu, "cpu_model" | "architecture" | "platform_type" | "cache_size_mb">;
  /** The same for all: a virtual machine's, which has no cpufreq. */
  readonly constantMhz: number | null;
}

/** Facts are some thousand reads: 20 ms of CPU for 224 CPUs. */
const FACTS_EVERY_MS = 300_000;
/** Short enough that the first frame has a power: it comes a quarter of a second after the first reading. */
const SENSORS_EVERY_MS = 200;
const FREQUENCY_EVERY_MS = 5000;

class CpuSource implements Source {
  readonly name = "cpu";
  readonly fromTwoReadings = true;
  readonly #options: CpuOptions;
  readonly #tree: Tree;
  readonly #hot: Record<"stat" | "loadavg" | "uptime", HotFile>;
  readonly #cgroup: CgroupReader;
  /** Outlives the facts, since its power is a difference. */
  readonly #rapl: Rapl;
  readonly #sensors: Paced<CpuReadings>;
  readonly #socketMhz: Paced<(number | null)[]>;
  #facts: Facts | null = null;
  #factsFrom_ms = 0;
  #before: CpuTimes | null = null;

  constructor(options: CpuOptions) {
    this.#options = options;
    this.#tree = new Tree(options.root);
    this.#hot = {
      stat: this.#tree.hot("/proc/stat"),
      loadavg: this.#tree.hot("/proc/loadavg"),
      uptime: this.#tree.hot("/proc/uptime"),
    };
    this.#cgroup = new CgroupReader(this.#tree);
    this.#rapl = new Rapl(this.#tree);
    this.#sensors = new Paced(SENSORS_EVERY_MS, async (now_ms) => (await this.#facts?.sensors.read(now_ms)) ?? null);
    this.#socketMhz = new Paced(FREQUENCY_EVERY_MS, async () => {
      const sockets = this.#facts?.topology.sockets ?? [];
      return await Promise.all(sockets.map(({ cpus }) => readCurrentMhz(this.#tree, cpus)));
    });
  }

  async read(cycle: Cycle): Promise<Reading> {
    const now_ms = cycle.monotonic_ms;
    const times = this.#readTimes();
    const facts = this.#factsFor(times, now_ms);
    const load = times && this.#before ? loadBetween(this.#before, times) : null;
    this.#before = times ?? this.#before;
    const rest = { ...this.#readUptime(), ...this.#readCgroup(now_ms) };
    const patience_ms = patienceIn(cycle);
    const [readings, socketMhz] = await Promise.all([
      this.#sensors.latest(now_ms, patience_ms),
      this.#socketMhz.latest(now_ms, patience_ms),
    ]);
    if (this.#sensors.isHung(now_ms)) this.#tree.complain("sensors do not answer");
    const cpu: Cpu = {
      index: 0,
      ...this.#options.host,
      ...facts.fixed,
      ...counts(facts),
      base_frequency_mhz: facts.frequencies.base_mhz,
      max_frequency_mhz: facts.frequencies.max_mhz,
      utilization: utilizationOf(load?.machine),
      temperature: readings?.celsius ?? null,
      power_consumption: readings?.watts ?? null,
      per_socket_info: socketInfo(facts, load?.cpus, readings, socketMhz),
      apple_silicon_info: null,
      per_core_utilization: this.#options.perCore ? coreInfo(facts, load?.cpus) : [],
      time: cycle.time,
      ...rest,
    };
    return this.#tree.finish(this.name, { cpus: [cpu] });
  }

  close(): void {
    for (const file of Object.values(this.#hot)) file.close();
  }

  #readTimes(): CpuTimes | null {
    const bytes = this.#hot.stat.bytes();
    const times = bytes && parseCpuTimes(bytes);
    if (bytes !== null && times === null) this.#tree.complain("/proc/stat: no cpu line");
    return times;
  }

  #factsFor(times: CpuTimes | null, now_ms: number): Facts {
    const facts = this.#facts;
    const isCurrent = facts !== null && now_ms - this.#factsFrom_ms < FACTS_EVERY_MS;
    if (isCurrent && (times === null || sameNumbers(times.cpus, facts.cpus))) return facts;
    this.#factsFrom_ms = now_ms;
    this.#facts = readFacts(this.#tree, this.#rapl, times?.cpus ?? []);
    return this.#facts;
  }

  #readUptime(): Pick<Cpu, "load_average" | "uptime_seconds"> {
    const loads = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) /.exec(this.#hot.loadavg.text() ?? "");
    const uptime = /^(\d{1,12})\.\d+ /.exec(this.#hot.uptime.text() ?? "");
    return {
      load_average: loads === null ? null : loads.slice(1).map(Number),
      uptime_seconds: uptime === null ? null : Number(uptime[1]),
    };
  }

  #readCgroup(now_ms: number): Pick<Cpu, "cgroup"> {
    const cgroup = this.#cgroup.read(now_ms);
    return cgroup === null ? {} : { cgroup };
  }
}

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);

function readFacts(tree: Tree, rapl: Rapl, online: readonly number[]): Facts {
  const info = parseCpuinfo(tree.text("/proc/cpuinfo") ?? "");
  const cpus = online.length > 0 ? online : parseCpuList(tree.text("/sys/devices/system/cpu/online"));
  const topology = readTopology(tree, cpus, info);
  const architecture = tree.text("/proc/sys/kernel/arch") ?? machine();
  return {
    cpus,
    topology,
    frequencies: readFrequencies(tree, cpus, info),
    sensors: new CpuSensors(tree, rapl, topology.sockets.length),
    fixed: {
      cpu_model: modelOf(tree, info),
      architecture,
      platform_type: platformOf(info, architecture),
      cache_size_mb: readCacheMegabytes(tree, cpus),
    },
    constantMhz: info.processors[0]?.mhz ?? null,
  };
}

function modelOf(tree: Tree, info: CpuInfo): string {
  if (info.model === null) return deviceTreeModel(tree) ?? "";
  return info.isArm ? armModel(info.model, tree.text("/sys/class/dmi/id/sys_vendor")) : info.model;
}

function platformOf(info: CpuInfo, architecture: string): string {
  if (info.vendor === "GenuineIntel") return "Intel";
  if (info.vendor === "AuthenticAMD") return "Amd";
  return info.isArm || /^(aarch64|arm)/.test(architecture) ? "Arm" : (info.vendor ?? architecture);
}

function counts({ cpus, topology }: Facts): Pick<Cpu, "socket_count" | "total_cores" | "total_threads"> {
  const { sockets } = topology;
  const cores = sockets.reduce((total, socket) => total + socket.cores, 0);
  return {
    socket_count: sockets.length || null,
    total_cores: cores || null,
    total_threads: cpus.length || null,
  };
}

function socketInfo(
  facts: Facts,
  loads: ReadonlyMap<number, Load> | undefined,
  readings: CpuReadings | null,
  socketMhz: readonly (number | null)[] | null,
): Cpu["per_socket_info"] {
  return facts.topology.sockets.map(({ cpus, cores }, socket_id) => ({
    socket_id,
    utilization: utilizationOf(addLoads(cpus.map((cpu) => loads?.get(cpu)))),
    cores,
    threads: cpus.length,
    temperature: readings?.socketCelsius[socket_id] ?? null,
    frequency_mhz: socketMhz?.[socket_id] ?? (facts.constantMhz === null ? null : Math.round(facts.constantMhz)),
  }));
}

const coreInfo = (facts: Facts, loads: ReadonlyMap<number, Load> | undefined): Cpu["per_core_utilization"] =>
  facts.cpus.map((cpu) => ({
    core_id: cpu,
    core_type: facts.topology.coreTypes.get(cpu) ?? "Standard",
    utilization: utilizationOf(loads?.get(cpu)),
  }));

/** The CPUs of the machine whose files are below `root`, as one device. Rates are unknown in its first reading. */
export const cpuSource = (options: CpuOptions): Source => new CpuSource(options);
