import type { Cycle } from "../source.ts";

/** A healthy sensor answers well within this, and it fits into the shortest cycle. */
const PATIENCE_MS = 50;
/** Of longer cycles. */
const SHARE_OF_CYCLE = 1 / 16;

/** How long a cycle waits for sensors: on a busy machine they take longer, and who looks seldom can wait longer. */
export const patienceIn = ({ wait_ms }: Cycle): number => Math.max(PATIENCE_MS, wait_ms * SHARE_OF_CYCLE);

/** A value older than this beyond its pace is no longer shown: a gap tells more than a stale value. */
const STALE_MS = 5000;

/**
 * Something that may answer slowly, or never (sensors behind a hung bus, a dead disk): read at a pace of its own, one
 * read at a time, so that nobody waits for it longer than they want to.
 */
export class Paced<T> {
  readonly #every_ms: number;
  readonly #read: (now_ms: number) => Promise<T | null>;
  #pending = false;
  #begun_ms = Number.NEGATIVE_INFINITY;
  #value: T | null = null;
  #valueFrom_ms = Number.NEGATIVE_INFINITY;

  constructor(every_ms: number, read: (now_ms: number) => Promise<T | null>) {
    this.#every_ms = every_ms;
    this.#read = read;
  }

  /** What was read last, which is `null` while an answer is too long in coming. */
  async latest(now_ms: number, patience_ms = PATIENCE_MS): Promise<T | null> {
    const isDue = !this.#pending && now_ms - this.#begun_ms >= this.#every_ms;
    if (isDue) await withPatience(this.#refresh(now_ms), patience_ms);
    return now_ms - this.#valueFrom_ms <= this.#every_ms + STALE_MS ? this.#value : null;
  }

  /** The read under way should have answered long ago. */
  isHung(now_ms: number): boolean {
    return this.#pending && now_ms - this.#begun_ms > STALE_MS;
  }

  async #refresh(now_ms: number): Promise<void> {
    this.#pending = true;
    this.#begun_ms = now_ms;
    try {
      this.#value = await this.#read(now_ms);
      this.#valueFrom_ms = now_ms;
    } finally {
      this.#pending = false;
    }
  }
}

async function withPatience(work: Promise<void>, patience_ms: number): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, patience_ms);
  try {
    await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
