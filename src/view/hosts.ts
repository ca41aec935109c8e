import type { Frame } from "../frame/frame.ts";
import type { Chassis, Cpu, Gpu, Memory, Process, Scrape, Storage } from "../frame/schema.ts";
import { statedNumber } from "./gpus.ts";

/** All that a frame says of one host. */
export interface Host {
  readonly host_id: string;
  /** For people: the host name, or the `host_id` where several hosts have the same name. */
  name: string;
  /** Why there is nothing of it in this frame; `null` where it answered. */
  downReason: string | null;
  latency_ms: number | null;
  readonly gpus: Gpu[];
  readonly cpus: Cpu[];
  readonly memory: Memory[];
  readonly chassis: Chassis[];
  readonly storage: Storage[];
  readonly processes: Process[];
}

export const emptyHost = (host_id: string, name: string): Host => ({
  host_id,
  name,
  downReason: null,
  latency_ms: null,
  gpus: [],
  cpus: [],
  memory: [],
  chassis: [],
  storage: [],
  processes: [],
});

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

class Hosts {
  readonly all = new Map<string, Host>();

  get({ host_id, hostname }: { readonly host_id: string; readonly hostname: string }): Host {
    let host = this.all.get(host_id);
    if (host === undefined) {
      host = emptyHost(host_id, hostname === "" ? host_id : hostname);
      this.all.set(host_id, host);
    }
    return host;
  }

  addScrape({ host: host_id, hostname, up, latency_ms, error }: Scrape): void {
    const host = this.get({ host_id, hostname });
    host.latency_ms = latency_ms;
    if (!up) host.downReason = error ?? "no answer";
  }

  /** Where the frame has several hosts, a process says whose it is, or the GPU it uses does. */
  addProcesses(processes: readonly Process[]): void {
    const [only] = this.all.size === 1 ? this.all.values() : [];
    const ownerOf = new Map<string, Host>();
    for (const host of this.all.values()) for (const { uuid } of host.gpus) ownerOf.set(uuid, host);
    for (const process of processes) {
      const named = typeof process.host_id === "string" ? this.all.get(process.host_id) : undefined;
      (named ?? only ?? ownerOf.get(process.device_uuid))?.processes.push(process);
    }
  }

  /** Devices by their numbers: other writers' frames have them in another order each time. */
  orderGpus(): void {
    for (const { gpus } of this.all.values()) {
      const numbers = new Map(gpus.map((gpu) => [gpu, statedNumber(gpu)]));
      if ([...numbers.values()].includes(null)) continue;
      const numberOf = (gpu: Gpu) => numbers.get(gpu) ?? 0;
      gpus.sort((a, b) => compare(a.device_type, b.device_type) || numberOf(a) - numberOf(b));
    }
  }

  tellApart(): void {
    const names = new Map<string, number>();
    for (const { name } of this.all.values()) names.set(name, (names.get(name) ?? 0) + 1);
    for (const host of this.all.values()) if ((names.get(host.name) ?? 0) > 1) host.name = host.host_id;
  }
}

/** The hosts of a frame: in the order in which they are scraped, else in which they turn up. One at least. */
export function hostsOf(frame: Frame): Host[] {
  const hosts = new Hosts();
  for (const scrape of frame.scrapes ?? []) hosts.addScrape(scrape);
  for (const gpu of frame.gpus ?? []) hosts.get(gpu).gpus.push(gpu);
  for (const cpu of frame.cpus ?? []) hosts.get(cpu).cpus.push(cpu);
  for (const memory of frame.memory ?? []) hosts.get(memory).memory.push(memory);
  for (const chassis of frame.chassis ?? []) hosts.get(chassis).chassis.push(chassis);
  for (const storage of frame.storage ?? []) hosts.get(storage).storage.push(storage);
  if (hosts.all.size === 0) hosts.get({ host_id: frame.hostname, hostname: frame.hostname });
  hosts.addProcesses(frame.processes ?? []);
  hosts.orderGpus();
  hosts.tellApart();
  return [...hosts.all.values()];
}
