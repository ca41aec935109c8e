import { decodeChosen, isObject, type Untrusted } from "../../frame/decode.ts";
import type { Frame } from "../../frame/frame.ts";
import { DEVICE_SECTIONS } from "../../frame/hosts.ts";
import type { SectionName } from "../../frame/schema.ts";
import { onlyPlausible } from "../plausible_devices.ts";
import { MOST_READ, type Told } from "./dialects/dialect.ts";
import type { Problem } from "./page.ts";

/** What of a host's own frame is wanted. */
export interface Wanted {
  readonly include: readonly SectionName[];
  readonly perCore: boolean;
}

/** And how much of it at most. */
export interface Choice extends Wanted {
  /** Rows of processes. */
  readonly processes: number;
}

/** Of one device: links, instances, fans, words of `detail`. Threads are more. */
const MOST_PARTS = 256;
const MOST_CORES = 8192;
/** In a text of so many characters there is nothing that costs much. */
const SHORT = 256 << 10;
/** Errors and events of a frame: more than are kept. */
const MOST_SAYINGS = 64;

/** An object or a list with no more in it than any device has: itself, where it has no more. */
function bounded(value: unknown, key: string): unknown {
  const most = key === "per_core_utilization" ? MOST_CORES : MOST_PARTS;
  if (Array.isArray(value)) return value.length <= most ? value : value.slice(0, most);
  if (!isObject(value)) return value;
  const changed: [string, unknown][] = [];
  let count = 0;
  for (const name in value) {
    if (count++ === most) return Object.fromEntries(Object.entries(value).slice(0, most));
    const part = bounded(value[name], name);
    if (part !== value[name]) changed.push([name, part]);
  }
  return changed.length === 0 ? value : { ...value, ...Object.fromEntries(changed) };
}

const memoryOf = (process: Untrusted): number => (typeof process.used_memory === "number" ? process.used_memory : -1);

/** Those that use a GPU, the largest first. */
function largest(processes: readonly unknown[], most: number): Untrusted[] {
  const own = processes.filter((one): one is Untrusted => isObject(one) && one.uses_gpu === true);
  return own.sort((a, b) => memoryOf(b) - memoryOf(a)).slice(0, most);
}

/** Most of a frame are cores and processes that are not kept: what is not decoded costs little. */
function choose(frame: Untrusted, { include, perCore, processes }: Choice, isShort: boolean): Untrusted {
  const cut = isShort ? (value: unknown) => value : bounded;
  const { schema, t, timestamp, seq, hostname, errors, events, scrapes } = frame;
  const chosen: Record<string, unknown> = { schema, t, timestamp, seq, hostname };
  for (const [key, list] of Object.entries({ errors, events, scrapes })) {
    if (Array.isArray(list)) chosen[key] = list.slice(0, MOST_SAYINGS);
  }
  for (const name of include) {
    const list = frame[name];
    if (!Array.isArray(list)) chosen[name] = cut(list, name);
    else if (name === "processes") chosen[name] = largest(list, processes);
    else chosen[name] = list.slice(0, MOST_READ).map((device) => cut(perCore ? device : withoutCores(device), ""));
  }
  return chosen;
}

const withoutCores = (device: unknown): unknown =>
  isObject(device) && device.per_core_utilization !== undefined ? { ...device, per_core_utilization: [] } : device;

/** Our own API's answer, and what tells it from the one before. */
export interface Snapshot {
  readonly told: Told;
  /** The frame's own time and number: the same frame may be served twice. */
  readonly moment: string;
}

/** What `/snapshot` of our own API and of the Rust tool's answers; `null` for other JSON. */
export function readSnapshot(text: string, wanted: Choice): Snapshot | Problem | null {
  const line = decodeChosen(text, (frame) => choose(frame, wanted, text.length <= SHORT));
  if (line.kind !== "frame") return null;
  const { frame } = line;
  if (hasSeveralHosts(frame)) return "several hosts behind it";
  const { gpus, cpus, memory, chassis, processes, storage, hostname, events = [], errors } = frame;
  const found = { gpus, cpus, memory, chassis, processes, storage };
  const told = Object.fromEntries(Object.entries(found).filter(([, devices]) => devices !== undefined));
  return { told: { sections: onlyPlausible(told), hostname, events, errors }, moment: `${frame.t_ms} ${frame.seq}` };
}

function hasSeveralHosts(frame: Frame): boolean {
  const hosts = new Set(DEVICE_SECTIONS.flatMap((name) => (frame[name] ?? []).map(({ host_id }) => host_id)));
  return hosts.size > 1 || (frame.scrapes?.length ?? 0) > 1;
}
