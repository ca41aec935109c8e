import type { Cells, Style } from "../cells.ts";
import type { Region } from "../hits.ts";

const BRAILLE = 0x2800;
const DOTS = 4;
/** The dots of a braille cell, from the bottom up: its left and its right column. */
const LEFT = [0x40, 0x04, 0x02, 0x01] as const;
const RIGHT = [0x80, 0x20, 0x10, 0x08] as const;

/** How high a column of dots is lit, as a share of the height; `null`: nothing is known. */
export type Height = number | null;

/**
 * A graph of braille dots, two columns a cell and four rows, the latest at the right. `styleOf` takes the share of the
 * height that a cell stands for: in one row that of its value, in several that of the row.
 */
export function drawGraph(
  cells: Cells,
  { x, y, width, height }: Region,
  heightAt: (fromRight: number) => Height,
  styleOf: (share: number) => Style,
): void {
  for (let column = 0; column < width; column++) {
    const left = heightAt((width - column) * 2 - 1);
    const right = heightAt((width - column) * 2 - 2);
    for (let row = 0; row < height; row++) {
      const base = (height - 1 - row) * DOTS;
      const dots = dotsOf(left, LEFT, base, height) | dotsOf(right, RIGHT, base, height);
      if (dots === 0) continue;
      const share = height === 1 ? Math.max(left ?? 0, right ?? 0) : (base + DOTS) / (height * DOTS);
      cells.put(x + column, y + row, BRAILLE + dots, styleOf(share));
    }
  }
}

/** The lit dots of one half of a cell whose lowest dot is the `base`th from the bottom; something known lights one. */
function dotsOf(share: Height, bits: typeof LEFT | typeof RIGHT, base: number, height: number): number {
  if (share === null) return 0;
  const most = height * DOTS;
  const lit = Math.min(most, Math.max(1, Math.ceil(share * most))) - base;
  let dots = 0;
  for (let dot = 0; dot < Math.min(lit, DOTS); dot++) dots |= bits[dot] ?? 0;
  return dots;
}

/** Heights of values between two of them. */
export const heightsOf =
  (values: Float32Array, lowest: number, highest: number) =>
  (fromRight: number): Height => {
    const share = ((values[values.length - 1 - fromRight] ?? Number.NaN) - lowest) / (highest - lowest);
    return Number.isNaN(share) ? null : share;
  };
