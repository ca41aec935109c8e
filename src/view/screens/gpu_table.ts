import type { DetectedEvent } from "../../events/event.ts";
import type { Gpu } from "../../frame/schema.ts";
import { celsius, percent, UNKNOWN } from "../format.ts";
import { heatAt, type Note, type NumberedGpu, shownGpus } from "../gpus.ts";
import type { Host } from "../hosts.ts";
import { drawBar } from "../widgets/bar.ts";
import { fitColumns } from "../widgets/table.ts";
import { drawTitle } from "../widgets/title.ts";
import { type GpuRow, gpuColumns, type Place } from "./gpu_columns.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

/** What happened longer ago is no news, ms on the timeline. */
const NEWS_MS = 10 * 60_000;

/** The latest single thing that was heard of each device of a host, by what events call it. */
function newsOf(scene: FrameScene, host: Host): Map<string, Note> {
  const { events } = scene.input.timeline;
  const now_ms = scene.position.place_ms;
  const news = new Map<string, Note>();
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i];
    if (event === undefined || event.elapsed_ms > now_ms) continue;
    if (event.elapsed_ms < now_ms - NEWS_MS) break;
    const isHere = event.host === host.host_id || event.host === host.name;
    if (!isHere || event.device === null || event.state !== "once" || news.has(event.device)) continue;
    news.set(event.device, noteOf(event, scene));
  }
  return news;
}

function noteOf({ severity, text, t_ms }: DetectedEvent, { zone }: FrameScene): Note {
  const time = zone.time(t_ms);
  const [, xid] = /^(XID \d+)\b/.exec(text) ?? [];
  return {
    severity: severity === "info" ? "information" : severity,
    text: `${text} ${time}`,
    briefs: xid === undefined ? [text] : [`${xid} ${time}`, xid],
  };
}

/** The rows of the table: GPUs in the order chosen, each with its MIG instances if there is room for them. */
export function gpuRows(scene: FrameScene, host: Host, withMig: boolean): GpuRow[] {
  const { gpuSort, filter } = scene.input.choices;
  const news = newsOf(scene, host);
  return shownGpus(host.gpus, gpuSort, filter).flatMap(({ gpu, number }) => {
    const name = `${gpu.device_type} ${number}`;
    const row: GpuRow = { gpu, number, mig: null, news: news.get(name) ?? news.get(gpu.uuid) ?? null };
    const instances = withMig ? (gpu.mig ?? []) : [];
    return [row, ...instances.map((mig) => ({ ...row, mig }))];
  });
}

export const migRows = (gpus: readonly Gpu[]): number => gpus.reduce((sum, { mig }) => sum + (mig?.length ?? 0), 0);

/** A title line and a line a row; the last says how many have no room. */
export function drawGpuTable(scene: FrameScene, y: number, height: number, host: Host, rows: readonly GpuRow[]): void {
  const { cells, hits, input } = scene;
  const placed = fitColumns(gpuColumns(host.gpus), MARGIN, cells.width - 2 * MARGIN);
  const { gpuSort } = input.choices;
  for (const { column, x, width } of placed) {
    const isSorted = column.sort !== undefined && column.sort !== "default" && column.sort === gpuSort;
    drawTitle(scene, { x, y, width }, column.title, column.align ?? "left", isSorted ? "▼" : "");
    if (column.sort !== undefined) hits.headers.push({ table: "gpus", sort: column.sort, x, y, width, height: 1 });
  }
  const visible = rows.length > height - 1 ? height - 2 : rows.length;
  for (const [i, row] of rows.slice(0, visible).entries()) {
    for (const { column, x, width } of placed) column.draw(scene, { x, y: y + 1 + i, width }, row);
  }
  if (visible < rows.length) cells.text(MARGIN, y + height - 1, `… ${rows.length - visible} more`, scene.theme.dim);
}

/** A GPU in a line's part: number, bar, utilization, temperature. */
export const DENSE_WIDTH = 26;

/** All GPUs in several columns, where a line for each has no room. */
export function drawDenseGpus(scene: FrameScene, y: number, height: number, rows: readonly GpuRow[]): void {
  const { cells, theme } = scene;
  const columns = Math.max(1, Math.min(Math.ceil(rows.length / height), Math.floor((cells.width - 1) / DENSE_WIDTH)));
  const width = Math.floor((cells.width - MARGIN) / columns);
  const capacity = columns * height;
  // Where not all have room, the last place says how many there are more.
  const shown = rows.length > capacity ? capacity - 1 : rows.length;
  const placeOf = (i: number) => ({
    x: MARGIN + Math.floor(i / height) * width,
    y: y + (i % height),
    width: width - 2,
  });
  for (const [i, row] of rows.slice(0, shown).entries()) drawDense(scene, placeOf(i), row);
  if (shown === rows.length) return;
  const { x, ...last } = placeOf(shown);
  cells.field(x + 1, last.y, `… ${rows.length - shown} more`, last.width - 1, theme.dim);
}

function drawDense({ cells, theme }: FrameScene, { x, y, width }: Place, { gpu, number }: NumberedGpu): void {
  const { utilization, temperature, temperature_threshold_slowdown: slowdown_c } = gpu;
  cells.field(x, y, number, 3, theme.strong, "right");
  const share = utilization === null ? null : utilization / 100;
  const text = gpu.lost ? "lost" : percent(utilization);
  drawBar(cells, x + 4, y, width - 15, share, theme.load, theme);
  cells.field(
    x + width - 10,
    y,
    text,
    4,
    gpu.lost ? theme.critical : share === null ? theme.dim : theme.plain,
    "right",
  );
  const heat = temperature === null ? theme.dim : theme.heat(heatAt(temperature, slowdown_c));
  cells.field(x + width - 5, y, temperature === null ? UNKNOWN : celsius(temperature), 5, heat, "right");
}
