import type { Clock } from "../clock.ts";
import { decodeLine } from "../frame/decode.ts";
import type { Frame } from "../frame/frame.ts";
import { RingStore } from "../recording/ring_store.ts";
import type { CycleHealth } from "./health.ts";
import { ServedCycle } from "./served_cycle.ts";

/** What is still there for those that come back. Small blocks: each client that catches up holds one, decoded. */
const RING_LIMITS = { frames: 16, textBytes: 512 << 10 };
const HELD_BYTES = 8 << 20;

/** So many of the last cycles are kept as they are served. */
export const BACKLOG = 16;

/** Frames are current for two intervals, but below a second it is the machine's other work that decides. */
const SHORTEST_CURRENT_MS = 1000;

export interface FeedOptions {
  readonly interval_ms: number;
  readonly clock: Clock;
  /** Of older frames, encoded, for clients that come back. */
  readonly heldBytes?: number;
}

/** The cycles of a sampler, for everybody who is served: the current one, and those before it. They are counted from 0. */
export class Feed {
  /** Tells this feed's numbers from those of one before it. */
  readonly run: string;
  readonly #options: FeedOptions;
  readonly #ring: RingStore;
  #recent: ServedCycle[] = [];
  #taken_ms = 0;
  #frames = 0;
  #next = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#ring = new RingStore({ ...RING_LIMITS, heldBytes: options.heldBytes ?? HELD_BYTES });
    this.run = String(Math.round(options.clock.wall()));
  }

  get interval_ms(): number {
    return this.#options.interval_ms;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many cycles there were: the number of the next one. */
  get count(): number {
    return this.#frames;
  }

  /** The number of the oldest frame that is still there. */
  get oldest(): number {
    return this.#ring.blocks[0]?.first_ordinal ?? this.#frames;
  }

  take(frame: Frame, health: CycleHealth): void {
    this.#ring.push(frame);
    this.#recent = [...this.#recent.slice(1 - BACKLOG), new ServedCycle(frame, health)];
    this.#taken_ms = this.#options.clock.boottime();
    this.#frames++;
    this.#wake();
  }

  /** Since the last cycle was over; `null` before the first. */
  get age_ms(): number | null {
    return this.#frames === 0 ? null : this.#options.clock.boottime() - this.#taken_ms;
  }

  /** The last cycle; `null` before the first, and where it is older than two intervals. */
  get current(): ServedCycle | null {
    const longest_ms = Math.max(2 * this.#options.interval_ms, SHORTEST_CURRENT_MS);
    return (this.age_ms ?? Number.POSITIVE_INFINITY) <= longest_ms ? (this.#recent.at(-1) ?? null) : null;
  }

  /** One of the last cycles by its number; `null` where it is none of them. */
  recent(number: number): ServedCycle | null {
    return this.#recent[number - this.#frames + this.#recent.length] ?? null;
  }

  /** Older frames from that number on, up to the end of the stretch that is held together. */
  async past(number: number): Promise<Frame[]> {
    const block = this.#ring.blocks.find((one) => number < one.first_ordinal + one.frames);
    if (block === undefined) return [];
    const lines = (await this.#ring.load(block)).toString().split("\n");
    return lines.slice(Math.max(0, number - block.first_ordinal), block.frames).flatMap((line) => {
      const decoded = decodeLine(line);
      return decoded.kind === "frame" ? [decoded.frame] : [];
    });
  }

  /** Resolves with the next cycle, or when the feed is closed. */
  next(): Promise<void> {
    return this.#next.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
    this.#ring.close();
  }

  #wake(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
    if (this.#isClosed) this.#next.resolve();
  }
}
