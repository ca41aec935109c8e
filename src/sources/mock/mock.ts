import type { FrameEvent, Process, Scrape, SectionName } from "../../frame/schema.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../source.ts";
import { chassisRow } from "./chassis.ts";
import { cpuRow } from "./cpu.ts";
import { eventsBetween } from "./events.ts";
import { gpuRow, gpuUuid } from "./gpu.ts";
import { GpuModel } from "./gpu_state.ts";
import { type HostState, hostStateAt } from "./host_state.ts";
import { type Incident, IncidentSchedule } from "./incidents.ts";
import { JobSchedule } from "./jobs.ts";
import { memoryRow } from "./memory.ts";
import { type MockOptions, mockHostnames } from "./options.ts";
import { gpuProcessRows, kernelThreadRows, otherProcessRows } from "./processes.ts";
import { noise, pick, round, salt } from "./random.ts";
import { storageRows } from "./storage.ts";

export { type MockOptions, mockHostnames, parseMock } from "./options.ts";

const LATENCY = salt("latency");

/** Where the hosts of a cluster would be scraped. */
const PORT = 9090;

/** Hardware threads of the modelled server. */
const DEFAULT_CPUS = 224;
const DEFAULT_PROCESSES = 100;

/** Readers that fail now and then, and how they word it. */
const FAILURES: Partial<Record<SectionName, string>> = {
  cpus: "cpu: /proc/stat: input/output error",
  memory: "memory: /proc/meminfo: input/output error",
  chassis: "chassis: hwmon: no answer from the sensor",
  storage: "storage: /scratch: stale file handle",
};

function identitiesOf(hosts: number, isScraped: boolean): HostIdentity[] {
  return mockHostnames(hosts).map((hostname) => {
    const host_id = isScraped ? `${hostname}:${PORT}` : hostname;
    return { host_id, hostname, instance: host_id };
  });
}

/**
 * Machines with GPUs that are not there. With one host it reads like this machine would, with several like a cluster
 * that is scraped (`scrapes`, hosts that do not answer). All values follow from the seed and the cycle's wall clock
 * alone, but for `events`, which also depend on when the cycle before was. What goes wrong shows in the values as it
 * would on real machines (see `IncidentSchedule`).
 */
export function mockSource(options: MockOptions): Source {
  const mock = new Mock(options, options.hosts > 1);
  return { name: "mock", read: (cycle) => mock.read(cycle) };
}

/** The moment to read for, as a cycle has it. */
type Moment = Pick<Cycle, "t_ms" | "time">;

/** One of several simulated machines, for itself. */
export interface MockMachine {
  readonly hostname: string;
  read(moment: Moment): Reading;
}

/**
 * The same cluster, machine by machine: each reads itself only, with all its cores and exactly as many processes as
 * are asked for. What cuts a host off the network is nothing that it could see, so here it does not happen.
 */
export function mockMachines(options: MockOptions): MockMachine[] {
  const mock = new Mock(options, false);
  return mockHostnames(options.hosts).map((hostname, host) => ({
    hostname,
    read: (moment) => mock.readMachine(host, moment),
  }));
}

class Mock {
  readonly #options: MockOptions;
  readonly #isScraped: boolean;
  readonly #identities: HostIdentity[];
  readonly #uuids: string[][];
  readonly #incidents: IncidentSchedule;
  readonly #model: GpuModel;
  /** When who listens to one host, or to all of them, read before; nobody hears what happened before the first time. */
  readonly #heardUntil_s = new Map<number | "all", number>();

  constructor(options: MockOptions, isScraped: boolean) {
    const { seed, hosts, gpus } = options;
    const jobs = new JobSchedule(seed, gpus);
    this.#options = options;
    this.#isScraped = isScraped;
    this.#incidents = new IncidentSchedule(seed, hosts, gpus, jobs);
    this.#model = new GpuModel(seed, hosts, gpus, jobs, this.#incidents);
    this.#identities = identitiesOf(hosts, isScraped);
    this.#uuids = this.#identities.map((_, host) => Array.from({ length: gpus }, (_, gpu) => gpuUuid(seed, host, gpu)));
  }

  read(cycle: Cycle): Reading {
    const t_s = cycle.t_ms / 1000;
    const incident = this.#incidents.at(t_s);
    const reading = this.#emptyReading("all", t_s);
    if (this.#isScraped) reading.scrapes = [];
    for (const [host, identity] of this.#identities.entries()) {
      const isDown = incident?.kind === "host_lost" && incident.host === host;
      reading.scrapes?.push(this.#scrape(host, identity, isDown, t_s));
      if (!isDown) this.#readHost(host, cycle, reading);
    }
    return reading;
  }

  readMachine(host: number, moment: Moment): Reading {
    const reading = this.#emptyReading(host, moment.t_ms / 1000);
    const state = this.#readHost(host, moment, reading);
    const { processes = DEFAULT_PROCESSES } = this.#options;
    reading.processes?.push(...kernelThreadRows(state, processes - reading.processes.length));
    return reading;
  }

  #readHost(host: number, { t_ms, time }: Moment, reading: Reading): HostState {
    const t_s = t_ms / 1000;
    const identity = this.#identities[host] as HostIdentity;
    const incident = this.#incidents.at(t_s);
    const failed = incident?.host === host ? this.#failedSection(incident) : null;
    if (failed !== null) reading.errors = [this.#failure(failed, identity)];
    const { seed, cpus, gpus } = this.#options;
    const place = { seed, host, identity, gpus, threads: cpus ?? DEFAULT_CPUS };
    const state = hostStateAt(place, this.#model, t_s, time);
    this.#add(reading, state, failed);
    return state;
  }

  #emptyReading(listenTo: number | "all", t_s: number): Reading {
    const reading: Reading = {};
    for (const section of this.#options.include) reading[section] = [];
    if (this.#options.include.includes("gpus")) reading.events = this.#hear(listenTo, t_s);
    return reading;
  }

  #hear(host: number | "all", t_s: number): FrameEvent[] {
    const from_s = this.#heardUntil_s.get(host) ?? t_s;
    this.#heardUntil_s.set(host, t_s);
    const events = eventsBetween(from_s, t_s, {
      seed: this.#options.seed,
      incidents: this.#incidents,
      identity: (host) => this.#identities[host] as HostIdentity,
      uuid: (host, gpu) => this.#uuids[host]?.[gpu] ?? "",
    });
    return host === "all" ? events : events.filter((event) => event.host === this.#identities[host]?.host_id);
  }

  #scrape(host: number, identity: HostIdentity, isDown: boolean, t_s: number): Scrape {
    return {
      host: identity.host_id,
      hostname: identity.hostname,
      up: !isDown,
      latency_ms: isDown ? null : round(4 + 40 * noise(this.#options.seed, LATENCY, host, t_s, 7) ** 3, 1),
      error: isDown ? "timed out" : null,
    };
  }

  #failedSection(incident: Incident | null): SectionName | null {
    if (incident?.kind !== "reader_error") return null;
    const candidates = [...this.#options.include].filter((section) => section in FAILURES).sort();
    return candidates.length === 0 ? null : pick(candidates, incident.id >>> 8);
  }

  #failure(section: SectionName, { hostname }: HostIdentity): string {
    const words = FAILURES[section] ?? section;
    return this.#isScraped ? words.replace(":", `@${hostname}:`) : words;
  }

  #add(reading: Reading, state: HostState, failed: SectionName | null): void {
    const { perCore = !this.#isScraped, health = true } = this.#options;
    const uuids = this.#uuids[state.host] ?? [];
    for (const gpu of reading.gpus === undefined ? [] : state.gpus) {
      reading.gpus?.push(gpuRow(state, gpu, uuids[gpu.gpu] ?? "", this.#incidents, health));
    }
    if (failed !== "cpus") reading.cpus?.push(cpuRow(state, perCore, health));
    if (failed !== "memory") reading.memory?.push(memoryRow(state));
    if (failed !== "chassis") reading.chassis?.push(chassisRow(state));
    if (failed !== "storage") reading.storage?.push(...storageRows(state, health));
    reading.processes?.push(...this.#processes(state, uuids));
  }

  #processes(state: HostState, uuids: readonly string[]): Process[] {
    if (!this.#options.include.includes("processes")) return [];
    const { processes = DEFAULT_PROCESSES } = this.#options;
    const ofGpus = gpuProcessRows(state, uuids);
    if (!this.#isScraped) return [...ofGpus, ...otherProcessRows(state)].slice(0, processes);
    return ofGpus.slice(0, processes).map((process) => ({ ...process, host_id: state.identity.host_id }));
  }
}
