/** What the view needs of time, in ms; a test brings its own. */
export interface ViewClock {
  now(): number;
  /** Calls once, that long from now. Returns what prevents it. */
  after(delay_ms: number, call: () => void): () => void;
}

/** A timer takes no more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const processClock: ViewClock = {
  now: () => performance.now(),
  after(delay_ms, call) {
    const timer = setTimeout(call, Math.min(LONGEST_TIMER_MS, Math.max(0, delay_ms)));
    return () => clearTimeout(timer);
  },
};

/** Something that holds for a while and then is over. */
export class Lapse {
  readonly #clock: ViewClock;
  #end: (() => void) | null = null;

  constructor(clock: ViewClock) {
    this.#clock = clock;
  }

  get isOn(): boolean {
    return this.#end !== null;
  }

  /** From now on, for so long; `onOver` is called when it is over, unless it was begun again or stopped before. */
  begin(length_ms: number, onOver: () => void): void {
    this.stop();
    this.#end = this.#clock.after(length_ms, () => {
      this.#end = null;
      onOver();
    });
  }

  stop(): void {
    this.#end?.();
    this.#end = null;
  }
}
