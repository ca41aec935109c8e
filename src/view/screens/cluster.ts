import { ALL, measureKey } from "../../frame/points.ts";
import { bytesOf, celsius, count, percent, UNKNOWN, wattsSum } from "../format.ts";
import { gpuModels, heatAt } from "../gpus.ts";
import type { Host } from "../hosts.ts";
import type { HostOrder } from "../model.ts";
import { type HostEntry, scrapeCounts, shownHosts } from "../overview.ts";
import { gpuTotals } from "../totals.ts";
import { drawRule } from "../widgets/rule.ts";
import { drawEvents } from "./event_list.ts";
import { drawGraphs, machineGraphs } from "./graphs.ts";
import { drawHeader, type Fact } from "./header.ts";
import { drawGrid, makeGrid, shownPart } from "./host_grid.ts";
import { type FrameScene, MARGIN } from "./scene.ts";
import { drawSegments, type Segment, sparkline } from "./summary.ts";

/** Rows that graphs take at least, with their rule and titles. */
const FEWEST_GRAPH_ROWS = 7;
const MOST_GRAPH_ROWS = 16;

/** All hosts in one, to be drawn as one. */
const together = (hosts: readonly Host[]): Host => ({
  host_id: ALL,
  name: "all",
  downReason: null,
  latency_ms: null,
  gpus: hosts.flatMap(({ gpus }) => gpus),
  cpus: hosts.flatMap(({ cpus }) => cpus),
  memory: hosts.flatMap(({ memory }) => memory),
  chassis: [],
  storage: [],
  processes: [],
});

function facts({ frame, hosts }: FrameScene, all: Host): Fact[] {
  const { up, down } = scrapeCounts(frame, hosts);
  return [
    { text: `${up} up`, priority: 0 },
    { text: down > 0 ? `${down} down` : "", priority: 1 },
    { text: gpuModels(all.gpus), priority: 2 },
  ];
}

/** The line under the header, over all hosts. */
function segments(scene: FrameScene, all: Host): Segment[] {
  const { theme, frame, hosts } = scene;
  const totals = gpuTotals(all.gpus);
  const { hottest, utilization, power_w, powerLimit_w } = totals;
  const hottestHost = hosts.find(({ host_id }) => host_id === hottest?.host_id)?.name ?? "";
  const { slowest_ms } = scrapeCounts(frame, hosts);
  return [
    {
      label: "util",
      value: percent(utilization),
      valueWidth: 4,
      style: theme.load((utilization ?? 0) / 100),
      drawHistory: sparkline(scene, ALL, "gpu_utilization", 100),
    },
    { label: "by host", value: hostSpread(scene), valueWidth: 8, style: theme.plain },
    {
      label: "GPUs",
      value: `${totals.answering}/${totals.devices}`,
      valueWidth: Math.max(7, 2 * String(totals.devices).length + 1),
      style: totals.answering < totals.devices ? theme.warning : theme.plain,
    },
    { label: "VRAM", value: bytesOf(totals.used_memory, totals.total_memory), valueWidth: 11, style: theme.plain },
    {
      label: "power",
      value: wattsSum(power_w, powerLimit_w),
      valueWidth: 9,
      style: theme.plain,
      drawHistory: sparkline(scene, ALL, "gpu_power", powerLimit_w ?? 0),
    },
    {
      label: "hottest",
      value: hottest === null ? celsius(null) : `${celsius(hottest.temperature)} ${hottestHost} #${hottest.number}`,
      valueWidth: 20,
      style: hottest === null ? theme.dim : theme.heat(heatAt(hottest.temperature, null)),
      drawHistory: sparkline(scene, ALL, "hottest", 100, "heat"),
    },
    { label: "slowest scrape", value: `${count(slowest_ms)} ms`, valueWidth: 8, style: theme.plain },
  ];
}

/** From the host that does least to the host that does most: `4–98%`. */
function hostSpread({ history }: FrameScene): string {
  const lowest = history.series(measureKey(ALL, "lowest_host")).at(-1);
  const highest = history.series(measureKey(ALL, "highest_host")).at(-1);
  return highest === undefined || Number.isNaN(highest) ? UNKNOWN : `${count(lowest)}–${percent(highest)}`;
}

/** Every GPU of all hosts on one screen; where hosts are few, graphs and the latest events fill the rest. */
export function drawCluster(scene: FrameScene, y: number, height: number): void {
  const { frame, hosts, cells, theme, input } = scene;
  const all = together(hosts);
  const entries = shownHosts(hosts, input.choices);
  // Where it saves hosts from being scrolled away, the rule and the titles give up their rows.
  const roomy = makeGrid(entries, cells.width, height - 4, true);
  const tight = roomy.rows > height - 4 ? makeGrid(entries, cells.width, height - 2, false) : null;
  const failures = tight === null ? [] : frame.errors.map((text) => ({ text, priority: -1 }));
  const part = tight === null ? "" : shownPart(tight, height - 2, input.choices.scroll);
  const filter = filterRemark(scene, entries);
  const order = `order: ${ORDER_WORDS[input.choices.hostOrder]}`;
  const how =
    tight === null
      ? []
      : [
          { text: filter, priority: -3 },
          { text: order, priority: input.choices.hostOrder === "default" ? 2.5 : 1.5 },
        ];
  const known = [{ text: part, priority: -2 }, ...failures, ...facts(scene, all), ...how];
  drawHeader(scene, y, `${hosts.length} hosts`, known, frame.t_ms);
  drawSegments(scene, y + 1, segments(scene, all));
  if (tight !== null) {
    drawGrid(scene, y + 2, height - 2, tight);
    return;
  }
  const label = [order, filter].filter((text) => text !== "").join(" · ");
  drawRule(scene, y + 2, frame.errors.join("  "), theme.warning, label);
  if (entries.length === 0) cells.text(MARGIN, y + 4, "No host matches the filter.", theme.dim);
  drawGrid(scene, y + 3, roomy.rows + 1, roomy);
  drawRest(scene, y + 4 + roomy.rows, height - 4 - roomy.rows, all);
}

function drawRest(scene: FrameScene, y: number, height: number, all: Host): void {
  const graphs = height >= FEWEST_GRAPH_ROWS ? Math.min(MOST_GRAPH_ROWS, Math.max(FEWEST_GRAPH_ROWS, height >> 1)) : 0;
  if (graphs > 0) {
    drawRule(scene, y);
    drawGraphs(scene, y + 1, graphs - 1, machineGraphs(scene, all, ALL));
  }
  const left = height - graphs;
  if (left < 3) return;
  drawRule(scene, y + graphs, "events");
  drawEvents(scene, y + graphs + 1, left - 1);
}

const ORDER_WORDS: Readonly<Record<HostOrder, string>> = {
  default: "lost first",
  trouble: "worst first",
  utilization: "busiest first",
  name: "by name",
  given: "as given",
};

function filterRemark({ input, hosts }: FrameScene, entries: readonly HostEntry[]): string {
  const { filter } = input.choices;
  return filter === "" ? "" : `${entries.length} of ${hosts.length} · filter ${filter}`;
}
