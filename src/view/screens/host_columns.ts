import { measureKey } from "../../frame/points.ts";
import type { Gpu } from "../../frame/schema.ts";
import type { Style } from "../cells.ts";
import { count, percent, UNKNOWN, wattsSum } from "../format.ts";
import { heatAt } from "../gpus.ts";
import type { HostOrder } from "../model.ts";
import { type HostEntry, troubleOf } from "../overview.ts";
import { cpuUtilization, memoryUtilization } from "../totals.ts";
import { drawGraph, heightsOf } from "../widgets/graph.ts";
import { levelOf } from "../widgets/sparkline.ts";
import type { Column } from "../widgets/table.ts";
import { noteStyle, type Place } from "./gpu_columns.ts";
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

/** One cell a GPU: its height is the utilization, its colour the temperature. */
function drawGpuCell({ cells, theme }: FrameScene, x: number, y: number, gpu: Gpu): void {
  const heat = heatAt(gpu.temperature, gpu.temperature_threshold_slowdown);
  if (gpu.lost) cells.put(x, y, LOST, theme.critical);
  else if (gpu.utilization === null) cells.put(x, y, UNREAD, theme.dim);
  else cells.put(x, y, levelOf(gpu.utilization / 100), theme.heat(heat));
}

function drawGpus(scene: FrameScene, { x, y, width }: Place, { host }: NamedEntry): void {
  for (const [i, gpu] of host.gpus.slice(0, width).entries()) drawGpuCell(scene, x + i, y, gpu);
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
  if (note !== null) cells.field(x, y, note.text, width, noteStyle(note.severity, theme));
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

/** The columns for hosts with so many GPUs at most, and names so long. */
export function hostColumns(gpus: number, nameWidth: number): HostColumn[] {
  const hasGpus = gpus > 0;
  const ofGpus: HostColumn[] = [
    { title: "GPUs", priority: 1, minimum: gpus, gap: 1, draw: drawGpus },
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
      minimum: 4,
      align: "right",
      draw: number(({ host }) => percent(memoryUtilization(host.memory))),
    },
    { title: "ms", priority: 11, minimum: 4, align: "right", draw: number(({ host }) => count(host.latency_ms)) },
    { title: "history", priority: 8, minimum: 8, weight: 2, maximum: 60, draw: drawHistory },
    ...(hasGpus ? [{ title: "health", priority: 4, minimum: 10, weight: 1, maximum: 40, draw: drawNote }] : []),
  ];
}
