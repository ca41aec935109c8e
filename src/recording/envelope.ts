import type { Curve, Range } from "../frame/summary.ts";
import type { Block } from "./block.ts";
import type { CursorRange, EnvelopeColumn } from "./cursor.ts";

/** The curve of a machine without GPUs is that of its CPU. */
const CURVES: readonly Curve[] = ["gpu_utilization", "cpu_utilization"];

class Column {
  lowest = Number.POSITIVE_INFINITY;
  highest = Number.NEGATIVE_INFINITY;
  sum = 0;
  weight = 0;

  add([lowest, mean, highest]: Range, weight: number): void {
    this.lowest = Math.min(this.lowest, lowest);
    this.highest = Math.max(this.highest, highest);
    this.sum += mean * weight;
    this.weight += weight;
  }
}

/** The curve of the scrubber over the range, from what is known of the blocks. */
export function envelopeOf(
  blocks: readonly Block[],
  range: CursorRange,
  columns: number,
  interval_ms: number | null,
): (EnvelopeColumn | null)[] {
  const found = Array.from({ length: columns }, () => new Column());
  const curve = CURVES.find((one) => blocks.some(({ findings }) => findings?.curves[one] !== undefined));
  const span_ms = Math.max(1, range.last_place_ms - range.first_place_ms);
  const columnOf = (place_ms: number): number =>
    Math.min(columns - 1, Math.max(0, Math.floor(((place_ms - range.first_place_ms) / span_ms) * columns)));
  blocks.forEach((block, index) => {
    const { findings, first_place_ms, frames } = block;
    if (curve === undefined || findings === null) return;
    const end_ms = endOf(block, blocks[index + 1], interval_ms);
    const slices = findings.slices?.[curve] ?? [findings.curves[curve]];
    slices.forEach((slice, n) => {
      if (slice === undefined || slice === null) return;
      const length_ms = (end_ms - first_place_ms) / slices.length;
      const from = columnOf(first_place_ms + n * length_ms);
      const to = columnOf(first_place_ms + (n + 1) * length_ms);
      for (let column = from; column <= to; column++) found[column]?.add(slice, frames / slices.length);
    });
  });
  return found.map(({ lowest, highest, sum, weight }) => (weight > 0 ? { lowest, mean: sum / weight, highest } : null));
}

/** More than so many intervals between two frames are a gap. */
const GAP_INTERVALS = 2.5;

/** A block lasts until the next one begins, unless there is a gap between them. */
function endOf({ after, first_place_ms, frames }: Block, next: Block | undefined, interval_ms: number | null): number {
  const step_ms = interval_ms ?? (after.place_ms - first_place_ms) / Math.max(1, frames - 1);
  const isNear = next !== undefined && next.first_place_ms - after.place_ms <= GAP_INTERVALS * step_ms;
  return isNear ? next.first_place_ms : after.place_ms;
}
