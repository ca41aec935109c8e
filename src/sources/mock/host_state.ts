import type { HostIdentity } from "../source.ts";
import type { GpuModel, GpuState } from "./gpu_state.ts";
import { clamp, hash, noise, salt } from "./random.ts";

/** Everything about one host at one moment that more than one section needs. */
export interface HostState {
  /** Counted from 0. */
  readonly host: number;
  readonly seed: number;
  readonly identity: HostIdentity;
  readonly t_s: number;
  /** As the cycle gives it. */
  readonly time: string;
  readonly boot_s: number;
  readonly gpus: readonly GpuState[];
  /** Hardware threads. */
  readonly threads: number;
  /** Of all threads, percent. */
  readonly cpuUtilization: number;
}

/** A host runs this long, then starts anew. */
const UPTIME_S = 9 * 86_400;
/** Threads that feed a fully used GPU. */
const FEEDING_THREADS = 6;

const BOOT = salt("boot");
const BACKGROUND = salt("background load");

function bootOf(seed: number, host: number, t_s: number): number {
  const phase = hash(seed, BOOT, host) % UPTIME_S;
  return Math.floor((t_s - phase) / UPTIME_S) * UPTIME_S + phase;
}

export const sumOf = <T>(things: readonly T[], value: (thing: T) => number): number =>
  things.reduce((sum, thing) => sum + value(thing), 0);

export interface Place {
  readonly seed: number;
  readonly host: number;
  readonly identity: HostIdentity;
  readonly threads: number;
  readonly gpus: number;
}

export function hostStateAt(place: Place, model: GpuModel, t_s: number, time: string): HostState {
  const { seed, host, identity, threads } = place;
  const gpus = Array.from({ length: place.gpus }, (_, gpu) => model.at(host, gpu, t_s));
  const background = 1 + 3 * noise(seed, BACKGROUND, host, t_s, 20);
  const feeding = (sumOf(gpus, (gpu) => gpu.utilization) * FEEDING_THREADS * 100) / threads;
  const jitter = 0.85 + 0.3 * noise(seed, BACKGROUND, host + 1e6, t_s, 4);
  const cpuUtilization = clamp(background + feeding * jitter, 0, 97);
  return { host, seed, identity, t_s, time, boot_s: bootOf(seed, host, t_s), gpus, threads, cpuUtilization };
}
