import { type Measure, measureKey } from "../../frame/points.ts";
import type { Style } from "../cells.ts";
import { bytesOf, celsius, percent, wattsSum } from "../format.ts";
import { deviceWord, heatAt } from "../gpus.ts";
import type { Host } from "../hosts.ts";
import { cpuUtilization, type GpuTotals, gpuTotals, memoryUtilization } from "../totals.ts";
import { drawSparkline } from "../widgets/sparkline.ts";
import { type Column, fitColumns } from "../widgets/table.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

/** A number of the summary line: what it is, how much, and how it got there. */
export interface Segment {
  readonly label: string;
  readonly value: string;
  /** Room for the widest value, so that nothing moves. */
  readonly valueWidth: number;
  readonly style: Style;
  drawHistory?(x: number, y: number, width: number): void;
}

interface SegmentColumn extends Column {
  readonly segment: Segment;
  readonly isHistory: boolean;
}

const HISTORY = { minimum: 4, maximum: 24, weight: 1, gap: 1 } as const;

/** All the texts come before the first history: those share what room is left. */
function columnsOf(segments: readonly Segment[]): SegmentColumn[] {
  return segments.flatMap((segment, i) => {
    const minimum = segment.label.length + 1 + segment.valueWidth;
    const text = { segment, isHistory: false, priority: i, minimum };
    if (segment.drawHistory === undefined) return [text];
    return [text, { segment, isHistory: true, priority: segments.length + i, ...HISTORY }];
  });
}

/** One line of segments; the first are the most important. */
export function drawSegments({ cells, theme }: FrameScene, y: number, segments: readonly Segment[]): void {
  for (const { column, x, width } of fitColumns(columnsOf(segments), MARGIN, cells.width - 2 * MARGIN)) {
    const { label, value, valueWidth, style } = column.segment;
    if (column.isHistory) {
      column.segment.drawHistory?.(x, y, width);
      continue;
    }
    const next = cells.text(x, y, `${label} `, theme.dim);
    cells.field(next, y, value, valueWidth, style, "right");
  }
}

type Kind = "load" | "heat";

/** Draws a series as a sparkline, its shares of `highest` coloured as load or as heat. */
export const sparkline =
  (scene: FrameScene, scope: string, measure: Measure, highest: number, kind: Kind = "load") =>
  (x: number, y: number, width: number): void => {
    const values = scene.history.series(measureKey(scope, measure));
    drawSparkline(scene.cells, x, y, width, values, highest, (share) => scene[kind](share));
  };

/** The line under the header: GPUs, memory, power, the hottest, CPU, memory of the host. */
export function hostSegments(scene: FrameScene, host: Host): Segment[] {
  const { theme } = scene;
  const [cpu, memory] = [cpuUtilization(host.cpus), memoryUtilization(host.memory)];
  return [
    ...(host.gpus.length > 0 ? gpuSegments(scene, host, host.host_id, gpuTotals(host.gpus)) : []),
    {
      label: "CPU",
      value: percent(cpu),
      valueWidth: 4,
      style: shareStyle(cpu, theme),
      drawHistory: sparkline(scene, host.host_id, "cpu_utilization", 100),
    },
    {
      label: "RAM",
      value: percent(memory),
      valueWidth: 4,
      style: shareStyle(memory, theme),
      drawHistory: sparkline(scene, host.host_id, "memory_utilization", 100),
    },
  ];
}

const shareStyle = (percentage: number | null, theme: FrameScene["theme"]): Style =>
  percentage === null ? theme.dim : theme.load(percentage / 100);

function gpuSegments(scene: FrameScene, host: Host, scope: string, totals: GpuTotals): Segment[] {
  const { theme } = scene;
  const { utilization, used_memory, total_memory, power_w, powerLimit_w, hottest } = totals;
  const highestPower = powerLimit_w ?? highestOf(scene.history.series(measureKey(scope, "gpu_power")));
  return [
    {
      label: deviceWord(host.gpus),
      value: percent(utilization),
      valueWidth: 4,
      style: shareStyle(utilization, theme),
      drawHistory: sparkline(scene, scope, "gpu_utilization", 100),
    },
    {
      label: "VRAM",
      value: bytesOf(used_memory, total_memory),
      valueWidth: 11,
      style: used_memory === null ? theme.dim : theme.plain,
      drawHistory: sparkline(scene, scope, "gpu_memory", total_memory ?? 0),
    },
    {
      label: "power",
      value: wattsSum(power_w, powerLimit_w),
      valueWidth: 9,
      style: power_w === null ? theme.dim : theme.plain,
      drawHistory: sparkline(scene, scope, "gpu_power", highestPower),
    },
    {
      label: "hottest",
      value: hottest === null ? celsius(null) : `${celsius(hottest.temperature)} #${hottest.number}`,
      valueWidth: 8,
      style: hottest === null ? theme.dim : theme.heat(heatAt(hottest.temperature, null)),
      drawHistory: sparkline(scene, scope, "hottest", 100, "heat"),
    },
  ];
}

/** The highest known value of a series; 0 where there is none. */
export function highestOf(values: Float32Array): number {
  let highest = 0;
  for (const value of values) if (value > highest) highest = value;
  return highest;
}
