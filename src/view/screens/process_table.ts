import { bytes, count, duration, UNKNOWN } from "../format.ts";
import type { Host } from "../hosts.ts";
import type { ProcessSort } from "../model.ts";
import { gpuRanges, type ProcessRow, type ShownProcesses } from "../processes.ts";
import { type Column, fitColumns, type Placed } from "../widgets/table.ts";
import { drawTitle } from "../widgets/title.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

interface ProcessColumn extends Column {
  readonly title: string;
  readonly align: "left" | "right";
  readonly sort?: ProcessSort;
  readonly isOfGpus?: boolean;
  text(row: ProcessRow): string;
}

/** What a process that uses no GPU has nothing of stays blank: it is not unknown. */
const onGpu = (row: ProcessRow, text: string): string => (row.gpus.length > 0 ? text : "");

const COLUMNS: readonly ProcessColumn[] = [
  {
    title: "PID",
    priority: 1,
    minimum: 7,
    align: "right",
    sort: "pid",
    text: ({ process }) => String(process.pid),
  },
  {
    title: "USER",
    priority: 4,
    minimum: 8,
    maximum: 12,
    weight: 1,
    align: "left",
    sort: "user",
    text: ({ process }) => (process.user === "" ? UNKNOWN : process.user),
  },
  {
    title: "GPU",
    priority: 5,
    minimum: 4,
    maximum: 6,
    weight: 1,
    align: "left",
    isOfGpus: true,
    sort: "default",
    text: ({ gpus }) => gpuRanges(gpus),
  },
  {
    title: "GPU MEM",
    priority: 3,
    minimum: 8,
    align: "right",
    isOfGpus: true,
    sort: "gpu_memory",
    text: (row) => onGpu(row, bytes(row.gpuMemory)),
  },
  {
    title: "GPU%",
    priority: 7,
    from: 76,
    minimum: 5,
    align: "right",
    isOfGpus: true,
    text: (row) => onGpu(row, count(row.gpuUtilization)),
  },
  {
    title: "CPU%",
    priority: 2,
    minimum: 5,
    align: "right",
    sort: "cpu",
    text: ({ process }) => count(process.cpu_percent),
  },
  {
    title: "RSS",
    priority: 6,
    minimum: 6,
    align: "right",
    sort: "memory",
    text: ({ process }) => bytes(process.memory_rss),
  },
  {
    title: "MEM%",
    priority: 10,
    from: 130,
    minimum: 5,
    align: "right",
    text: ({ process }) => count(process.memory_percent),
  },
  { title: "THR", priority: 11, from: 140, minimum: 4, align: "right", text: ({ process }) => count(process.threads) },
  { title: "S", priority: 9, from: 100, minimum: 1, align: "left", text: ({ process }) => process.state },
  {
    title: "TIME",
    priority: 8,
    from: 100,
    minimum: 9,
    align: "right",
    sort: "time",
    text: ({ process }) => duration(process.cpu_time),
  },
  {
    title: "COMMAND",
    priority: 0,
    minimum: 14,
    weight: 40,
    align: "left",
    text: ({ process }) => (process.command === "" ? process.process_name : process.command),
  },
];

function drawHeader(scene: FrameScene, y: number, placed: readonly Placed<ProcessColumn>[]): void {
  const { processSort, isDescending } = scene.input.choices;
  for (const { column, x, width } of placed) {
    const isSorted = column.sort === processSort && processSort !== "default";
    drawTitle(scene, { x, y, width }, column.title, column.align, isSorted ? (isDescending ? "▼" : "▲") : "");
    if (column.sort === undefined) continue;
    scene.hits.headers.push({ table: "processes", sort: column.sort, x, y, width, height: 1 });
  }
}

/** A title line, and as many processes as there is room for. */
export function drawProcessTable(
  scene: FrameScene,
  y: number,
  height: number,
  host: Host,
  { rows }: ShownProcesses,
): void {
  const { cells, theme, hits, input } = scene;
  const columns = host.gpus.length > 0 ? COLUMNS : COLUMNS.filter(({ isOfGpus }) => !isOfGpus);
  const placed = fitColumns(columns, MARGIN, cells.width - 2 * MARGIN);
  drawHeader(scene, y, placed);
  const visible = height - 1;
  const first = Math.max(0, Math.min(input.choices.scroll, rows.length - visible));
  hits.scrolled = { x: 0, y: y + 1, width: cells.width, height: visible, total: rows.length, first, visible };
  for (const [i, row] of rows.slice(first, first + visible).entries()) {
    for (const { column, x, width } of placed) {
      const text = column.text(row);
      const isMinor = text === UNKNOWN || row.gpus.length === 0;
      cells.field(x, y + 1 + i, text, width, isMinor && host.gpus.length > 0 ? theme.dim : theme.plain, column.align);
    }
  }
}
