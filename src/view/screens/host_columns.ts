import { measureKey } from "../../frame/points.ts";
import type { Gpu } from "../../frame/schema.ts";
import type { Style } from "../cells.ts";
import { count, percent, UNKNOWN, wattsSum } from "../format.ts";
import { heatAt } from "../gpus.ts";
import type { HostOrder } from "../model.ts";
import { type HostEntry, troubleOf } from "../overview.ts";
import { cpuUtilization, meanOf, memoryUtilization } from "../totals.ts";
import { drawGraph, heightsOf } from "../widgets/graph.ts";
import { levelOf } from "../widgets/sparkline.ts";
import type { Column } from "../widgets/table.ts";
import { noteStyle, type Place } from "./gpu_columns.ts";
import { fitNotes } from "./health_notes.ts";
import type { FrameScene } from "./scene.ts";

/** A host of the overview with the name that it is shown under. */
export interface NamedEntry extends HostEntry {
  readonly name: string;
}

export interface HostColumn extends Column {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly order?: HostOrder;
  draw(scene: FrameScene, place: Place, entry: NamedEntry): void;
}

const UNREAD = 0x00b7;
const LOST = "x".charCodeAt(0);

/** Over the cells of the GPUs. */
export const GPUS = "GPUs";

/** A host may have hundreds of GPUs: beyond so many cells its other columns are worth more. */
const MOST_GPU_CELLS = 16;
/** Where there is room to spare it is theirs up to here. */
const WIDEST_GPU_CELLS = 64;

/** Cells that the GPUs of a host have at least, where one of the hosts has so many. */
export const gpuCells = (gpus: number): number => Math.min(gpus, MOST_GPU_CELLS);

/** A cell's height is the utilization, its colour the temperature: the mean and the hottest of the GPUs that share it. */
function drawGpuCell({ cells, theme }: FrameScene, x: number, y: number, gpus: readonly Gpu[]): void {
  const utilization = meanOf(gpus, (gpu) => gpu.utilization);
  const heat = Math.max(...gpus.map((gpu) => heatAt(gpu.temperature, gpu.temperature_threshold_slowdown)));
  if (gpus.some(({ lost }) => lost)) cells.put(x, y, LOST, theme.critical);
  else if (utilization === null) cells.put(x, y, UNREAD, theme.dim);
  else cells.put(x, y, levelOf(utilization / 100), theme.heat(heat));
}

/** One cell a GPU; where that has no room, how many there are, and several to a cell. */
function drawGpus(scene: FrameScene, { x, y, width }: Place, { host: { gpus } }: NamedEntry): void {
  const label = gpus.length > width ? `${gpus.length}× ` : "";
  const begin = scene.cells.text(x, y, label, scene.theme.dim, x + width);
  const each = Math.ceil(gpus.length / Math.max(1, x + width - begin));
  for (let cell = 0; cell * each < gpus.length; cell++) {
    drawGpuCell(scene, begin + cell, y, gpus.slice(cell * each, (cell + 1) * each));
  }
}

const number =
  (textOf: (entry: NamedEntry) => string, styleOf?: (scene: FrameScene, entry: NamedEntry) => Style) =>
  (scene: FrameScene, { x, y, width }: Place, entry: NamedEntry): void => {
    const text = textOf(entry);
    const style = text === UNKNOWN ? scene.theme.dim : (styleOf?.(scene, entry) ?? scene.theme.plain);
    scene.cells.field(x, y, text, width, style, "right");
  };

function drawName({ cells, theme }: FrameScene, { x, y, width }: Place, entry: NamedEntry): void {
  cells.field(x, y, entry.name, width, troubleOf(entry) >= 2 ? theme.critical : theme.plain);
}

/** `!` for what has no room to be said. */
function drawMark({ cells, theme }: FrameScene, { x, y }: Place, { note }: NamedEntry): void {
  if (note !== null) cells.text(x, y, "!", noteStyle(note.severity, theme));
}

function drawNote({ cells, theme }: FrameScene, { x, y, width }: Place, { note }: NamedEntry): void {
  if (note === null) return;
  const [fitted] = fitNotes([note], width);
  cells.field(x, y, fitted?.text ?? "", width, noteStyle(note.severity, theme));
}

function drawHistory(scene: FrameScene, { x, y, width }: Place, { host }: NamedEntry): void {
  const values = scene.history.series(
    measureKey(host.host_id, host.gpus.length > 0 ? "gpu_utilization" : "cpu_utilization"),
  );
  drawGraph(scene.cells, { x, y, width, height: 1 }, heightsOf(values, 0, 100), scene.load);
}

const memoryShareOf = ({ totals: { used_memory, total_memory } }: NamedEntry): number | null =>
  used_memory !== null && total_memory !== null && total_memory > 0 ? (used_memory / total_memory) * 100 : null;

const hottestStyle = ({ theme }: FrameScene, { totals }: NamedEntry): Style =>
  theme.heat(heatAt(totals.hottest?.temperature ?? null, null));

/** The columns for hosts with so many GPUs at most, in so many cells at least, and names so long. */
export function hostColumns(gpus: number, cells: number, nameWidth: number): HostColumn[] {
  const hasGpus = gpus > 0;
  const ofGpus: HostColumn[] = [
    {
      title: GPUS,
      priority: 1,
      minimum: cells,
      maximum: Math.min(gpus, WIDEST_GPU_CELLS),
      weight: 4,
      gap: 1,
      draw: drawGpus,
    },
    {
      title: "util",
      priority: 3,
      minimum: 4,
      gap: 1,
      align: "right",
      order: "utilization",
      draw: number(({ totals }) => percent(totals.utilization)),
    },
    { title: "!", priority: 2, minimum: 1, gap: 1, order: "trouble", draw: drawMark },
    { title: "mem", priority: 6, minimum: 4, align: "right", draw: number((entry) => percent(memoryShareOf(entry))) },
    {
      title: "°C",
      priority: 5,
      minimum: 3,
      align: "right",
      draw: number(({ totals }) => count(totals.hottest?.temperature), hottestStyle),
    },
    {
      title: "power",
      priority: 7,
      minimum: 6,
      align: "right",
      draw: number(({ totals }) => wattsSum(totals.power_w, null)),
    },
  ];
  return [
    { title: "host", priority: 0, minimum: nameWidth, order: "name", draw: drawName },
    ...(hasGpus ? ofGpus : []),
    {
      title: "CPU",
      priority: 9,
      minimum: 4,
      align: "right",
      draw: number(({ host }) => percent(cpuUtilization(host.cpus))),
    },
    {
      title: "RAM",
      priority: 10,
      from: 80,
      minimum: 4,
      align: "right",
      draw: number(({ host }) => percent(memoryUtilization(host.memory))),
    },
    {
      title: "ms",
      priority: 11,
      from: 80,
      minimum: 4,
      align: "right",
      draw: number(({ host }) => count(host.latency_ms)),
    },
    { title: "history", priority: 8, minimum: 8, weight: 2, maximum: 60, draw: drawHistory },
    ...(hasGpus ? [{ title: "health", priority: 4, minimum: 10, weight: 1, maximum: 40, draw: drawNote }] : []),
  ];
}
