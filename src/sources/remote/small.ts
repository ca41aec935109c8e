import type { Sections } from "../../frame/frame.ts";
import { type Part, withoutParts } from "../../frame/parts.ts";
import type { FrameEvent, Process, SectionName } from "../../frame/schema.ts";
import type { HostIdentity } from "../source.ts";
import type { Commands } from "./commands.ts";
import { detached, MOST_DEVICES, type Told } from "./dialects/dialect.ts";

/** Of one host, in one frame. */
const MOST_ERRORS = 8;
const LONGEST_ERROR = 200;
const MOST_EVENTS = 32;

const LONGEST_HOSTNAME = 255;

/** Those that use a GPU, the largest first. */
function gpuProcesses(processes: readonly Process[], most: number): Process[] {
  const own = processes.filter(({ uses_gpu }) => uses_gpu);
  return own.sort((a, b) => (b.used_memory ?? -1) - (a.used_memory ?? -1)).slice(0, most);
}

export interface Kept {
  readonly include: readonly SectionName[];
  readonly without: readonly Part[];
  /** Rows of processes at most. */
  readonly processes: number;
  readonly commands: Commands;
}

/** What a frame of many hosts keeps of one: of what was asked for, no more than a real machine has. */
export function keepSmall(told: Told, { include, without, processes, commands }: Kept): Told {
  const kept: Sections = {};
  const cut: string[] = [];
  for (const name of include) {
    const devices = told.sections[name];
    if (devices === undefined) continue;
    kept[name] = devices.slice(0, MOST_DEVICES) as never;
    const isTold = name === "processes" || devices.length <= MOST_DEVICES;
    if (!isTold) cut.push(`${name}: more than ${MOST_DEVICES}: the rest is left out`);
  }
  if (kept.processes) {
    const shown = gpuProcesses(told.sections.processes ?? [], processes);
    kept.processes = shown.map((process) => ({
      ...process,
      process_name: commands.named(process),
      command: commands.shown(process),
    }));
  }
  return {
    ...told,
    hostname: told.hostname === null ? null : detached(told.hostname.slice(0, LONGEST_HOSTNAME)),
    sections: withoutParts(kept, without),
    errors: [...cut, ...(told.errors ?? [])]
      .slice(0, MOST_ERRORS)
      .map((error) => commands.said(error).slice(0, LONGEST_ERROR)),
    events: (told.events ?? []).slice(0, MOST_EVENTS).map((event) => ({ ...event, text: commands.said(event.text) })),
  };
}

/** Devices as those of a host of the frame. */
export function ofHost({ gpus, cpus, memory, chassis, processes, storage }: Sections, host: HostIdentity): Sections {
  const { host_id, hostname } = host;
  return {
    ...(gpus && { gpus: gpus.map((one) => ({ ...one, ...host })) }),
    ...(cpus && { cpus: cpus.map((one) => ({ ...one, ...host })) }),
    ...(memory && { memory: memory.map((one) => ({ ...one, ...host })) }),
    ...(chassis && { chassis: chassis.map((one) => ({ ...one, ...host })) }),
    ...(processes && { processes: processes.map((one) => ({ ...one, host_id })) }),
    ...(storage && { storage: storage.map((one) => ({ ...one, host_id, hostname })) }),
  };
}

export const eventsOfHost = (events: readonly FrameEvent[], host: string): FrameEvent[] =>
  events.map((event) => ({ ...event, host }));

/** `cpu: no cpu line` as it is said where there are several hosts: `cpu@dgx-01:9090: no cpu line`. */
export function errorOfHost(error: string, host_id: string): string {
  const end = error.indexOf(": ");
  return end < 0 ? `remote@${host_id}: ${error}` : `${error.slice(0, end)}@${host_id}${error.slice(end)}`;
}
