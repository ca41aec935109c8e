import type { Frame } from "./frame.ts";

/** Minimum, mean and maximum over all devices and frames. */
export type Range = readonly [minimum: number, mean: number, maximum: number];

/** The curves that a timeline draws without decoding the frames. */
export const CURVES = [
  "gpu_utilization",
  "gpu_memory",
  "gpu_temperature",
  "gpu_power",
  "cpu_utilization",
  "memory_utilization",
] as const;

export type Curve = (typeof CURVES)[number];
export type Curves = { [C in Curve]?: Range };

const share = (used: number | null, total: number | null): number | null =>
  used !== null && total !== null && total > 0 ? (used / total) * 100 : null;

/** Every known value of a frame under each curve: percent (`gpu_memory`: of the total), °C, W. */
export function eachValue(frame: Frame, take: (curve: Curve, value: number) => void): void {
  const add = (curve: Curve, value: number | null) => {
    if (value !== null) take(curve, value);
  };
  for (const gpu of frame.gpus ?? []) {
    add("gpu_utilization", gpu.utilization);
    add("gpu_memory", share(gpu.used_memory, gpu.total_memory));
    add("gpu_temperature", gpu.temperature);
    add("gpu_power", gpu.power_consumption);
  }
  for (const cpu of frame.cpus ?? []) add("cpu_utilization", cpu.utilization);
  for (const memory of frame.memory ?? []) add("memory_utilization", memory.utilization);
}

class Spread {
  #lowest = Number.POSITIVE_INFINITY;
  #highest = Number.NEGATIVE_INFINITY;
  #sum = 0;
  #count = 0;

  add(value: number): void {
    if (value < this.#lowest) this.#lowest = value;
    if (value > this.#highest) this.#highest = value;
    this.#sum += value;
    this.#count++;
  }

  range(): Range | undefined {
    if (this.#count === 0) return undefined;
    // A sum of many may come out a little beside them all.
    const mean = Math.min(this.#highest, Math.max(this.#lowest, this.#sum / this.#count));
    return [tenths(this.#lowest), tenths(mean), tenths(this.#highest)];
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10;

/** Collects the curves of a stretch of frames. */
export class CurveCollector {
  readonly #spreads = new Map<Curve, Spread>();

  add(frame: Frame): void {
    eachValue(frame, (curve, value) => {
      let spread = this.#spreads.get(curve);
      if (spread === undefined) {
        spread = new Spread();
        this.#spreads.set(curve, spread);
      }
      spread.add(value);
    });
  }

  /** Rounded to tenths; a curve without a value is absent. */
  curves(): Curves {
    const curves: Curves = {};
    for (const curve of CURVES) {
      const range = this.#spreads.get(curve)?.range();
      if (range !== undefined) curves[curve] = range;
    }
    return curves;
  }
}
