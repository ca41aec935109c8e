import type { Align } from "../cells.ts";
import type { Scene } from "../screens/scene.ts";
import { textWidth } from "../text.ts";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** The title of a column; with a marker (▼ ▲) it is what the table is sorted by. */
export function drawTitle(
  { cells, theme }: Scene,
  { x, y, width }: Place,
  title: string,
  align: Align,
  marker: string,
): void {
  const text = marker === "" || textWidth(title) >= width ? title : `${title}${marker}`;
  cells.field(x, y, text, width, marker === "" ? theme.dim : theme.accent, align);
}
