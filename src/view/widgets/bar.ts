import type { Cells, Style } from "../cells.ts";
import type { Theme } from "../theme.ts";

const FULL = 0x2588;
/** ▏ to ▉, one to seven eighths. */
const ONE_EIGHTH = 0x258f;
const EMPTY = 0x00b7;

/**
 * A horizontal bar, exact to an eighth of a cell, each cell in the style of the share it stands for. One that is not known
 * has not even a track.
 */
export function drawBar(
  cells: Cells,
  x: number,
  y: number,
  width: number,
  share: number | null,
  styleOf: (share: number) => Style,
  theme: Theme,
): void {
  if (share === null || Number.isNaN(share)) return;
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  // Something is not nothing.
  const lit = share > 0 ? Math.max(1, eighths) : eighths;
  for (let column = 0; column < width; column++) {
    const rest = lit - column * 8;
    const style = styleOf((column + 1) / width);
    if (rest >= 8) cells.put(x + column, y, FULL, style);
    else if (rest > 0) cells.put(x + column, y, ONE_EIGHTH - rest + 1, style);
    else cells.put(x + column, y, EMPTY, theme.faint);
  }
}
