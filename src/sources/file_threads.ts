import { availableParallelism } from "node:os";

/**
 * Threads of the runtime's pool, which reads and writes files, compresses and looks up names: one a CPU, and two at
 * least, unless the environment says another number (the launcher does).
 */
function poolThreads(): number {
  const { UV_THREADPOOL_SIZE, GOMAXPROCS } = process.env;
  const given = [UV_THREADPOOL_SIZE, GOMAXPROCS].find((text) => /^\d{1,4}$/.test(text ?? ""));
  return Math.max(2, given === undefined ? availableParallelism() : Number(given));
}

/** What is never taken by reads of sources: the recording is written there, too. */
const KEPT_SHARE = 1 / 4;

const THREADS = poolThreads();
const MOST = THREADS - Math.ceil(THREADS * KEPT_SHARE);

/** Healthy reads take no more threads than this: each that is begun stays. */
const AT_ONCE = 8;

/** What takes longer may hang: another one may begin beside it. */
const HEALTHY_MS = 100;

/** What takes longer hangs: nobody waits behind it. */
const HANGS_MS = 1000;

/** Sensors behind a slow bus take a second. */
const PATIENCE_MS = 2000;

/** `late`: begun, and not done in time. `blocked`: not begun, as others hang. */
export type Unread = "late" | "blocked";

interface Read {
  readonly device: string;
  /** Never rejects. */
  readonly work: () => Promise<void>;
  /** `null`: somebody waits as long as it takes, or nobody waits any more. */
  giveUp: ((why: Unread) => void) | null;
  readonly asked_ms: number;
  /** `null`: it waits. */
  begun_ms: number | null;
  isHealthy: boolean;
}

/**
 * Whatever reads from devices and file systems that may hang for ever (a dead disk, a card whose firmware does not
 * answer, a process that is frozen) holds one thread of the pool until they answer. All sources share this limit, so that
 * they never take the last threads; and of one device one read is under way at a time.
 */
export class FileThreads {
  /** So many reads may be under way, those that hang among them. */
  most: number;
  /** What is asked of each device, in this order: the first is under way, or waits for a thread. */
  readonly #devices = new Map<string, Read[]>();
  /** Waiting for a thread, and for nothing else. */
  readonly #ready: Read[] = [];
  readonly #underWay = new Set<Read>();
  #healthy = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(most = MOST) {
    this.most = most;
  }

  /** So many hang that nothing more is read until one of them answers. */
  get isStuck(): boolean {
    return this.#underWay.size >= this.most && this.#healthy === 0;
  }

  /**
   * Does it when a thread is free, and waits as long as it takes. `device` names what does not answer when this hangs.
   * Rejects as `work` does. `blocked`, and not done, where it would wait for one that hangs.
   */
  run<T extends object>(device: string, work: () => Promise<T>): Promise<T | "blocked"> {
    return new Promise((resolve, reject) => {
      if (this.#hangs(device)) resolve("blocked");
      else this.#ask(device, () => work().then(resolve, reject), null);
    });
  }

  /** As {@link run}, but two seconds are long enough; what comes later is lost. */
  runPatiently<T extends object>(device: string, work: () => Promise<T>): Promise<T | Unread> {
    return new Promise((resolve, reject) => {
      if (this.isStuck || this.#hangs(device)) resolve("blocked");
      else this.#ask(device, () => work().then(resolve, reject), resolve);
    });
  }

  #hangs(device: string): boolean {
    const first = this.#devices.get(device)?.[0];
    return first !== undefined && first.begun_ms !== null && performance.now() - first.begun_ms > HANGS_MS;
  }

  #ask(device: string, work: Read["work"], giveUp: Read["giveUp"]): void {
    const read: Read = { device, work, giveUp, asked_ms: performance.now(), begun_ms: null, isHealthy: true };
    const queue = this.#devices.get(device);
    if (queue === undefined) {
      this.#devices.set(device, [read]);
      this.#ready.push(read);
      this.#begin();
    } else queue.push(read);
    this.#timer ??= setTimeout(() => this.#look(), HEALTHY_MS);
  }

  #begin(): void {
    while (this.#underWay.size < this.most && this.#healthy < AT_ONCE) {
      const read = this.#ready.shift();
      if (read === undefined) return;
      read.begun_ms = performance.now();
      this.#underWay.add(read);
      this.#healthy++;
      void read.work().then(() => this.#end(read));
    }
  }

  #end(read: Read): void {
    this.#underWay.delete(read);
    if (read.isHealthy) this.#healthy--;
    read.isHealthy = false;
    this.#leave(read);
    this.#begin();
  }

  /** It is no longer asked for, and may have been the first of its device. */
  #leave(read: Read): void {
    const queue = this.#devices.get(read.device) ?? [];
    const at = queue.indexOf(read);
    queue.splice(at, 1);
    const [next] = queue;
    if (next === undefined) this.#devices.delete(read.device);
    else if (at === 0) this.#ready.push(next);
  }

  /** Which hang by now: they make room for others, and nobody waits for them any more. */
  #look(): void {
    const now_ms = performance.now();
    for (const read of this.#underWay) {
      if (!read.isHealthy || now_ms - (read.begun_ms ?? now_ms) <= HEALTHY_MS) continue;
      read.isHealthy = false;
      this.#healthy--;
    }
    const all = [...this.#devices.values()].flat();
    for (const read of all) if (now_ms - read.asked_ms > PATIENCE_MS) this.#giveUp(read);
    this.#begin();
    const isWatched = all.some((read) => read.giveUp !== null || read.isHealthy);
    this.#timer = isWatched ? setTimeout(() => this.#look(), HEALTHY_MS) : null;
  }

  /** One that is under way holds its thread all the same. */
  #giveUp(read: Read): void {
    if (read.giveUp === null) return;
    read.giveUp(read.begun_ms === null ? "blocked" : "late");
    read.giveUp = null;
    if (read.begun_ms !== null) return;
    const at = this.#ready.indexOf(read);
    if (at >= 0) this.#ready.splice(at, 1);
    this.#leave(read);
  }
}

/** What all sources of this program share. */
export const fileThreads = new FileThreads();
