import type { Frame } from "./frame.ts";
import type { Gpu } from "./schema.ts";

/**
 * The numbers of a frame that a history is drawn from. Each series has a key; a scope is a `host_id`, or {@link ALL}
 * for everything in the frame.
 */

/** The scope of all hosts together. */
export const ALL = "";

/**
 * Of a scope: mean utilization of the GPUs (%), GPU memory in use (bytes), GPU power (W), temperature of the hottest
 * GPU (°C), CPU utilization (%), memory in use (%); and, over all hosts, the lowest and highest of the hosts' GPU means.
 */
const MEASURES = [
  "gpu_utilization",
  "gpu_memory",
  "gpu_power",
  "hottest",
  "cpu_utilization",
  "memory_utilization",
  "lowest_host",
  "highest_host",
] as const;

export type Measure = (typeof MEASURES)[number];

export const measureKey = (scope: string, measure: Measure): string => `${measure}@${scope}`;

/** The series of one GPU's utilization, %. A device's place in a frame is not stable; its uuid on its host is. */
export const gpuKey = ({ host_id, uuid }: Pick<Gpu, "host_id" | "uuid">): string => `gpu ${uuid}@${host_id}`;

class Scope {
  utilization = 0;
  utilizations = 0;
  memory = 0;
  memories = 0;
  power = 0;
  powers = 0;
  hottest = Number.NEGATIVE_INFINITY;
  cpu = 0;
  cpus = 0;
  ram = 0;
  rams = 0;

  addGpu({ utilization, used_memory, power_consumption, temperature }: Gpu): void {
    if (utilization !== null) {
      this.utilization += utilization;
      this.utilizations++;
    }
    if (used_memory !== null) {
      this.memory += used_memory;
      this.memories++;
    }
    if (power_consumption !== null) {
      this.power += power_consumption;
      this.powers++;
    }
    if (temperature !== null && temperature > this.hottest) this.hottest = temperature;
  }

  put(scope: string, put: (key: string, value: number) => void): void {
    const known = (measure: Measure, count: number, value: number) => {
      if (count > 0) put(measureKey(scope, measure), value);
    };
    known("gpu_utilization", this.utilizations, this.utilization / this.utilizations);
    known("gpu_memory", this.memories, this.memory);
    known("gpu_power", this.powers, this.power);
    known("hottest", Number.isFinite(this.hottest) ? 1 : 0, this.hottest);
    known("cpu_utilization", this.cpus, this.cpu / this.cpus);
    known("memory_utilization", this.rams, this.ram / this.rams);
  }
}

/** Every point of a frame; what is unknown has none. A frame of one host has the scope of that host and {@link ALL}. */
export function eachPoint(frame: Frame, put: (key: string, value: number) => void): void {
  const all = new Scope();
  const hosts = new Map<string, Scope>();
  const scopes = (host_id: string): readonly [Scope, Scope] => {
    let host = hosts.get(host_id);
    if (host === undefined) {
      host = new Scope();
      hosts.set(host_id, host);
    }
    return [all, host];
  };
  for (const gpu of frame.gpus ?? []) {
    for (const scope of scopes(gpu.host_id)) scope.addGpu(gpu);
    if (gpu.utilization !== null) put(gpuKey(gpu), gpu.utilization);
  }
  for (const { host_id, utilization } of frame.cpus ?? []) {
    if (utilization === null) continue;
    for (const scope of scopes(host_id)) {
      scope.cpu += utilization;
      scope.cpus++;
    }
  }
  for (const { host_id, utilization } of frame.memory ?? []) {
    if (utilization === null) continue;
    for (const scope of scopes(host_id)) {
      scope.ram += utilization;
      scope.rams++;
    }
  }
  all.put(ALL, put);
  for (const [host_id, scope] of hosts) scope.put(host_id, put);
  putHostRange(hosts, put);
}

function putHostRange(hosts: ReadonlyMap<string, Scope>, put: (key: string, value: number) => void): void {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const { utilization, utilizations } of hosts.values()) {
    if (utilizations === 0) continue;
    lowest = Math.min(lowest, utilization / utilizations);
    highest = Math.max(highest, utilization / utilizations);
  }
  if (lowest > highest) return;
  put(measureKey(ALL, "lowest_host"), lowest);
  put(measureKey(ALL, "highest_host"), highest);
}
