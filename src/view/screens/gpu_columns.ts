import { gpuKey } from "../../frame/points.ts";
import { powerLimit_w } from "../../frame/power_limit.ts";
import type { Gpu } from "../../frame/schema.ts";
import type { Style } from "../cells.ts";
import { bytes, bytesOf, count, percent, UNKNOWN, wattsOf } from "../format.ts";
import { heatAt, memoryShare, type Note, shortGpuName } from "../gpus.ts";
import type { GpuSort } from "../model.ts";
import { truncate } from "../text.ts";
import type { Theme } from "../theme.ts";
import { drawBar } from "../widgets/bar.ts";
import { drawGraph, heightsOf } from "../widgets/graph.ts";
import type { Column } from "../widgets/table.ts";
import { fitNotes, healthNotes, SEPARATOR } from "./health_notes.ts";
import type { FrameScene } from "./scene.ts";

type Mig = NonNullable<Gpu["mig"]>[number];

export interface GpuRow {
  readonly gpu: Gpu;
  readonly number: string;
  /** An instance of the GPU above, which has a row of its own; else `null`. */
  readonly mig: Mig | null;
  /** What was heard of this GPU of late; `null`: nothing. */
  readonly news: Note | null;
}

/** Where a cell of the table stands. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface GpuColumn extends Column {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly sort?: GpuSort;
  draw(scene: FrameScene, place: Place, row: GpuRow): void;
}

/** Under a bar this narrow one cannot see anything. */
const NARROWEST_BAR = 4;

/** A text at the right, and a bar in what room is left of it. */
function drawGauge(scene: FrameScene, { x, y, width }: Place, share: number | null, text: string, room: number): void {
  const { cells, theme } = scene;
  const barWidth = width - room - 1;
  if (barWidth >= NARROWEST_BAR) drawBar(cells, x, y, barWidth, share, theme.load, theme);
  cells.field(x + width - room, y, text, room, share === null && text === UNKNOWN ? theme.dim : theme.plain, "right");
}

/** A number that most GPUs have and some do not. */
const numeric =
  (textOf: (row: GpuRow) => string, styleOf?: (row: GpuRow, theme: Theme) => Style) =>
  ({ cells, theme }: FrameScene, { x, y, width }: Place, row: GpuRow): void => {
    const text = row.mig === null ? textOf(row) : "";
    cells.field(x, y, text, width, text === UNKNOWN ? theme.dim : (styleOf?.(row, theme) ?? theme.plain), "right");
  };

const share = (percentage: number | null): number | null => (percentage === null ? null : percentage / 100);

function drawUtilization(scene: FrameScene, place: Place, { gpu, mig }: GpuRow): void {
  if (mig === null && gpu.lost) {
    scene.cells.field(place.x, place.y, "lost", place.width, scene.theme.critical);
    return;
  }
  const utilization = (mig ?? gpu).utilization;
  drawGauge(scene, place, share(utilization), percent(utilization), 4);
}

function drawMemory(scene: FrameScene, place: Place, { gpu, mig }: GpuRow): void {
  const of = mig ?? gpu;
  drawGauge(scene, place, memoryShare(of), bytesOf(of.used_memory, of.total_memory), 11);
}

function drawHistory(scene: FrameScene, { x, y, width }: Place, { gpu, mig }: GpuRow): void {
  if (mig !== null) return;
  const values = scene.history.series(gpuKey(gpu));
  drawGraph(scene.cells, { x, y, width, height: 1 }, heightsOf(values, 0, 100), scene.load);
}

export const noteStyle = (severity: Note["severity"], theme: Theme): Style =>
  severity === "critical" ? theme.critical : severity === "warning" ? theme.warning : theme.dim;

/** What is wrong; of what does not fit, even in brief, how much it is. */
function drawHealth(scene: FrameScene, { x, y, width }: Place, { gpu, mig, news }: GpuRow): void {
  const { cells, theme, zone, frame } = scene;
  if (mig !== null) {
    cells.field(x, y, mig.profile === "" ? mig.uuid : mig.profile, width, theme.dim);
    return;
  }
  const notes = fitNotes(healthNotes(gpu, news, { t_ms: frame.t_ms, zone }), width);
  let column = x;
  for (const [i, { severity, text }] of notes.entries()) {
    if (i > 0) column = cells.text(column, y, SEPARATOR, theme.dim, x + width);
    column = cells.text(column, y, truncate(text, x + width - column), noteStyle(severity, theme), x + width);
  }
}

/** Bytes a second, both ways. */
function pcieRates({ gpu }: GpuRow): string {
  const { rx_bytes_per_second: rx = null, tx_bytes_per_second: tx = null } = gpu.health?.pcie ?? {};
  return rx !== null && tx === null ? `${bytes(rx)}/${UNKNOWN}` : bytesOf(rx, tx);
}

const codecs = ({ gpu }: GpuRow): string => {
  const { encoder, decoder } = gpu.health ?? {};
  return typeof encoder === "number" || typeof decoder === "number" ? `${count(encoder)}/${count(decoder)}` : UNKNOWN;
};

const heatOfGpu = ({ gpu }: GpuRow, theme: Theme): Style =>
  theme.heat(heatAt(gpu.temperature, gpu.temperature_threshold_slowdown));

const NUMBER: GpuColumn = {
  title: "#",
  priority: 0,
  minimum: 2,
  align: "right",
  sort: "default",
  draw: ({ cells, theme }, { x, y, width }, { number, mig }) =>
    void cells.field(x, y, mig === null ? number : "└", width, mig === null ? theme.strong : theme.faint, "right"),
};

const NAME: GpuColumn = {
  title: "model",
  priority: 5.5,
  minimum: 10,
  maximum: 24,
  weight: 1,
  draw: ({ cells, theme }, { x, y, width }, { gpu, mig }) =>
    void cells.field(x, y, mig === null ? shortGpuName(gpu.name) : "", width, theme.plain),
};

const COLUMNS: readonly GpuColumn[] = [
  { title: "util", priority: 1, minimum: 11, maximum: 44, weight: 3, sort: "utilization", draw: drawUtilization },
  { title: "mem", priority: 3, minimum: 11, maximum: 46, weight: 3, sort: "memory", draw: drawMemory },
  {
    title: "°C",
    priority: 2,
    minimum: 3,
    align: "right",
    draw: numeric(({ gpu }) => count(gpu.temperature), heatOfGpu),
  },
  {
    title: "power",
    priority: 4,
    minimum: 8,
    align: "right",
    draw: numeric(({ gpu }) => wattsOf(gpu.power_consumption, powerLimit_w(gpu))),
  },
  { title: "MHz", priority: 7, minimum: 5, align: "right", draw: numeric(({ gpu }) => count(gpu.frequency)) },
  { title: "pcie rx/tx", priority: 8, from: 110, minimum: 11, align: "right", draw: numeric(pcieRates) },
  {
    title: "mem °C",
    priority: 9,
    from: 140,
    minimum: 6,
    align: "right",
    draw: numeric(({ gpu }) => count(gpu.health?.memory_temperature)),
  },
  { title: "enc/dec", priority: 10, from: 170, minimum: 7, align: "right", draw: numeric(codecs) },
  {
    title: "fan rpm",
    priority: 11,
    from: 150,
    minimum: 7,
    align: "right",
    draw: numeric(({ gpu }) => count(gpu.fan_speed_rpm)),
  },
  { title: "history", priority: 6, minimum: 8, maximum: 60, weight: 2, draw: drawHistory },
  { title: "health", priority: 5, minimum: 10, maximum: 60, weight: 3, draw: drawHealth },
];

/** Columns that stay away where no GPU of the machine has anything to say in them. */
const OPTIONAL: Readonly<Record<string, (gpu: Gpu) => boolean>> = {
  "pcie rx/tx": ({ health }) => typeof health?.pcie?.rx_bytes_per_second === "number",
  "mem °C": ({ health }) => typeof health?.memory_temperature === "number",
  "enc/dec": ({ health }) => typeof health?.encoder === "number",
  "fan rpm": ({ fan_speed_rpm }) => fan_speed_rpm !== null,
};

/** Room for `526/700W`, or as many digits as the limits have. */
function withRoom(column: GpuColumn, gpus: readonly Gpu[]): GpuColumn {
  if (column.title !== "power") return column;
  const widest = gpus.reduce((most, gpu) => Math.max(most, count(powerLimit_w(gpu)).length), 3);
  return { ...column, minimum: 2 * widest + "/W".length };
}

/** The columns that make sense for these GPUs. A name is one only where they differ. */
export function gpuColumns(gpus: readonly Gpu[]): GpuColumn[] {
  const areMixed = new Set(gpus.map(({ name }) => name)).size > 1;
  const columns = COLUMNS.filter(({ title }) => OPTIONAL[title] === undefined || gpus.some(OPTIONAL[title])).map(
    (column) => withRoom(column, gpus),
  );
  return [NUMBER, ...(areMixed ? [NAME] : []), ...columns];
}
