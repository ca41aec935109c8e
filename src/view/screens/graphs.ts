import { type Measure, measureKey } from "../../frame/points.ts";
import type { Style } from "../cells.ts";
import { bytes, bytesOf, celsius, percent, wattsSum } from "../format.ts";
import type { Host } from "../hosts.ts";
import { cpuUtilization, gpuTotals, memoryUtilization } from "../totals.ts";
import { drawGraph, type Height, heightsOf } from "../widgets/graph.ts";
import { type FrameScene, MARGIN } from "./scene.ts";
import { highestOf } from "./summary.ts";

/** Histories in the large, beside each other, where the screen has room for them. */

/** A graph: a title, what it stands at, what its upper end means. */
export interface Graph {
  readonly title: string;
  readonly value: string;
  readonly top: string;
  readonly kind: "load" | "heat";
  heightAt(fromRight: number): Height;
}

const NARROWEST = 36;
const GAP = 2;
/** Below is no temperature that a working chip has, °C. */
const COOLEST_C = 20;
const HOTTEST_C = 100;

/** As many graphs as fit beside each other, each with a title line. */
export function drawGraphs(scene: FrameScene, y: number, height: number, graphs: readonly Graph[]): void {
  const { cells, theme } = scene;
  const room = cells.width - 2 * MARGIN;
  const shown = graphs.slice(0, Math.max(1, Math.floor((room + GAP) / (NARROWEST + GAP))));
  const width = Math.floor((room + GAP) / shown.length) - GAP;
  for (const [i, { title, value, top, kind, heightAt }] of shown.entries()) {
    const x = MARGIN + i * (width + GAP);
    const next = cells.text(x, y, `${title} `, theme.dim);
    cells.text(next, y, value, theme.plain, x + width);
    cells.field(x + width - top.length, y, top, top.length, theme.faint, "right");
    const styleOf = (share: number): Style => scene[kind](share);
    drawGraph(cells, { x, y: y + 1, width, height: height - 1 }, heightAt, styleOf);
  }
}

interface Curve {
  readonly title: string;
  readonly measure: Measure;
  readonly value: string;
  readonly top: string;
  readonly highest: number;
  readonly lowest?: number;
  readonly kind?: Graph["kind"];
}

function graphOf(scene: FrameScene, scope: string, curve: Curve): Graph {
  const values = scene.history.series(measureKey(scope, curve.measure));
  const { title, value, top, highest, lowest = 0, kind = "load" } = curve;
  return { title, value, top, kind, heightAt: heightsOf(values, lowest, highest) };
}

/** Of one host, or of all of them together. */
export function machineGraphs(scene: FrameScene, host: Host, scope: string): Graph[] {
  const cpu: Curve = {
    title: "CPU",
    measure: "cpu_utilization",
    value: percent(cpuUtilization(host.cpus)),
    top: "100%",
    highest: 100,
  };
  const memory: Curve = {
    title: "RAM",
    measure: "memory_utilization",
    value: percent(memoryUtilization(host.memory)),
    top: "100%",
    highest: 100,
  };
  const curves = host.gpus.length > 0 ? [...gpuCurves(scene, host, scope), cpu, memory] : [cpu, memory];
  return curves.map((curve) => graphOf(scene, scope, curve));
}

function gpuCurves({ history }: FrameScene, host: Host, scope: string): Curve[] {
  const { utilization, used_memory, total_memory, power_w, powerLimit_w, hottest } = gpuTotals(host.gpus);
  const power = powerLimit_w ?? highestOf(history.series(measureKey(scope, "gpu_power")));
  return [
    { title: "utilization", measure: "gpu_utilization", value: percent(utilization), top: "100%", highest: 100 },
    {
      title: "hottest",
      measure: "hottest",
      value: celsius(hottest?.temperature),
      top: celsius(HOTTEST_C),
      highest: HOTTEST_C,
      lowest: COOLEST_C,
      kind: "heat",
    },
    {
      title: "power",
      measure: "gpu_power",
      value: wattsSum(power_w, null),
      top: power > 0 ? wattsSum(power, null) : "",
      highest: power,
    },
    {
      title: "VRAM",
      measure: "gpu_memory",
      value: bytesOf(used_memory, total_memory),
      top: total_memory === null ? "" : bytes(total_memory),
      highest: total_memory ?? 0,
    },
  ];
}
