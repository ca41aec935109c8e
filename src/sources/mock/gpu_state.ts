import type { Incident, IncidentSchedule } from "./incidents.ts";
import type { Job, JobSchedule } from "./jobs.ts";
import { gpuMemoryMiB, utilizationOf } from "./load.ts";
import { clamp, noise, salt, unit } from "./random.ts";
import { PowerHistory } from "./thermal.ts";

/** The state of one GPU at one moment, before any reader rounds it. */
export interface GpuState {
  readonly gpu: number;
  readonly job: Job | null;
  readonly incident: Incident | null;
  /** Since when nothing can be read from it. */
  readonly lostSince_s: number | null;
  /** 0 to 1. */
  readonly utilization: number;
  readonly memoryMiB: number;
  readonly power_w: number;
  readonly temperature_c: number;
  readonly memoryTemperature_c: number;
  readonly clock_mhz: number;
  readonly throttle: "thermal" | "power" | null;
}

/** Figures of an H100 80GB HBM3, as its nvidia-smi shows them. */
export const MAX_CLOCK_MHZ = 1980;
export const POWER_LIMIT_W = 700;
export const SLOWDOWN_C = 92;
const IDLE_CLOCK_MHZ = 345;
const CLOCK_STEP_MHZ = 15;
/** A context on the GPU keeps it out of its deepest idle state. */
const CONTEXT_W = 42;
const SWING_W = 560;

const IDLE = salt("idle power");
const HUM = salt("power noise");
const AMBIENT = salt("ambient");
const COOLING = salt("cooling");
const DIP = salt("clock dip");

const CLIFF_UTILIZATION = 0.01;
const HEAT_UP_S = 22;
const COOL_DOWN_S = 16;
/** Where an overheating GPU would end without throttling. */
const OVERHEATED_C = 98;
const SOFT_LIMIT_C = 90;
const SHUTDOWN_MARGIN_C = 94;

/** Rises to 1 at the beginning of an overheating, falls back to 0 at its end. */
function heat(incident: Incident | null, t_s: number): number {
  if (incident?.kind !== "overheating") return 0;
  return clamp(Math.min((t_s - incident.begin_s) / HEAT_UP_S, (incident.end_s - t_s) / COOL_DOWN_S), 0, 1);
}

/** How far the hardware slows down against heat, 0 to 1. */
const slowing = (temperature_c: number): number => clamp((temperature_c - SOFT_LIMIT_C + 0.5) / 4, 0, 1);

/** Load, power and heat of every GPU. Pure: what is remembered between calls only saves work. */
export class GpuModel {
  readonly #seed: number;
  readonly #gpus: number;
  readonly #jobs: JobSchedule;
  readonly #incidents: IncidentSchedule;
  readonly #history: PowerHistory;

  constructor(seed: number, hosts: number, gpus: number, jobs: JobSchedule, incidents: IncidentSchedule) {
    this.#seed = seed;
    this.#gpus = gpus;
    this.#jobs = jobs;
    this.#incidents = incidents;
    this.#history = new PowerHistory(hosts * gpus, (id, t_s) => this.#powerAt(id, t_s));
  }

  at(host: number, gpu: number, t_s: number): GpuState {
    const id = host * this.#gpus + gpu;
    const job = this.#jobs.at(host, gpu, t_s);
    const incident = this.#incidents.of(host, gpu, t_s);
    const demanded = demand(job, gpu, incident, t_s);
    const temperature_c = this.#temperature(id, heat(incident, t_s), t_s);
    const slow = slowing(temperature_c);
    const atLimit = incident?.kind === "power_limit";
    return {
      gpu,
      job,
      incident,
      lostSince_s: incident?.kind === "gpu_lost" ? incident.begin_s : null,
      utilization: demanded * (1 - 0.3 * slow),
      memoryMiB: job === null ? 0 : gpuMemoryMiB(job, gpu, t_s),
      power_w: this.#power(id, job, incident, demanded, t_s) * (1 - 0.35 * slow),
      temperature_c,
      memoryTemperature_c: 41 + (temperature_c - 33) * 0.55,
      clock_mhz: this.#clock(id, job, atLimit, slow, t_s),
      throttle: slow > 0 ? "thermal" : atLimit ? "power" : null,
    };
  }

  #powerAt(id: number, t_s: number): number {
    const gpu = id % this.#gpus;
    const host = Math.floor(id / this.#gpus);
    const job = this.#jobs.at(host, gpu, t_s);
    const incident = this.#incidents.of(host, gpu, t_s);
    return this.#power(id, job, incident, demand(job, gpu, incident, t_s), t_s);
  }

  #power(id: number, job: Job | null, incident: Incident | null, utilization: number, t_s: number): number {
    if (incident?.kind === "power_limit") return POWER_LIMIT_W + 0.05 + 1.2 * unit(this.#seed, HUM, id, t_s);
    const idle = 65 + 7 * unit(this.#seed, IDLE, id);
    if (job === null) return idle + noise(this.#seed, HUM, id, t_s, 3);
    const hum = 1 + 14 * utilization * noise(this.#seed, HUM, id, t_s, 3);
    return idle + CONTEXT_W + utilization * job.intensity * SWING_W + hum;
  }

  /** Follows the power of the last minute; cooling differs from place to place in the machine. */
  #temperature(id: number, heating: number, t_s: number): number {
    const recent_w = this.#history.recent(id, t_s);
    const ambient = 32 + 4 * unit(this.#seed, AMBIENT, id) + 1.5 * noise(this.#seed, AMBIENT, id, t_s, 420);
    const normal = ambient + recent_w * (0.045 + 0.008 * unit(this.#seed, COOLING, id));
    const heated = normal + heating * clamp(recent_w / 450, 0, 1) * (OVERHEATED_C - normal);
    const held = heated <= SOFT_LIMIT_C ? heated : SOFT_LIMIT_C + (heated - SOFT_LIMIT_C) * 0.45;
    return Math.min(held, SHUTDOWN_MARGIN_C);
  }

  #clock(id: number, job: Job | null, atLimit: boolean, slow: number, t_s: number): number {
    if (job === null) return IDLE_CLOCK_MHZ;
    const dip = noise(this.#seed, DIP, id, t_s, 4);
    const reduced = MAX_CLOCK_MHZ * (1 - 0.42 * slow) - (atLimit ? 90 + 210 * dip : 22 * dip);
    return Math.round(reduced / CLOCK_STEP_MHZ) * CLOCK_STEP_MHZ;
  }
}

function demand(job: Job | null, gpu: number, incident: Incident | null, t_s: number): number {
  if (job === null || incident?.kind === "gpu_lost") return 0;
  if (incident?.kind === "cliff") return CLIFF_UTILIZATION;
  if (incident?.kind === "power_limit" || incident?.kind === "overheating") return 1;
  return utilizationOf(job, gpu, t_s);
}
