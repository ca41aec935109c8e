import type { Gpu } from "../frame/schema.ts";
import { celsius, whole } from "./format.ts";
import type { GpuSort } from "./model.ts";

/** What the screens say of GPUs beyond their gauges. */

/** Where no threshold is known a GPU counts as hot from here on, °C. */
const USUAL_SLOWDOWN_C = 90;
/** About what a GPU that does nothing has, °C. */
const COOL_C = 30;
/** So close to the slowdown it is worth a word, °C. */
const NEAR_SLOWDOWN_C = 3;

export type Severity = "information" | "warning" | "critical";

export interface Note {
  readonly severity: Severity;
  readonly text: string;
  /** The same in fewer and fewer words, where there are some. */
  readonly briefs?: readonly string[];
}

/** Its number on its host, as the driver counts; `null` where nobody says. */
export const statedNumber = ({ index, detail }: Gpu): number | null =>
  index ?? (/^\d{1,3}$/.test(detail.index ?? "") ? Number(detail.index) : null);

/** Its number on its host, else its place. */
export const gpuNumber = (gpu: Gpu, place: number): string => String(statedNumber(gpu) ?? place);

/** How hot, from 0 (idle) to 1 (slows down). */
export const heatAt = (temperature: number | null, slowdown_c: number | null): number =>
  temperature === null ? 0 : (temperature - COOL_C) / Math.max(1, (slowdown_c ?? USUAL_SLOWDOWN_C) - COOL_C);

export const memoryShare = ({ used_memory, total_memory }: Pick<Gpu, "used_memory" | "total_memory">): number | null =>
  used_memory !== null && total_memory !== null && total_memory > 0 ? used_memory / total_memory : null;

const THROTTLE_WORDS: Readonly<Record<string, Note>> = {
  thermal: { severity: "critical", text: "throttled: heat", briefs: ["heat"] },
  hardware: { severity: "critical", text: "throttled: hardware", briefs: ["hardware"] },
  power_brake: { severity: "critical", text: "throttled: power brake", briefs: ["power brake", "brake"] },
  power: { severity: "information", text: "at power limit", briefs: ["power"] },
  sync: { severity: "information", text: "sync boost" },
  application: { severity: "information", text: "clock set" },
};

const warning = (text: string, ...briefs: string[]): Note => ({ severity: "warning", text, briefs });
const critical = (text: string, ...briefs: string[]): Note => ({ severity: "critical", text, briefs });

type Health = NonNullable<Gpu["health"]>;

function memoryNotes({ ecc, remapped_rows: rows }: Health): Note[] {
  const notes: Note[] = [];
  if (rows?.failure) notes.push(critical("row remap failed", "remap fail", "bad row"));
  if (rows?.pending) notes.push(warning("remap pending", "remap due", "remap"));
  const [uncorrected, corrected] = [ecc?.uncorrected_volatile ?? 0, ecc?.corrected_volatile ?? 0];
  if (uncorrected > 0)
    notes.push(warning(`ECC ${whole(uncorrected)} uncorrected`, `ECC ${whole(uncorrected)} unc.`, "ECC unc."));
  else if (corrected > 0) {
    const count = `ECC ${whole(corrected)}`;
    notes.push({ severity: "information", text: `${count} corrected`, briefs: [`${count} corr.`, count] });
  }
  return notes;
}

function linkNotes({ pcie, nvlink }: Health): Note[] {
  const notes: Note[] = [];
  const down = (nvlink ?? []).filter(({ state }) => state === "inactive");
  if (down.length > 0)
    notes.push(warning(`NVLink ${down.map((link) => link.link_index).join(" ")} down`, "NVLink down", "NVLink"));
  // Generation drops to save power when idle; lanes do not come back.
  if (pcie?.width && pcie.width_max && pcie.width < pcie.width_max) {
    notes.push(warning(`PCIe x${whole(pcie.width)} of x${whole(pcie.width_max)}`, `PCIe x${whole(pcie.width)}`));
  }
  return notes;
}

function heatNotes({ temperature, temperature_threshold_slowdown: slowdown }: Gpu): Note[] {
  if (temperature === null || slowdown === null || temperature < slowdown - NEAR_SLOWDOWN_C) return [];
  return [critical(`${celsius(temperature)}, slows at ${celsius(slowdown)}`, celsius(temperature))];
}

/** Values that stay unknown, as the call for them hangs or crashes the driver's library. */
const notAskedNotes = ({ detail }: Gpu): Note[] =>
  detail["not asked"] ? [warning(`not asked: ${detail["not asked"]}`, "part unread", "unread")] : [];

const rank: Readonly<Record<Severity, number>> = { information: 0, warning: 1, critical: 2 };

/** Of an XID the number says it all to those who know them. */
function lostNote(reason: string): Note {
  const [, xid] = /^(XID \d+)\b/.exec(reason) ?? [];
  return critical(reason === "" ? "lost" : reason, ...(xid === undefined ? [] : [xid]));
}

/** What is wrong with a GPU or bears on its speed, the worst first. */
export function gpuNotes(gpu: Gpu): Note[] {
  if (gpu.lost) return [lostNote(gpu.lost.reason)];
  const throttle = (gpu.health?.throttle ?? []).map((reason) => THROTTLE_WORDS[reason] ?? warning(reason));
  const health = gpu.health ? [...linkNotes(gpu.health), ...memoryNotes(gpu.health)] : [];
  return [...throttle, ...heatNotes(gpu), ...health, ...notAskedNotes(gpu)].sort(
    (a, b) => rank[b.severity] - rank[a.severity],
  );
}

/** The name without its maker, where the maker goes without saying. */
export const shortGpuName = (name: string): string => name.replace(/^(NVIDIA|Nvidia)\s+(GeForce\s+)?/, "").trim();

/** `8× H100 80GB HBM3`, `4× A100 + 2× T4`; last those that have not said what they are, `1 unnamed`. */
export function gpuModels(gpus: readonly Gpu[]): string {
  const counts = new Map<string, number>();
  for (const { name } of gpus) counts.set(shortGpuName(name), (counts.get(shortGpuName(name)) ?? 0) + 1);
  const unnamed = counts.get("") ?? 0;
  counts.delete("");
  const named = [...counts].map(([name, count]) => `${count}× ${name}`);
  return [...named, ...(unnamed > 0 ? [`${unnamed} unnamed`] : [])].join(" + ");
}

/** What the machine's devices are called all together. */
export function deviceWord(gpus: readonly Gpu[]): string {
  const types = new Set(gpus.map(({ device_type }) => device_type));
  return types.size === 1 ? ([...types][0] ?? "GPU") : "GPU";
}

const descending = (of: (gpu: Gpu) => number | null) => (a: Gpu, b: Gpu) => (of(b) ?? -1) - (of(a) ?? -1);

export interface NumberedGpu {
  readonly gpu: Gpu;
  readonly number: string;
}

/** In the order chosen. A filter that names GPUs (`#3`, a model) leaves only those. */
export function shownGpus(gpus: readonly Gpu[], sort: GpuSort, filter: string): NumberedGpu[] {
  const numbered = gpus.map((gpu, place) => ({ gpu, number: gpuNumber(gpu, place) }));
  const wanted = numbered.filter(({ gpu, number }) => isNamed(gpu, number, filter));
  const shown = wanted.length > 0 ? wanted : numbered;
  if (sort === "utilization") shown.sort((a, b) => descending((gpu) => gpu.utilization)(a.gpu, b.gpu));
  if (sort === "memory") shown.sort((a, b) => descending(memoryShare)(a.gpu, b.gpu));
  return shown;
}

/** Whether a filter names this GPU: `#3`, or a part of its model's name. */
export function isNamed(gpu: Gpu, number: string, filter: string): boolean {
  if (filter === "") return true;
  return filter.startsWith("#") ? filter === `#${number}` : gpu.name.toLowerCase().includes(filter.toLowerCase());
}
