import type { Cells, Style } from "../cells.ts";

const LOWEST = 0x2581;

/** ▁ to █; a share of 0 is the lowest block, not a blank. */
export function levelOf(share: number): number {
  const level = Math.floor(Math.min(1, Math.max(0, share)) * 8);
  return LOWEST + Math.min(7, level);
}

/** The last values, one a cell, the latest at the right; what is not known is blank. */
export function drawSparkline(
  cells: Cells,
  x: number,
  y: number,
  width: number,
  values: Float32Array,
  highest: number,
  styleOf: (share: number) => Style,
): void {
  for (let column = 0; column < width; column++) {
    const value = values[values.length - width + column];
    if (value === undefined || Number.isNaN(value) || !(highest > 0)) continue;
    cells.put(x + column, y, levelOf(value / highest), styleOf(value / highest));
  }
}
