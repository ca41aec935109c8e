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

interface Read {
  readonly device: string;
  readonly begin: () => Promise<void>;
  /** When it was begun; `null`: it waits. */
  begun_ms: number | null;
}

/** `late`: begun, and not done in time. `blocked`: not begun, as others hang. */
export type Unread = "late" | "blocked";

/**
 * Whatever reads from devices and file systems that may hang for ever (a dead disk, a card whose firmware does not
 * answer, a process that is frozen) holds one thread of the pool until they answer. All sources share this limit, so that
 * they never take the last threads; and of one device one read is under way at a time.
 */
export class FileThreads {
  /** So many reads may be under way, those that hang among them. */
  most: number;
  /** By device. */
  readonly #underWay = new Map<string, Read>();
  #waiting: Read[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(most = MOST) {
    this.most = most;
  }

  get hasRoom(): boolean {
    return this.#underWay.size < this.most;
  }

  /**
   * Does it when a thread is free, and waits for it no longer than `patience_ms` (`null`: as long as it takes); what
   * comes later is lost. `device` names what does not answer when this hangs. Rejects as `work` does.
   */
  async run<T extends object>(device: string, patience_ms: number | null, work: () => Promise<T>): Promise<T | Unread> {
    const before = this.#underWay.get(device);
    if (before !== undefined && ageOf(before) > HANGS_MS) return "blocked";
    const done = Promise.withResolvers<T | Unread>();
    const read: Read = { device, begun_ms: null, begin: () => work().then(done.resolve, done.reject) };
    const timer = patience_ms === null ? null : setTimeout(() => done.resolve(this.#giveUp(read)), patience_ms);
    this.#waiting.push(read);
    this.#begin();
    try {
      return await done.promise;
    } finally {
      if (timer !== null) clearTimeout(timer);
    }
  }

  #giveUp(read: Read): Unread {
    this.#waiting = this.#waiting.filter((one) => one !== read);
    return read.begun_ms === null ? "blocked" : "late";
  }

  /** Begins what may begin, in the order in which it came. */
  #begin(): void {
    if (this.#waiting.length === 0) return;
    let healthy = 0;
    for (const read of this.#underWay.values()) if (ageOf(read) <= HEALTHY_MS) healthy++;
    const hasBegun = (read: Read): boolean => {
      if (!this.hasRoom || healthy >= AT_ONCE || this.#underWay.has(read.device)) return false;
      healthy++;
      this.#start(read);
      return true;
    };
    this.#waiting = this.#waiting.filter((read) => !hasBegun(read));
    // What is under way may turn out to hang, which makes room.
    if (this.#waiting.length > 0 && healthy > 0) this.#timer ??= setTimeout(() => this.#beginAgain(), HEALTHY_MS);
  }

  #beginAgain(): void {
    this.#timer = null;
    this.#begin();
  }

  #start(read: Read): void {
    read.begun_ms = performance.now();
    this.#underWay.set(read.device, read);
    void read.begin().finally(() => {
      this.#underWay.delete(read.device);
      this.#begin();
    });
  }
}

const ageOf = ({ begun_ms }: Read): number => (begun_ms === null ? 0 : performance.now() - begun_ms);

/** What all sources of this program share. */
export const fileThreads = new FileThreads();
