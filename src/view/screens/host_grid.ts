import { type HostEntry, shortNames, widest } from "../overview.ts";
import { fitColumns, type Placed } from "../widgets/table.ts";
import { drawTitle } from "../widgets/title.ts";
import { GPUS, gpuCells, type HostColumn, hostColumns, type NamedEntry } from "./host_columns.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

const LONGEST_NAME = 28;
const GAP = 3;

/** Hosts beside and below each other: downwards first, with as much of each as there is room for. */
export interface Grid {
  readonly entries: readonly NamedEntry[];
  readonly columns: number;
  /** Of all hosts, so many below each other. */
  readonly rows: number;
  /** Of one host. */
  readonly width: number;
  readonly fields: readonly HostColumn[];
  readonly hasTitles: boolean;
}

/** As few columns as show all hosts in so many rows; at most as many as have room for a name and the GPUs. */
export function makeGrid(entries: readonly HostEntry[], width: number, height: number, hasTitles: boolean): Grid {
  const room = width - 2 * MARGIN + GAP;
  const gpus = entries.reduce((most, { host }) => Math.max(most, host.gpus.length), 0);
  const cells = gpus > 0 && hasTitles ? Math.max(GPUS.length, gpuCells(gpus)) : gpuCells(gpus);
  const full = entries.map(({ host }) => host.name);
  const brief = shortNames(full);
  const narrowest = (names: readonly string[]) => Math.min(LONGEST_NAME, Math.max(4, widest(names))) + cells + 1 + GAP;
  const wanted = Math.max(1, Math.ceil(entries.length / Math.max(1, height)));
  const columns = Math.max(1, Math.min(wanted, Math.floor(room / narrowest(brief))));
  const each = Math.floor(room / columns) - GAP;
  const names = narrowest(full) + 5 <= each + GAP ? full : brief;
  return {
    entries: entries.map((entry, i) => ({ ...entry, name: names[i] ?? entry.host.name })),
    columns,
    rows: Math.ceil(entries.length / columns),
    width: each,
    fields: hostColumns(gpus, cells, Math.min(LONGEST_NAME, Math.max(4, widest(names)))),
    hasTitles,
  };
}

/** The rows that are seen where there are so many, after scrolling. */
function seenRows({ rows }: Grid, height: number, scroll: number) {
  const visible = Math.min(rows, height);
  return { first: Math.max(0, Math.min(scroll, rows - visible)), visible };
}

/** Which hosts are seen in so many rows: `1–60 of 200 shown`; nothing where all are. */
export function shownPart(grid: Grid, height: number, scroll: number): string {
  const { first, visible } = seenRows(grid, height, scroll);
  if (visible === grid.rows) return "";
  const count = grid.entries.length;
  return `${first * grid.columns + 1}–${Math.min(count, (first + visible) * grid.columns)} of ${count} shown`;
}

/** A title line, if it has one, and the hosts; where they have no room, they scroll by rows. */
export function drawGrid(scene: FrameScene, y: number, height: number, grid: Grid): void {
  const { hasTitles } = grid;
  const top = hasTitles ? y + 1 : y;
  const { first, visible } = seenRows(grid, y + height - top, scene.input.choices.scroll);
  const { hits, cells } = scene;
  hits.scrolled = { x: 0, y: top, width: cells.width, height: visible, total: grid.rows, first, visible };
  const shown = grid.entries.slice(first * grid.columns, (first + visible) * grid.columns);
  for (let column = 0; column < grid.columns; column++) {
    const x = MARGIN + column * (grid.width + GAP);
    const placed = fitColumns(grid.fields, x, grid.width);
    const here = shown.slice(column * visible, (column + 1) * visible);
    if (here.length === 0) continue;
    if (hasTitles) drawTitles(scene, y, placed);
    for (const [i, entry] of here.entries()) drawEntry(scene, { x, y: top + i }, grid.width, placed, entry);
  }
}

function drawTitles(scene: FrameScene, y: number, placed: readonly Placed<HostColumn>[]): void {
  const { hostOrder } = scene.input.choices;
  for (const { column, x, width } of placed) {
    const { title, align = "left", order } = column;
    const marker = order === hostOrder ? (order === "name" ? "▲" : "▼") : "";
    drawTitle(scene, { x, y, width }, title, align, marker);
    if (order !== undefined) scene.hits.headers.push({ table: "hosts", order, x, y, width, height: 1 });
  }
}

function drawEntry(
  scene: FrameScene,
  { x, y }: { readonly x: number; readonly y: number },
  width: number,
  placed: readonly Placed<HostColumn>[],
  entry: NamedEntry,
): void {
  const { cells, theme, hits, input } = scene;
  const { host_id, downReason } = entry.host;
  hits.hosts.push({ host: host_id, x, y, width, height: 1 });
  for (const [i, { column, ...place }] of placed.entries()) {
    if (downReason !== null && i > 0) break;
    column.draw(scene, { x: place.x, y, width: place.width }, entry);
  }
  if (downReason !== null) {
    const begin = (placed[0]?.x ?? x) + (placed[0]?.width ?? 0) + 1;
    cells.field(begin, y, `✕ ${downReason}`, x + width - begin, theme.critical);
  }
  if (host_id === input.choices.marked) cells.highlight(x, y, width, theme.selected);
}
