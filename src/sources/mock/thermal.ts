const STEP_S = 4;
/** Beyond 64 s a time constant of 16 s leaves less than 2 %. */
const STEPS = 17;
const DECAY = Math.exp(-STEP_S / 16);
const WEIGHTS = Array.from({ length: STEPS }, (_, i) => DECAY ** i);
const WEIGHT_SUM = WEIGHTS.reduce((sum, weight) => sum + weight, 0);
/** The window of this step and that of the one before. */
const KEPT = STEPS + 1;

/**
 * Power as a heat sink sees it: an average over the last minute that forgets exponentially. It is taken on a fixed grid
 * of time, so that its value depends on no earlier call; the samples are kept only because the next call needs most of
 * them again.
 */
export class PowerHistory {
  readonly #power: (id: number, t_s: number) => number;
  readonly #samples: Float64Array;
  /** The step up to which the samples of a GPU are there. */
  readonly #filled: Float64Array;

  constructor(count: number, power: (id: number, t_s: number) => number) {
    this.#power = power;
    this.#samples = new Float64Array(count * KEPT);
    this.#filled = new Float64Array(count).fill(Number.NaN);
  }

  /** Watts. */
  recent(id: number, t_s: number): number {
    const step = Math.floor(t_s / STEP_S);
    this.#fill(id, step);
    const before = this.#average(id, step - 1);
    return before + (this.#average(id, step) - before) * (t_s / STEP_S - step);
  }

  #fill(id: number, step: number): void {
    const filled = this.#filled[id] as number;
    if (filled === step) return;
    const follows = step > filled && step - filled < KEPT;
    for (let missing = follows ? filled + 1 : step - KEPT + 1; missing <= step; missing++) {
      this.#samples[id * KEPT + place(missing)] = this.#power(id, missing * STEP_S);
    }
    this.#filled[id] = step;
  }

  #average(id: number, step: number): number {
    let sum = 0;
    for (let i = 0; i < STEPS; i++) {
      sum += (WEIGHTS[i] as number) * (this.#samples[id * KEPT + place(step - i)] as number);
    }
    return sum / WEIGHT_SUM;
  }
}

/** Where in the ring of a GPU a step has its sample. */
const place = (step: number): number => ((step % KEPT) + KEPT) % KEPT;
