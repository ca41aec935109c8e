import { percent } from "../format.ts";
import { drawBar } from "../widgets/bar.ts";
import type { Core } from "./machine.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

/** Room for a core's number, bar and percentage. */
const NARROWEST = 18;
const WIDEST = 48;

/** The rows that a bar for each core takes, as many beside each other as fit. */
export const coreBarRows = (cores: number, width: number): number =>
  Math.ceil(cores / Math.max(1, Math.floor((width - 2 * MARGIN) / NARROWEST)));

/** A bar for each core: on machines without GPUs there is room for that. */
export function drawCoreBars(scene: FrameScene, y: number, rows: number, cores: readonly Core[]): void {
  const { cells, theme } = scene;
  const columns = Math.ceil(cores.length / rows);
  const width = Math.min(WIDEST, Math.floor((cells.width - MARGIN) / Math.max(1, columns)));
  for (const [i, { core_id, utilization }] of cores.entries()) {
    const x = MARGIN + Math.floor(i / rows) * width;
    const row = y + (i % rows);
    cells.field(x, row, String(core_id), 3, theme.dim, "right");
    const share = utilization === null ? null : utilization / 100;
    drawBar(cells, x + 4, row, width - 11, share, theme.load, theme);
    cells.field(x + width - 6, row, percent(utilization), 4, share === null ? theme.dim : theme.plain, "right");
  }
}
