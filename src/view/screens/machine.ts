import type { Chassis, Cpu, Storage } from "../../frame/schema.ts";
import { bytes, bytesOf, celsius, count, percent, plural, short, UNKNOWN, whole } from "../format.ts";
import type { Host } from "../hosts.ts";
import { textWidth } from "../text.ts";
import { cpuUtilization, meanOf, memoryUtilization, sumOf } from "../totals.ts";
import { drawBar } from "../widgets/bar.ts";
import { levelOf } from "../widgets/sparkline.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

/** What of the machine is not its GPUs: cores, load, memory, storage, chassis. */

/** `CPU  23% ` and `RAM  31% `. */
const LABEL_WIDTH = 9;
/** Fuller than this a file system is trouble, %. */
const NEARLY_FULL = 90;

const barWidth = (screenWidth: number): number => (screenWidth < 100 ? 8 : 16);

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

interface CoreLayout {
  readonly rows: number;
  readonly perRow: number;
  /** Cores that share a cell. */
  readonly each: number;
}

/** One cell a core, or several to a cell where that would take more than `most` rows; the rows are of one length. */
export function coreLayout(host: Host, width: number, most: number): CoreLayout {
  const count = cellsOf(coresOf(host)).length;
  const columns = Math.max(8, width - 2 * MARGIN - LABEL_WIDTH - textWidth(cpuFacts(host)) - 2);
  const each = Math.max(1, Math.ceil(count / (columns * most)));
  const length = Math.ceil(count / each);
  const rows = Math.max(1, Math.ceil(length / columns));
  return { rows, perRow: Math.max(1, Math.ceil(length / rows)), each };
}

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
  if (rows > 0 && coresOf(host).length > 0) drawCores(scene, y, rows, host);
  else if (rows > 0) drawCpuBar(scene, y, host);
}

function drawCores({ cells, theme }: FrameScene, y: number, rows: number, host: Host): void {
  const all = cellsOf(coresOf(host));
  const { perRow, each } = coreLayout(host, cells.width, rows);
  for (let i = 0; i * each < all.length; i++) {
    const utilization = meanOf(all.slice(i * each, (i + 1) * each), (core) => core?.utilization ?? null);
    if (utilization === null) continue;
    const x = MARGIN + LABEL_WIDTH + (i % perRow);
    cells.put(x, y + Math.floor(i / perRow), levelOf(utilization / 100), theme.load(utilization / 100));
  }
}

/** Where the frame has no cores. */
function drawCpuBar({ cells, theme }: FrameScene, y: number, host: Host): void {
  const utilization = cpuUtilization(host.cpus);
  const threads = sumOf(host.cpus, (cpu) => cpu.total_threads);
  const width = barWidth(cells.width);
  const share = utilization === null ? null : utilization / 100;
  drawBar(cells, MARGIN + LABEL_WIDTH, y, width, share, theme.load, theme);
  // Other writers have 0 for what they do not know.
  if (threads !== null && threads > 0)
    cells.text(MARGIN + LABEL_WIDTH + width + 1, y, plural(threads, "thread"), theme.plain);
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
  const width = barWidth(cells.width);
  drawBar(cells, x, y, width, share, theme.load, theme);
  x = cells.field(x + width + 1, y, bytesOf(used, total), 11, used === null ? theme.dim : theme.plain) + 2;
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
  // Whether there is any does not change; how much is used does.
  const width = total === 0 ? text.length : 11;
  return cells.field(cells.text(x, y, "swap ", theme.dim), y, text, width, isKnown ? theme.plain : theme.dim);
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
  return speed === null ? [] : [`${plural(fans.length, "fan")} ${count(speed)} rpm`];
}

function supplyFacts(supplies: Chassis["psu_status"]): string[] {
  const there = supplies.filter(({ status }) => status !== "NotPresent");
  const failing = there.filter(({ status }) => status === "Failed" || status === "Degraded");
  if (there.length === 0) return [];
  return [
    failing.length === 0
      ? `${plural(there.length, "PSU")} ok`
      : `PSU ${failing.map(({ name }) => name).join(" ")} failing`,
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
