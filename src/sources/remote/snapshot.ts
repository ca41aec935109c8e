import { decodeChosen, isObject, type Untrusted } from "../../frame/decode.ts";
import type { Frame } from "../../frame/frame.ts";
import { DEVICE_SECTIONS } from "../../frame/hosts.ts";
import { type SectionName, sections } from "../../frame/schema.ts";
import type { Told } from "./dialects/dialect.ts";
import type { Problem } from "./page.ts";

/** What of a host's own frame is wanted. */
export interface Wanted {
  readonly include: readonly SectionName[];
  readonly perCore: boolean;
}

const without = (key: string) => (device: unknown) => (isObject(device) ? { ...device, [key]: [] } : device);

/** Most of a frame are cores and processes that are not kept: what is not decoded costs little. */
function choose(frame: Untrusted, { include, perCore }: Wanted): Untrusted {
  const chosen: Record<string, unknown> = { ...frame };
  for (const name of Object.keys(sections)) if (!include.includes(name as SectionName)) delete chosen[name];
  const { processes, cpus } = chosen;
  if (Array.isArray(processes)) chosen.processes = processes.filter((one) => isObject(one) && one.uses_gpu === true);
  if (Array.isArray(cpus) && !perCore) chosen.cpus = cpus.map(without("per_core_utilization"));
  return chosen;
}

/** Our own API's answer, and what tells it from the one before. */
export interface Snapshot {
  readonly told: Told;
  /** The frame's own time and number: the same frame may be served twice. */
  readonly moment: string;
}

/** What `/snapshot` of our own API and of the Rust tool's answers; `null` for other JSON. */
export function readSnapshot(text: string, wanted: Wanted): Snapshot | Problem | null {
  const line = decodeChosen(text, (frame) => choose(frame, wanted));
  if (line.kind !== "frame") return null;
  const { frame } = line;
  if (hasSeveralHosts(frame)) return "several hosts behind it";
  const { gpus, cpus, memory, chassis, processes, storage, hostname, events = [], errors } = frame;
  const found = { gpus, cpus, memory, chassis, processes, storage };
  const told = Object.fromEntries(Object.entries(found).filter(([, devices]) => devices !== undefined));
  return { told: { sections: told, hostname, events, errors }, moment: `${frame.t_ms} ${frame.seq}` };
}

function hasSeveralHosts(frame: Frame): boolean {
  const hosts = new Set(DEVICE_SECTIONS.flatMap((name) => (frame[name] ?? []).map(({ host_id }) => host_id)));
  return hosts.size > 1 || (frame.scrapes?.length ?? 0) > 1;
}
