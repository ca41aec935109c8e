import { hash, modulo, pick, salt, unit } from "./random.ts";

/**
 * Who uses which GPUs. Time is cut into rounds; a job starts and ends only in the first half minute of a round, so that
 * the incidents, which come later in the round, find it at full load.
 */
export const ROUND_S = 600;

/** A host's partition into groups of GPUs holds this many rounds; every length of a job divides it. */
const ERA_ROUNDS = 6;
const JOB_ROUNDS = [2, 3, 6] as const;
const END_OFFSET_S = 12;
const BEGIN_OFFSET_S = 20;

/** The process ids of jobs begin here; those of the system are below. */
export const JOBS_PIDS = 10_000;

export type JobKind = "training" | "finetuning" | "inference";

export interface Job {
  readonly id: number;
  readonly kind: JobKind;
  readonly user: string;
  readonly model: string;
  readonly firstGpu: number;
  readonly gpuCount: number;
  /** Of the host's groups of GPUs. */
  readonly group: number;
  readonly begin_s: number;
  readonly end_s: number;
  /** Utilization while nothing disturbs it, 0 to 1. */
  readonly ceiling: number;
  /** Share of the power between idle and limit that full utilization draws. */
  readonly intensity: number;
  /** Memory of each GPU once everything is loaded. */
  readonly gpuMemoryMiB: number;
  /** Memory of the host for each GPU. */
  readonly hostMemoryMiB: number;
}

const LAYOUT = salt("layout");
const OFFSET = salt("era offset");
const JOB = salt("job");
const TRAIT = salt("trait of a job");

const USERS = ["ana", "bjorn", "chidi", "dmitri", "eun-ji", "fatima"] as const;
const MODELS: Record<JobKind, readonly string[]> = {
  training: ["llama3-70b", "mixtral-8x22b", "dit-xl", "protein-3b"],
  finetuning: ["qwen2.5-32b", "llama3-8b", "whisper-large"],
  inference: ["llama3.1-70b", "qwen2.5-72b", "mistral-large"],
};
const INTENSITY: Record<JobKind, readonly [number, number]> = {
  training: [0.82, 0.97],
  finetuning: [0.68, 0.82],
  inference: [0.48, 0.64],
};

function kindOf(id: number): JobKind | null {
  const share = unit(id, TRAIT, 0);
  if (share < 0.12) return null;
  if (share < 0.7) return "training";
  return share < 0.87 ? "finetuning" : "inference";
}

const between = (id: number, trait: number, lowest: number, highest: number): number =>
  lowest + unit(id, TRAIT, trait) * (highest - lowest);

interface Place {
  readonly firstGpu: number;
  readonly gpuCount: number;
  readonly group: number;
}

function makeJob(id: number, kind: JobKind, place: Place, firstRound: number, rounds: number): Job {
  const [leastIntensity, mostIntensity] = INTENSITY[kind];
  return {
    id,
    kind,
    ...place,
    user: pick(USERS, hash(id, TRAIT, 1)),
    model: pick(MODELS[kind], hash(id, TRAIT, 2)),
    begin_s: firstRound * ROUND_S + BEGIN_OFFSET_S + Math.floor(between(id, 3, 0, 5)),
    end_s: (firstRound + rounds) * ROUND_S + END_OFFSET_S,
    ceiling: kind === "finetuning" ? between(id, 4, 0.84, 0.94) : between(id, 4, 0.96, 1),
    intensity: between(id, 5, leastIntensity, mostIntensity),
    gpuMemoryMiB: Math.floor(between(id, 6, 30_000, 79_000)),
    hostMemoryMiB: Math.floor(between(id, 7, 8_000, 40_000)),
  };
}

/** The jobs of every GPU at any time. */
export class JobSchedule {
  readonly #seed: number;
  readonly #gpus: number;
  /** Of each host the last even and the last odd round that was asked for. */
  readonly #rounds: { round: number; jobs: (Job | null)[] }[] = [];

  constructor(seed: number, gpus: number) {
    this.#seed = seed;
    this.#gpus = gpus;
  }

  /** The job that runs on the GPU at this moment. */
  at(host: number, gpu: number, t_s: number): Job | null {
    const roundNumber = Math.floor(t_s / ROUND_S);
    const job = this.inRound(host, gpu, roundNumber);
    if (job !== null && t_s >= job.begin_s) return job;
    const before = this.inRound(host, gpu, roundNumber - 1);
    return before !== null && t_s < before.end_s ? before : null;
  }

  /** The job that has the GPU from the first half minute of the round on. */
  inRound(host: number, gpu: number, roundNumber: number): Job | null {
    const at = host * 2 + modulo(roundNumber, 2);
    let known = this.#rounds[at];
    if (known?.round !== roundNumber) {
      known = { round: roundNumber, jobs: this.#assign(host, roundNumber) };
      this.#rounds[at] = known;
    }
    return known.jobs[gpu] ?? null;
  }

  #assign(host: number, roundNumber: number): (Job | null)[] {
    const shifted = roundNumber + (hash(this.#seed, OFFSET, host) % ERA_ROUNDS);
    const era = Math.floor(shifted / ERA_ROUNDS);
    const groups = Math.min(this.#gpus, pick([1, 1, 2, 4], hash(this.#seed, LAYOUT, host, era)));
    const jobs: (Job | null)[] = [];
    for (let group = 0; group < groups; group++) {
      const firstGpu = Math.floor((group * this.#gpus) / groups);
      const gpuCount = Math.floor(((group + 1) * this.#gpus) / groups) - firstGpu;
      const job = this.#jobOf(host, era, shifted, { firstGpu, gpuCount, group });
      for (let i = 0; i < gpuCount; i++) jobs.push(job);
    }
    return jobs;
  }

  #jobOf(host: number, era: number, shifted: number, place: Place): Job | null {
    const own = hash(this.#seed, JOB, host, era * 4 + place.group);
    const rounds = pick(JOB_ROUNDS, own);
    const number = Math.floor(modulo(shifted, ERA_ROUNDS) / rounds);
    const id = hash(own, JOB, number);
    // The first GPUs always train: the incidents that need a busy GPU find one on the smallest of clusters.
    const kind = host === 0 && place.group === 0 ? "training" : kindOf(id);
    if (kind === null) return null;
    const firstRound = era * ERA_ROUNDS + number * rounds - (hash(this.#seed, OFFSET, host) % ERA_ROUNDS);
    return makeJob(id, kind, place, firstRound, rounds);
  }
}
