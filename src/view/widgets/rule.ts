import type { Style } from "../cells.ts";
import { MARGIN, type Scene } from "../screens/scene.ts";
import { textWidth, truncate } from "../text.ts";

const LINE = 0x2500;

/** A thin line across the screen; at its right end it may say something, and at its left what is always to be said. */
export function drawRule({ cells, theme }: Scene, y: number, remark = "", style: Style = theme.dim, label = ""): void {
  const width = cells.width - 2 * MARGIN;
  cells.fill(MARGIN, y, width, LINE, theme.faint);
  if (label !== "") cells.text(MARGIN + 1, y, ` ${label} `, theme.dim);
  if (remark === "") return;
  const text = truncate(remark, width - 4 - (label === "" ? 0 : textWidth(label) + 3));
  cells.text(MARGIN + width - textWidth(text) - 3, y, ` ${text} `, style);
}
