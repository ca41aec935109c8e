import type { Frame } from "../frame/frame.ts";
import { eachValue, type Range } from "../frame/summary.ts";
import type { Block, Slices } from "./block.ts";

/** The curves that are wanted in finer steps than a block: what a scrubber draws. */
const FINE = ["gpu_utilization", "cpu_utilization"] as const;
type Fine = (typeof FINE)[number];

/** Steps in a block's time; more than a scrubber has columns is no use. */
const SLICES = 256;

interface Point {
  readonly place_ms: number;
  readonly ranges: { readonly [F in Fine]?: Range };
}

/** The curves of one block in fine steps, from its frames one after the other. The block may grow meanwhile. */
export class BlockSlices {
  readonly #points: Point[] = [];

  add(frame: Frame, place_ms: number): void {
    this.#points.push({ place_ms, ranges: rangesOf(frame) });
  }

  slices({ first_place_ms: first_ms, after: { place_ms: last_ms } }: Block): Slices {
    const count = Math.max(1, Math.min(SLICES, this.#points.length));
    const length_ms = Math.max(1, last_ms - first_ms) / count;
    const sliceOf = (place_ms: number) =>
      Math.min(count - 1, Math.max(0, Math.floor((place_ms - first_ms) / length_ms)));
    const link_ms = LINK_STEPS * medianStep(this.#points);
    const slices: { [F in Fine]?: (Range | null)[] } = {};
    this.#points.forEach(({ place_ms, ranges }, n) => {
      const next_ms = this.#points[n + 1]?.place_ms ?? place_ms;
      const to = next_ms - place_ms <= link_ms ? Math.max(sliceOf(place_ms), sliceOf(next_ms) - 1) : sliceOf(place_ms);
      for (const curve of FINE) {
        const range = ranges[curve];
        if (range === undefined) continue;
        slices[curve] ??= Array.from({ length: count }, () => null);
        const row = slices[curve];
        for (let slice = sliceOf(place_ms); slice <= to; slice++) row[slice] = joined(row[slice] ?? null, range);
      }
    });
    return slices;
  }
}

/** A value lasts until the next frame, unless that is so many usual steps away: then there is a gap. */
const LINK_STEPS = 2.5;

function medianStep(points: readonly Point[]): number {
  const steps = points.slice(1).map(({ place_ms }, n) => place_ms - (points[n]?.place_ms ?? 0));
  return steps.sort((a, b) => a - b)[steps.length >> 1] ?? 0;
}

/** Means are those of frames: halves of two that are joined, which a drawing does not tell from the true one. */
const joined = (a: Range | null, b: Range): Range =>
  a === null ? b : [Math.min(a[0], b[0]), (a[1] + b[1]) / 2, Math.max(a[2], b[2])];

function rangesOf(frame: Frame): Point["ranges"] {
  const sums = new Map<Fine, { lowest: number; sum: number; count: number; highest: number }>();
  eachValue(frame, (curve, value) => {
    if (curve !== "gpu_utilization" && curve !== "cpu_utilization") return;
    const one = sums.get(curve) ?? { lowest: value, sum: 0, count: 0, highest: value };
    one.lowest = Math.min(one.lowest, value);
    one.highest = Math.max(one.highest, value);
    one.sum += value;
    one.count++;
    sums.set(curve, one);
  });
  const ranges: { [F in Fine]?: Range } = {};
  for (const [curve, { lowest, sum, count, highest }] of sums) ranges[curve] = [lowest, sum / count, highest];
  return ranges;
}
