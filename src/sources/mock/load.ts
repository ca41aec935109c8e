import { SLOT_S } from "./incidents.ts";
import { type Job, ROUND_S } from "./jobs.ts";
import { clamp, hash, modulo, noise, salt, unit } from "./random.ts";

const LOADER_STALL = salt("data loader stall");
const CHECKPOINT = salt("checkpoint");
const JITTER = salt("utilization jitter");
const WARM_UP = salt("warm-up");
const TRAFFIC = salt("traffic");

const CONTEXT_MIB = 525;
const CONTEXT_AFTER_S = 3;
const LOADING_AFTER_S = 8;
const LOADED_AFTER_S = 30;
const STALL_BIN_S = 6;

/** Nothing steady goes below it: a fall to nothing is left to the incidents. */
const LOWEST_BUSY = 0.12;

/** Checkpoints are written early in odd slots: an incident that needs a busy GPU, in an even one, is a minute away. */
function isCheckpoint(job: Job, t_s: number): boolean {
  const inRound = modulo(t_s, ROUND_S);
  const slot = Math.floor(inRound / SLOT_S);
  const every = 2 + (hash(job.id, CHECKPOINT) % 2) * 2;
  if (slot % every !== 1) return false;
  const duration_s = 9 + (hash(job.id, CHECKPOINT, 1) % 6);
  return inRound - slot * SLOT_S < duration_s;
}

function isStalled(job: Job, t_s: number): boolean {
  const share = job.kind === "finetuning" ? 0.06 : 0.025;
  return unit(job.id, LOADER_STALL, Math.floor(t_s / STALL_BIN_S)) < share;
}

function stepping(job: Job, gpu: number, t_s: number): number {
  if (isCheckpoint(job, t_s)) return 0.3 + 0.12 * noise(job.id, JITTER, gpu, t_s, 2);
  const steady = job.ceiling - 0.05 * noise(job.id, JITTER, gpu, t_s, 2);
  return isStalled(job, t_s) ? steady * 0.62 : steady;
}

function serving(job: Job, gpu: number, t_s: number): number {
  const demand = noise(job.id, TRAFFIC, 0, t_s, 45);
  return LOWEST_BUSY + 0.08 + 0.6 * demand + 0.1 * noise(job.id, JITTER, gpu, t_s, 2);
}

/** How busy the job keeps one of its GPUs, 0 to 1. */
export function utilizationOf(job: Job, gpu: number, t_s: number): number {
  const age_s = t_s - job.begin_s;
  if (age_s < LOADING_AFTER_S) return 0.01;
  if (age_s < LOADED_AFTER_S) return LOWEST_BUSY + 0.2 * noise(job.id, WARM_UP, gpu, t_s, 3);
  return clamp(job.kind === "inference" ? serving(job, gpu, t_s) : stepping(job, gpu, t_s), LOWEST_BUSY, 1);
}

/** How much of what it will need the job has loaded, 0 to 1, in steps as the shards of a model come in. */
export function loadedShare(job: Job, t_s: number): number {
  const age_s = t_s - job.begin_s;
  if (age_s < LOADING_AFTER_S) return 0;
  if (age_s < LOADED_AFTER_S) return Math.floor((age_s - LOADING_AFTER_S) / 4) * 0.15;
  // What the allocator keeps grows for a while, in steps.
  return 0.94 + 0.01 * Math.min(6, Math.floor((age_s - LOADED_AFTER_S) / 45));
}

/** Memory of one GPU in use, whole MiB. */
export function gpuMemoryMiB(job: Job, gpu: number, t_s: number): number {
  const age_s = t_s - job.begin_s;
  if (age_s < CONTEXT_AFTER_S) return 0;
  const uneven = 1 + 0.01 * unit(job.id, JITTER, gpu);
  return CONTEXT_MIB + Math.floor(job.gpuMemoryMiB * uneven * loadedShare(job, t_s));
}
