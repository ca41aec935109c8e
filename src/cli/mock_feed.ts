import { ServedCycle } from "../api/served_cycle.ts";
import type { ServedFeed } from "../api/served_feed.ts";
import { type Clock, localTime } from "../clock.ts";
import type { Frame } from "../frame/frame.ts";
import type { MockMachine } from "../sources/mock/mock.ts";

const SECOND_MS = 1000;

/** The cycles of all nodes, which begin with each second of the wall clock as it was at the start; counted from 0. */
export class Seconds {
  readonly #clock: Clock;
  readonly #start_ms: number;
  /** When the first cycle began, by the wall clock. */
  readonly #first_ms: number;
  #next: Promise<void> | null = null;

  constructor(clock: Clock) {
    const now_ms = clock.wall();
    this.#clock = clock;
    this.#first_ms = Math.floor(now_ms / SECOND_MS) * SECOND_MS;
    this.#start_ms = clock.monotonic() - (now_ms - this.#first_ms);
  }

  /** The number of the cycle that it is now. */
  get number(): number {
    return Math.floor((this.#clock.monotonic() - this.#start_ms) / SECOND_MS);
  }

  beginning_ms(number: number): number {
    return this.#first_ms + number * SECOND_MS;
  }

  /** Resolves when the next cycle begins: one timer for all that wait. */
  next(): Promise<void> {
    this.#next ??= this.#clock.until(this.#start_ms + (this.number + 1) * SECOND_MS, NEVER).then(() => {
      this.#next = null;
    });
    return this.#next;
  }
}

const NEVER = new AbortController().signal;

/**
 * A node's cycles, which are made when somebody asks, once for all who do: nodes that nobody asks cost nothing. None is
 * kept but the last.
 */
export class MockFeed implements ServedFeed {
  readonly interval_ms = SECOND_MS;
  readonly age_ms = 0;
  readonly isClosed = false;
  readonly run: string;
  readonly #machine: MockMachine;
  readonly #seconds: Seconds;
  #last: { readonly number: number; readonly cycle: ServedCycle } | null = null;

  constructor(machine: MockMachine, seconds: Seconds) {
    this.#machine = machine;
    this.#seconds = seconds;
    this.run = String(seconds.beginning_ms(0));
  }

  get count(): number {
    return this.#seconds.number + 1;
  }

  get oldest(): number {
    return this.#seconds.number;
  }

  get current(): ServedCycle {
    const { number } = this.#seconds;
    if (this.#last?.number !== number) this.#last = { number, cycle: this.#make(number) };
    return this.#last.cycle;
  }

  recent(number: number): ServedCycle | null {
    return number === this.#seconds.number ? this.current : null;
  }

  past(): Promise<[]> {
    return Promise.resolve([]);
  }

  next(): Promise<void> {
    return this.#seconds.next();
  }

  #make(number: number): ServedCycle {
    const from_ms = performance.now();
    const t_ms = this.#seconds.beginning_ms(number);
    const reading = this.#machine.read({ t_ms, time: localTime(t_ms) });
    const frame: Frame = {
      ...{ t_ms, seq: number, elapsed_ms: number * SECOND_MS, source: "local", hostname: this.#machine.hostname },
      errors: [],
      ...reading,
    };
    const duration_ms = performance.now() - from_ms;
    return new ServedCycle(frame, {
      duration_ms,
      sources: [{ name: "mock", duration_ms, isComplete: !reading.errors }],
    });
  }
}
