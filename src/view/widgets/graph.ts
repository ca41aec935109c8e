import type { Cells, Style } from "../cells.ts";
import type { Region } from "../hits.ts";

const BRAILLE = 0x2800;
const DOTS = 4;
/** The dots of a braille cell, from the bottom up: its left and its right column. */
const LEFT = [0x40, 0x04, 0x02, 0x01] as const;
const RIGHT = [0x80, 0x20, 0x10, 0x08] as const;

/** One column of dots: it is lit from one share of the height to the other. `null`: nothing is known. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * A graph of braille dots, two columns a cell and four rows, the latest at the right. `styleOf` takes the share of the
 * height that a cell stands for: in one row that of its value, in several that of the row.
 */
export function drawGraph(
  cells: Cells,
  { x, y, width, height }: Region,
  stretchAt: (fromRight: number) => Stretch | null,
  styleOf: (share: number) => Style,
): void {
  for (let column = 0; column < width; column++) {
    const left = stretchAt((width - column) * 2 - 1);
    const right = stretchAt((width - column) * 2 - 2);
    for (let row = 0; row < height; row++) {
      const base = (height - 1 - row) * DOTS;
      const dots = dotsOf(left, LEFT, base, height) | dotsOf(right, RIGHT, base, height);
      if (dots === 0) continue;
      const share = height === 1 ? Math.max(left?.to ?? 0, right?.to ?? 0) : (base + DOTS) / (height * DOTS);
      cells.put(x + column, y + row, BRAILLE + dots, styleOf(share));
    }
  }
}

/** The lit dots of one half of a cell whose lowest dot is the `base`th from the bottom. */
function dotsOf(stretch: Stretch | null, bits: typeof LEFT | typeof RIGHT, base: number, height: number): number {
  if (stretch === null) return 0;
  const most = height * DOTS - 1;
  const lowest = Math.min(most, Math.max(0, Math.floor(stretch.from * (most + 1))));
  const highest = Math.min(most, Math.max(lowest, Math.ceil(stretch.to * (most + 1)) - 1));
  let dots = 0;
  for (let dot = 0; dot < DOTS; dot++) {
    if (base + dot >= lowest && base + dot <= highest) dots |= bits[dot] ?? 0;
  }
  return dots;
}

/** Lights values from the bottom up. */
export const filled =
  (values: Float32Array, lowest: number, highest: number) =>
  (fromRight: number): Stretch | null => {
    const value = values[values.length - 1 - fromRight];
    if (value === undefined || Number.isNaN(value)) return null;
    return { from: 0, to: (value - lowest) / (highest - lowest) };
  };

/** Lights what lies between two series. */
export const band =
  (lows: Float32Array, highs: Float32Array, highest: number) =>
  (fromRight: number): Stretch | null => {
    const low = lows[lows.length - 1 - fromRight];
    const high = highs[highs.length - 1 - fromRight];
    if (low === undefined || high === undefined || Number.isNaN(low) || Number.isNaN(high)) return null;
    return { from: low / highest, to: high / highest };
  };
