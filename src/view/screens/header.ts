import type { Frame } from "../../frame/frame.ts";
import type { Cpu } from "../../frame/schema.ts";
import { bytes, uptime } from "../format.ts";
import { gpuModels } from "../gpus.ts";
import type { Host } from "../hosts.ts";
import { textWidth } from "../text.ts";
import { sumOf } from "../totals.ts";
import { MARGIN, type Scene } from "./scene.ts";

const SEPARATOR = " · ";

export interface Fact {
  readonly text: string;
  /** The lowest stays longest. */
  readonly priority: number;
}

/** As many facts as fit, in their order. */
export function joinFitting(facts: readonly Fact[], width: number): string {
  const there = facts.filter(({ text }) => text !== "");
  const kept = new Set<Fact>();
  let used = 0;
  for (const fact of [...there].sort((a, b) => a.priority - b.priority)) {
    const more = textWidth(fact.text) + (kept.size > 0 ? SEPARATOR.length : 0);
    if (used + more > width) break;
    used += more;
    kept.add(fact);
  }
  return there
    .filter((fact) => kept.has(fact))
    .map(({ text }) => text)
    .join(SEPARATOR);
}

/** A name, facts, and at the right the wall clock of the frame. */
export function drawHeader(scene: Scene, y: number, name: string, facts: readonly Fact[], t_ms: number): void {
  const { cells, theme, zone } = scene;
  const clock = zone.full(t_ms);
  const end = cells.width - MARGIN - textWidth(clock);
  cells.text(end, y, clock, theme.strong);
  const nameEnd = cells.field(MARGIN, y, name, Math.min(textWidth(name), end - 2 - MARGIN), theme.strong);
  cells.text(nameEnd + 2, y, joinFitting(facts, end - 2 - nameEnd - 2), theme.dim, end - 2);
}

/** Without marks, clock rates and what every processor is. */
const shortCpuName = (model: string): string =>
  model
    .replace(/\((R|TM)\)/gi, "")
    .replace(/@.*$/, "")
    .replace(/\b(CPU|\d+-Core|Processor)\b/g, "")
    .replace(/\s+/g, " ")
    .trim();

function cpuFact({ cpu_model, socket_count }: Cpu): string {
  const name = shortCpuName(cpu_model);
  return name !== "" && (socket_count ?? 1) > 1 ? `${name} ×${socket_count}` : name;
}

/** That there are none is known where they were asked for, the host answered, and no reader failed. */
function gpuFact({ gpus, downReason }: Host, frame: Frame): string {
  if (gpus.length > 0) return gpuModels(gpus);
  return frame.gpus !== undefined && downReason === null && frame.errors.length === 0 ? "no GPU" : "";
}

/** What the machine is. */
export function hostFacts(host: Host, frame: Frame): Fact[] {
  const [gpu] = host.gpus;
  const [cpu] = host.cpus;
  const driver = gpu?.detail["Driver Version"];
  const cuda = gpu?.detail["CUDA Version"];
  const memory = sumOf(host.memory, ({ total_bytes }) => total_bytes);
  const isUptimeKnown = typeof cpu?.uptime_seconds === "number";
  return [
    { text: gpuFact(host, frame), priority: 0 },
    { text: driver ? `driver ${driver}` : "", priority: 2 },
    { text: cuda ? `CUDA ${cuda}` : "", priority: 5 },
    { text: cpu ? cpuFact(cpu) : "", priority: 1 },
    { text: memory === null ? "" : `${bytes(memory)} RAM`, priority: 4 },
    { text: isUptimeKnown ? `up ${uptime(cpu.uptime_seconds)}` : "", priority: 3 },
  ];
}
