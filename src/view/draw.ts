import type { Cells } from "./cells.ts";
import { plural } from "./format.ts";
import { type Hits, noHits } from "./hits.ts";
import type { ViewInput } from "./model.ts";
import { drawScreen } from "./screens/frame.ts";
import { makeScene } from "./screens/scene.ts";
import type { Theme } from "./theme.ts";

const SMALLEST_WIDTH = 60;
const SMALLEST_HEIGHT = 15;

/** Draws the whole screen anew. Says where on it things are, for the mouse. */
export function draw(cells: Cells, input: ViewInput, theme: Theme): Hits {
  cells.clear();
  const hits = noHits();
  if (cells.width < SMALLEST_WIDTH || cells.height < SMALLEST_HEIGHT) drawTooSmall(cells, theme);
  else drawScreen(makeScene(cells, input, theme, hits));
  return hits;
}

/** What the screen lacks, in as few words as it may have room for. */
function drawTooSmall(cells: Cells, theme: Theme): void {
  const columns = Math.max(0, SMALLEST_WIDTH - cells.width);
  const rows = Math.max(0, SMALLEST_HEIGHT - cells.height);
  const missing = [columns > 0 ? plural(columns, "column") : "", rows > 0 ? plural(rows, "row") : ""];
  const text = `${missing.filter((part) => part !== "").join(", ")} missing`;
  cells.field(0, Math.floor(cells.height / 2), text, cells.width, theme.plain);
}
