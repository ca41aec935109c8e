import type { Cells, Style } from "../cells.ts";

const LOWEST = 0x2581;

/** ▁ to ▇, and █ where it is full; a share of 0 is the lowest block, not a blank. */
export const levelOf = (share: number): number => LOWEST + Math.floor(Math.min(1, Math.max(0, share)) * 7);

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
    const share = (values[values.length - width + column] ?? Number.NaN) / highest;
    if (!Number.isNaN(share)) cells.put(x + column, y, levelOf(share), styleOf(share));
  }
}
