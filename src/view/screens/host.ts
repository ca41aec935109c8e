import { plural, UNKNOWN } from "../format.ts";
import type { Host } from "../hosts.ts";
import { shownProcesses } from "../processes.ts";
import { drawRule } from "../widgets/rule.ts";
import { coreBarRows, drawCoreBars } from "./cores.ts";
import { DENSE_WIDTH, drawDenseGpus, drawGpuTable, gpuRows, migRows } from "./gpu_table.ts";
import { drawGraphs, machineGraphs } from "./graphs.ts";
import { drawHeader, hostFacts, joinFitting } from "./header.ts";
import { chassisFacts, coreLayout, coresOf, drawCpu, drawMemory } from "./machine.ts";
import { drawProcessTable } from "./process_table.ts";
import { type FrameScene, MARGIN } from "./scene.ts";
import { drawSegments, hostSegments } from "./summary.ts";

/** How the rows of the screen are dealt out; it follows from the machine and the screen's size, never from the load. */
interface Plan {
  readonly hasRules: boolean;
  /** Title line included; 0: no GPUs. */
  readonly gpus: number;
  readonly isDense: boolean;
  readonly withMig: boolean;
  /** Rows of one cell a core; 0: a bar for each core instead. */
  readonly coreCells: number;
  readonly coreBars: number;
  readonly chassis: number;
  readonly graphs: number;
  /** Title line included. */
  readonly processes: number;
}

/** A title and a few rows. */
const FEWEST_PROCESSES = 4;
const MEMORY_ROWS = 1;
const RULES = 3;
const MOST_CORE_ROWS = 4;
/** So many processes are worth more than a second row of cores. */
const SOME_PROCESSES = 7;
const MOST_CORE_BARS = 8;

type GpuPlan = Pick<Plan, "hasRules" | "gpus" | "isDense" | "withMig">;

/** A row for each GPU if there is room for that, with rules and MIG instances if for those, too. */
function planGpus(host: Host, height: number, width: number): GpuPlan {
  const gpus = host.gpus.length;
  const room = height - FEWEST_PROCESSES - MEMORY_ROWS - 1;
  const mig = migRows(host.gpus);
  if (gpus === 0) return { hasRules: room >= RULES + 2, gpus: 0, isDense: false, withMig: false };
  const table = (hasRules: boolean, rows: number): GpuPlan | null =>
    room >= (hasRules ? RULES : 0) + rows + 1
      ? { hasRules, gpus: rows + 1, isDense: false, withMig: rows > gpus }
      : null;
  const found = table(true, gpus + mig) ?? table(true, gpus) ?? table(false, gpus);
  if (found !== null) return found;
  const columns = Math.max(1, Math.floor((width - 1) / DENSE_WIDTH));
  const rows = Math.min(Math.max(1, room), Math.ceil(gpus / columns));
  return { hasRules: false, gpus: rows, isDense: true, withMig: false };
}

function makePlan(host: Host, height: number, width: number, hasProcesses: boolean): Plan {
  const gpuPlan = planGpus(host, height, width);
  const { gpus, hasRules } = gpuPlan;
  let left = height - gpus - (hasRules ? RULES - Number(gpus === 0) : 0) - MEMORY_ROWS - 1;
  const take = (wanted: number, keep: number): number => {
    const taken = Math.max(0, Math.min(wanted, left - keep));
    left -= taken;
    return taken;
  };
  const bars = gpus === 0 ? coreBarRows(coresOf(host).length, width) : 0;
  const coreBars = bars > 0 && bars <= Math.min(MOST_CORE_BARS, left / 3) ? take(bars, 0) : 0;
  const room = Math.max(1, Math.min(MOST_CORE_ROWS, left - SOME_PROCESSES + 1));
  const coreCells = coreBars > 0 ? 1 : coreLayout(host, width, room).rows;
  left -= coreCells - 1;
  const chassis = chassisFacts(host).length > 0 ? take(1, SOME_PROCESSES) : 0;
  const graphs = hasProcesses ? take(graphRows(left, gpus > 0), FEWEST_PROCESSES) : take(left, 0);
  return { ...gpuPlan, coreCells, coreBars, chassis, graphs, processes: hasProcesses ? left : 0 };
}

/** With their rule; the summary line has small ones, so these come only where there is plenty of room. */
function graphRows(left: number, hasGpus: boolean): number {
  if (left < (hasGpus ? 22 : 14)) return 0;
  return Math.min(16, Math.round(left * 0.34));
}

/** One host, from row `y` on. */
export function drawHost(scene: FrameScene, y: number, height: number, host: Host): void {
  const { frame, theme, cells } = scene;
  const facts = hostFacts(host, frame);
  const plan = makePlan(host, height - 2, cells.width, frame.processes !== undefined);
  // Errors stand on the first rule; where there is none, they are more needed than what the machine is.
  const failures = plan.hasRules ? [] : frame.errors.map((text) => ({ text, priority: -1 }));
  drawHeader(scene, y, host.name, [...failures, ...facts], frame.t_ms);
  if (host.downReason !== null) {
    cells.field(MARGIN, y + 2, `✕ ${host.downReason}`, cells.width - 2 * MARGIN, theme.critical);
    cells.text(MARGIN, y + 3, "Nothing was read of this host in this cycle.", theme.dim);
    return;
  }
  drawSegments(scene, y + 1, hostSegments(scene, host));
  drawBody(scene, y + 2, plan, host);
}

function drawBody(scene: FrameScene, top: number, plan: Plan, host: Host): void {
  let y = top;
  const rule = (remark = "", style = scene.theme.dim) => {
    if (plan.hasRules) drawRule(scene, y++, remark, style);
  };
  rule(scene.frame.errors.join("  "), scene.theme.warning);
  if (plan.gpus > 0) {
    const rows = gpuRows(scene, host, plan.withMig);
    if (plan.isDense) drawDenseGpus(scene, y, plan.gpus, rows);
    else drawGpuTable(scene, y, plan.gpus, host, rows);
    y += plan.gpus;
    rule();
  }
  y = drawMachine(scene, y, plan, host);
  if (plan.graphs > 1) {
    drawRule(scene, y);
    drawGraphs(scene, y + 1, plan.graphs - 1, machineGraphs(scene, host, host.host_id));
  }
  y += plan.graphs;
  if (plan.processes < 2) return;
  const processes = shownProcesses(host, scene.input.choices);
  rule(processRemark(scene, processes.rows.length, processes.total));
  drawProcessTable(scene, y, plan.processes, host, processes);
}

function drawMachine(scene: FrameScene, top: number, plan: Plan, host: Host): number {
  let y = top;
  drawCpu(scene, y, plan.coreBars > 0 ? 0 : plan.coreCells, host);
  y += plan.coreCells;
  drawCoreBars(scene, y, plan.coreBars, plan.coreBars > 0 ? coresOf(host) : []);
  y += plan.coreBars;
  drawMemory(scene, y++, host);
  if (plan.chassis > 0) {
    const facts = chassisFacts(host).map((text, priority) => ({ text, priority }));
    scene.cells.text(MARGIN, y++, joinFitting(facts, scene.cells.width - 2 * MARGIN), scene.theme.dim);
  }
  return y;
}

/** No machine is without processes: where there are none here, nobody told of them. */
function processRemark({ input }: FrameScene, shown: number, total: number): string {
  const { filter, onlyGpuProcesses } = input.choices;
  const all = total === 0 ? `processes ${UNKNOWN}` : plural(total, "process", "es");
  const parts = [shown === total ? all : `${shown} of ${all}`];
  if (onlyGpuProcesses) parts.push("GPU only");
  if (filter !== "") parts.push(`filter ${filter}`);
  return parts.join(" · ");
}
