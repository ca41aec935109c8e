import type { Chassis, Cpu, Storage } from "../../frame/schema.ts";
import { bytes, bytesOf, celsius, count, percent, short, UNKNOWN, whole } from "../format.ts";
import type { Host } from "../hosts.ts";
import { textWidth } from "../text.ts";
import { cpuUtilization, meanOf, memoryUtilization, sumOf } from "../totals.ts";
import { drawBar } from "../widgets/bar.ts";
import { levelOf } from "../widgets/sparkline.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

/** What of the machine is not its GPUs: cores, load, memory, storage, chassis. */

/** `CPU  23% ` and `RAM  31% `. */
const LABEL_WIDTH = 9;
const RAM_BAR_WIDTH = 16;
/** Fuller than this a file system is trouble, %. */
const NEARLY_FULL = 90;

export type Core = Cpu["per_core_utilization"][number];

export const coresOf = (host: Host): Core[] => host.cpus.flatMap((cpu) => cpu.per_core_utilization);

/** What stands to the right of the cores. */
function cpuFacts({ cpus }: Host): string {
  const [cpu] = cpus;
  if (cpu === undefined) return "";
  const load = cpu.load_average?.map((value) => (value === null ? UNKNOWN : short(value))).join(" ");
  const temperature = meanOf(cpus, (c) => c.temperature);
  const power = sumOf(cpus, (c) => c.power_consumption);
  return [
    load === undefined || load === "" ? "" : `load ${load}`,
    temperature === null ? "" : celsius(temperature),
    power === null ? "" : `${whole(power)}W`,
  ]
    .filter((fact) => fact !== "")
    .join("  ");
}

/** Rows that one cell a core takes. */
export function coreRows(host: Host, width: number): number {
  return Math.max(1, Math.ceil(cellsOf(coresOf(host)).length / coreColumns(host, width)));
}

const coreColumns = (host: Host, width: number): number =>
  Math.max(8, width - 2 * MARGIN - LABEL_WIDTH - textWidth(cpuFacts(host)) - 2);

/** One cell a core; between kinds of cores a blank. */
function cellsOf(cores: readonly Core[]): (Core | null)[] {
  return cores.flatMap((core, i) => (i > 0 && cores[i - 1]?.core_type !== core.core_type ? [null, core] : [core]));
}

/** CPU and cores: in `rows` rows (0: none of them), several cores to a cell where one each has no room. */
export function drawCpu(scene: FrameScene, y: number, rows: number, host: Host): void {
  const { cells, theme } = scene;
  drawShare(scene, y, "CPU", cpuUtilization(host.cpus));
  const facts = cpuFacts(host);
  const end = cells.width - MARGIN;
  cells.text(Math.max(MARGIN + LABEL_WIDTH, end - textWidth(facts)), y, facts, theme.plain, end);
  if (rows === 0) return;
  const all = cellsOf(coresOf(host));
  const columns = coreColumns(host, cells.width);
  const each = Math.max(1, Math.ceil(all.length / (columns * rows)));
  const length = Math.ceil(all.length / each);
  const perRow = Math.ceil(length / Math.min(rows, Math.max(1, Math.ceil(length / columns))));
  for (let i = 0; i < length; i++) {
    const utilization = meanOf(all.slice(i * each, (i + 1) * each), (core) => core?.utilization ?? null);
    if (utilization === null) continue;
    const x = MARGIN + LABEL_WIDTH + (i % perRow);
    cells.put(x, y + Math.floor(i / perRow), levelOf(utilization / 100), theme.load(utilization / 100));
  }
  const remark = each > 1 ? `${each} cores a cell` : "";
  if (remark !== "" && perRow + textWidth(remark) + 2 <= columns) {
    cells.text(MARGIN + LABEL_WIDTH + perRow + 1, y, remark, theme.faint);
  }
}

function drawShare({ cells, theme }: FrameScene, y: number, label: string, percentage: number | null): void {
  cells.text(MARGIN, y, label, theme.dim);
  const style = percentage === null ? theme.dim : theme.load(percentage / 100);
  cells.field(MARGIN + 4, y, percent(percentage), 4, style, "right");
}

/** Memory, swap and file systems in one line. */
export function drawMemory(scene: FrameScene, y: number, host: Host): void {
  const { cells, theme } = scene;
  const utilization = memoryUtilization(host.memory);
  const used = sumOf(host.memory, (m) => m.used_bytes);
  const total = sumOf(host.memory, (m) => m.total_bytes);
  drawShare(scene, y, "RAM", utilization);
  const share = utilization === null ? null : utilization / 100;
  let x = MARGIN + LABEL_WIDTH;
  const barWidth = cells.width < 100 ? Math.floor(RAM_BAR_WIDTH / 2) : RAM_BAR_WIDTH;
  drawBar(cells, x, y, barWidth, share, theme.load(share ?? 0), theme);
  x = cells.field(x + barWidth + 1, y, bytesOf(used, total), 11, used === null ? theme.dim : theme.plain) + 2;
  if (cells.width >= 140) {
    const cached = sumOf(host.memory, (m) => m.cached_bytes);
    x = cells.field(cells.text(x, y, "cached ", theme.dim), y, bytes(cached), 5, theme.plain) + 2;
  }
  x = drawSwap(scene, x, y, host) + 2;
  drawFileSystems(scene, x, y, host.storage);
}

function drawSwap({ cells, theme }: FrameScene, x: number, y: number, host: Host): number {
  const total = sumOf(host.memory, (m) => m.swap_total_bytes);
  const used = sumOf(host.memory, (m) => m.swap_used_bytes);
  const text = total === 0 ? "none" : used === null ? UNKNOWN : bytesOf(used, total);
  const isKnown = used !== null && total !== 0;
  return cells.field(cells.text(x, y, "swap ", theme.dim), y, text, 11, isKnown ? theme.plain : theme.dim);
}

/** Used, % of what people other than root can have; `null`: not known. */
function usedShare({ total_bytes, available_bytes, used_bytes }: Storage): number | null {
  if (total_bytes === null || available_bytes === null) return null;
  const used = used_bytes ?? total_bytes - available_bytes;
  return used + available_bytes > 0 ? (used / (used + available_bytes)) * 100 : null;
}

/** The fullest are the ones to know of where not all have room; they stand in the order of the frame all the same. */
function drawFileSystems({ cells, theme }: FrameScene, x: number, y: number, storage: readonly Storage[]): void {
  const all = storage.map((place) => ({ name: place.mount_point, used: usedShare(place) }));
  const widthOf = ({ name }: { name: string }) => textWidth(name) + 7;
  let room = cells.width - MARGIN - x + 2;
  const kept = new Set<(typeof all)[number]>();
  for (const item of [...all].sort((a, b) => (b.used ?? -1) - (a.used ?? -1))) {
    if (widthOf(item) > room) continue;
    kept.add(item);
    room -= widthOf(item);
  }
  let column = x;
  for (const { name, used } of all.filter((item) => kept.has(item))) {
    column = cells.text(column, y, `${name} `, theme.dim);
    const style = used === null ? theme.dim : used >= NEARLY_FULL ? theme.critical : theme.plain;
    column = cells.field(column, y, percent(used), 4, style, "right") + 2;
  }
}

/** What sensors of the chassis and limits of a container say; empty where there are none. */
export function chassisFacts({ chassis, cpus }: Host): string[] {
  const facts: string[] = [];
  for (const { total_power_watts, inlet_temperature, outlet_temperature, fan_speeds, psu_status, ...rest } of chassis) {
    if (total_power_watts !== null) facts.push(`machine ${whole(total_power_watts)}W`);
    if (inlet_temperature !== null) facts.push(`air in ${celsius(inlet_temperature)}`);
    if (outlet_temperature !== null) facts.push(`out ${celsius(outlet_temperature)}`);
    if (rest.thermal_pressure) facts.push(`thermal pressure ${rest.thermal_pressure}`);
    facts.push(...fanFacts(fan_speeds), ...supplyFacts(psu_status));
  }
  return [...facts, ...cpus.flatMap(limitFacts)];
}

function fanFacts(fans: Chassis["fan_speeds"]): string[] {
  const speed = meanOf(fans, ({ speed_rpm }) => speed_rpm);
  return speed === null ? [] : [`${fans.length} fans ${count(speed)} rpm`];
}

function supplyFacts(supplies: Chassis["psu_status"]): string[] {
  const there = supplies.filter(({ status }) => status !== "NotPresent");
  const failing = there.filter(({ status }) => status === "Failed" || status === "Degraded");
  if (there.length === 0) return [];
  return [
    failing.length === 0 ? `${there.length} PSUs ok` : `PSU ${failing.map(({ name }) => name).join(" ")} failing`,
  ];
}

function limitFacts({ cgroup }: Cpu): string[] {
  if (!cgroup) return [];
  const facts: string[] = [];
  if (cgroup.cpu_limit_cores !== null) {
    const used = cgroup.cpu_used_cores === null ? UNKNOWN : short(cgroup.cpu_used_cores);
    facts.push(`container ${used}/${short(cgroup.cpu_limit_cores)} cores`);
  }
  if (cgroup.cpu_throttled !== null) facts.push(`throttled ${percent(cgroup.cpu_throttled)}`);
  if (cgroup.memory_limit_bytes !== null) {
    facts.push(`container memory ${bytesOf(cgroup.memory_used_bytes, cgroup.memory_limit_bytes)}`);
  }
  return facts;
}
