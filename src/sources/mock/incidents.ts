import { type JobSchedule, ROUND_S } from "./jobs.ts";
import { hash, modulo, salt, shuffled } from "./random.ts";

/**
 * What goes wrong, and when. The schedule is tied to the wall clock: every round of 10 minutes is cut into 8 slots of
 * 75 s, and each slot holds one incident somewhere in the cluster, which begins and ends in it. Over a round each kind
 * comes once, in another order each time, so that any 3 minutes of recording show a few. With one host the slot of
 * `host_lost` goes to a second `gpu_lost`; without GPUs only `host_lost` and `reader_error` remain.
 */
export const SLOT_S = 75;

export type IncidentKind =
  | "overheating"
  | "cliff"
  | "power_limit"
  | "gpu_lost"
  | "ecc"
  | "link"
  | "host_lost"
  | "reader_error";

export interface Incident {
  readonly kind: IncidentKind;
  readonly host: number;
  /** `null` where the whole host is meant. */
  readonly gpu: number | null;
  readonly begin_s: number;
  readonly end_s: number;
  /** Differs from incident to incident. */
  readonly id: number;
}

/** These need a GPU that has been busy for a minute. */
const NEEDS_LOAD: readonly IncidentKind[] = ["overheating", "cliff", "power_limit"];
const ANY_TIME: readonly IncidentKind[] = ["gpu_lost", "ecc", "link", "host_lost", "reader_error"];
/** Jobs are loaded, and their checkpoints a minute past, when these slots begin. */
const LOADED_SLOTS = [2, 4, 6] as const;
const OTHER_SLOTS = [0, 1, 3, 5, 7] as const;

const DURATION_S: Record<IncidentKind, number> = {
  overheating: 62,
  cliff: 55,
  power_limit: 48,
  gpu_lost: 50,
  ecc: 30,
  link: 36,
  host_lost: 44,
  reader_error: 24,
};

const ORDER = salt("order of kinds");
const TURN = salt("turn of GPUs");
const INCIDENT = salt("incident");

export class IncidentSchedule {
  readonly #seed: number;
  readonly #hosts: number;
  readonly #gpus: number;
  readonly #jobs: JobSchedule;
  /** The order in which the GPUs of the cluster have their turn at ECC and link errors, and its inverse. */
  readonly #turnOrder: number[];
  readonly #positions: number[] = [];
  /** How far into that order a kind begins. */
  readonly #offsets: { readonly ecc: number; readonly link: number };
  /** The last even and the last odd slot that was asked for. */
  readonly #slots: { slot: number; incident: Incident | null }[] = [];

  constructor(seed: number, hosts: number, gpus: number, jobs: JobSchedule) {
    this.#seed = seed;
    this.#hosts = hosts;
    this.#gpus = gpus;
    this.#jobs = jobs;
    this.#turnOrder = shuffled(hosts * gpus, seed, TURN);
    const offset = (id: number) => hash(seed, TURN, id) % Math.max(1, hosts * gpus);
    this.#offsets = { ecc: offset(0), link: offset(1) };
    this.#turnOrder.forEach((gpu, position) => {
      this.#positions[gpu] = position;
    });
  }

  /** What is wrong at this moment. */
  at(t_s: number): Incident | null {
    const incident = this.inSlot(Math.floor(t_s / SLOT_S));
    return incident !== null && t_s >= incident.begin_s && t_s < incident.end_s ? incident : null;
  }

  /** What is wrong with this GPU at this moment. */
  of(host: number, gpu: number, t_s: number): Incident | null {
    const incident = this.at(t_s);
    return incident !== null && incident.host === host && incident.gpu === gpu ? incident : null;
  }

  inSlot(slot: number): Incident | null {
    const at = modulo(slot, 2);
    let known = this.#slots[at];
    if (known?.slot !== slot) {
      known = { slot, incident: this.#plan(slot) };
      this.#slots[at] = known;
    }
    return known.incident;
  }

  /**
   * How often this GPU had its turn at the kind up to now, from some fixed moment on; only differences mean anything.
   * The turns go round the cluster, one a round, so they can be counted without going through them.
   */
  turns(kind: "ecc" | "link", host: number, gpu: number, t_s: number): number {
    const roundNumber = Math.floor(t_s / ROUND_S);
    const total = this.#turnOrder.length;
    const position = this.#positions[host * this.#gpus + gpu] ?? 0;
    const phase = roundNumber + this.#offsets[kind] - position;
    const isToCome = modulo(phase, total) === 0 && t_s < this.#begin(roundNumber, this.#slotOf(roundNumber, kind));
    return Math.floor(phase / total) - (isToCome ? 1 : 0);
  }

  #plan(slot: number): Incident | null {
    const roundNumber = Math.floor(slot / (ROUND_S / SLOT_S));
    const inRound = modulo(slot, ROUND_S / SLOT_S);
    const planned = this.#kinds(roundNumber)[inRound] as IncidentKind;
    const kind = planned === "host_lost" && this.#hosts === 1 ? "gpu_lost" : planned;
    const id = hash(this.#seed, INCIDENT, slot);
    const begin_s = this.#begin(roundNumber, inRound);
    const when = { kind, id, begin_s, end_s: begin_s + DURATION_S[kind] };
    if (kind === "host_lost" || kind === "reader_error") return { ...when, host: id % this.#hosts, gpu: null };
    const target = this.#target(kind, slot, roundNumber, id);
    return target === null ? null : { ...when, host: Math.floor(target / this.#gpus), gpu: target % this.#gpus };
  }

  #target(
    kind: Exclude<IncidentKind, "host_lost" | "reader_error">,
    slot: number,
    roundNumber: number,
    id: number,
  ): number | null {
    const total = this.#turnOrder.length;
    if (total === 0) return null;
    if (kind === "gpu_lost") return id % total;
    if (kind === "ecc" || kind === "link") {
      return this.#turnOrder[modulo(roundNumber + this.#offsets[kind], total)] as number;
    }
    return this.#trainingGpu(roundNumber, id, this.inSlot(slot - 1));
  }

  /** One that has not just been the target of another incident, if there is such a one. */
  #trainingGpu(roundNumber: number, id: number, before: Incident | null): number | null {
    const total = this.#turnOrder.length;
    let last: number | null = null;
    for (let i = 0; i < total; i++) {
      const target = this.#turnOrder[(id + i) % total] as number;
      const [host, gpu] = [Math.floor(target / this.#gpus), target % this.#gpus];
      if (this.#jobs.inRound(host, gpu, roundNumber)?.kind !== "training") continue;
      if (before === null || before.host !== host || (before.gpu !== null && before.gpu !== gpu)) return target;
      last = target;
    }
    return last;
  }

  #kinds(roundNumber: number): IncidentKind[] {
    const kinds: IncidentKind[] = [];
    const loaded = shuffled(NEEDS_LOAD.length, this.#seed, ORDER, roundNumber * 2);
    const others = shuffled(ANY_TIME.length, this.#seed, ORDER, roundNumber * 2 + 1);
    LOADED_SLOTS.forEach((slot, i) => {
      kinds[slot] = NEEDS_LOAD[loaded[i] as number] as IncidentKind;
    });
    OTHER_SLOTS.forEach((slot, i) => {
      kinds[slot] = ANY_TIME[others[i] as number] as IncidentKind;
    });
    return kinds;
  }

  #slotOf(roundNumber: number, kind: IncidentKind): number {
    return this.#kinds(roundNumber).indexOf(kind);
  }

  #begin(roundNumber: number, slotInRound: number): number {
    const slot = roundNumber * (ROUND_S / SLOT_S) + slotInRound;
    return slot * SLOT_S + 5 + (hash(this.#seed, INCIDENT, slot, 1) % 6);
  }
}
