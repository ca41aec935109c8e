import type { NvidiaProcess } from "../card.ts";
import type { Device } from "./device.ts";
import { LAYOUTS } from "./layouts.ts";
import { NativeMemory } from "./memory.ts";
import { INSUFFICIENT_SIZE, isFinal, isNoValue, SUCCESS } from "./returns.ts";
import type { FunctionName } from "./signatures.ts";

/** The functions that list processes, newest first; the last one of each knows a smaller structure. */
const LISTS: readonly (readonly [FunctionName, FunctionName, FunctionName])[] = [
  [
    "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetComputeRunningProcesses_v2",
    "nvmlDeviceGetComputeRunningProcesses",
  ],
  [
    "nvmlDeviceGetGraphicsRunningProcesses_v3",
    "nvmlDeviceGetGraphicsRunningProcesses_v2",
    "nvmlDeviceGetGraphicsRunningProcesses",
  ],
  [
    "nvmlDeviceGetMPSComputeRunningProcesses_v3",
    "nvmlDeviceGetMPSComputeRunningProcesses_v2",
    "nvmlDeviceGetMPSComputeRunningProcesses",
  ],
];

/** Entries at first; where more are needed, room is made. */
const ENTRIES = 64;
/** A list can grow between the answer that it is too long and the next call. */
const ATTEMPTS = 4;
/** A process that did not run on the SMs for so long used none of their time. */
const UTILIZATION_WINDOW_MS = 2000;
/** What the count of entries stands in, before them. */
const HEADER_BYTES = 8;

const { nvmlProcessInfo_v2_t: INFO, nvmlProcessInfo_v1_t: OLD_INFO, nvmlProcessUtilizationSample_t: SAMPLE } = LAYOUTS;

/** Reads which processes use a card. */
export class ProcessReader {
  #memory = new NativeMemory(HEADER_BYTES + ENTRIES * SAMPLE.size);

  /** `devices` are the card, or its MIG instances; `t_ms` is the wall clock. */
  read(card: Device, devices: readonly Device[], t_ms: number): NvidiaProcess[] {
    const used = new Map<number, number | null>();
    for (const device of devices) addTo(used, this.#memoryOf(device));
    if (used.size === 0) return [];
    const shares = this.#utilization(card, t_ms);
    return Array.from(used, ([pid, used_memory]) => ({
      pid,
      uuid: card.uuid,
      used_memory,
      utilization: shares === null ? null : (shares.get(pid) ?? 0),
    }));
  }

  /** Bytes by pid; a process that computes and draws is in two lists. */
  #memoryOf(device: Device): Map<number, number | null> {
    const used = new Map<number, number | null>();
    for (const names of LISTS) {
      for (const name of names) {
        if (name === names[0] && hasPaddedEntries(device)) continue;
        if (this.#list(device, name, used, name === names[2] ? OLD_INFO : INFO)) break;
      }
    }
    return used;
  }

  #list(
    device: Device,
    name: FunctionName,
    used: Map<number, number | null>,
    layout: typeof INFO | typeof OLD_INFO,
  ): boolean {
    const count = this.#fill(layout.size, (count, entries) => device.call(name, 0, count, entries), {
      device,
      name,
    });
    if (count === null) return false;
    for (let n = 0; n < count; n++) {
      const at = HEADER_BYTES + n * layout.size;
      const isKnown = !this.#memory.isAllOnes64(at + layout.usedGpuMemory);
      const bytes = isKnown ? this.#memory.u64(at + layout.usedGpuMemory) : null;
      const pid = this.#memory.u32(at + layout.pid);
      used.set(pid, most(used.get(pid), bytes));
    }
    return true;
  }

  /** Percent of the SMs' time by pid, of those that used it lately; `null`: the card does not tell. */
  #utilization(card: Device, t_ms: number): Map<number, number> | null {
    const since_us = (t_ms - UTILIZATION_WINDOW_MS) * 1000;
    const name = "nvmlDeviceGetProcessUtilization";
    const call = (count: number, entries: number) => card.call(name, 0, entries, count, since_us);
    const count = this.#fill(SAMPLE.size, call, { device: card, name });
    if (count === null) return null;
    const latest = new Map<number, { readonly at_us: number; readonly share: number }>();
    for (let n = 0; n < count; n++) {
      const at = HEADER_BYTES + n * SAMPLE.size;
      const at_us = this.#memory.u64(at + SAMPLE.timeStamp);
      const pid = this.#memory.u32(at + SAMPLE.pid);
      if ((latest.get(pid)?.at_us ?? 0) <= at_us) {
        latest.set(pid, { at_us, share: this.#memory.u32(at + SAMPLE.smUtil) });
      }
    }
    return new Map(Array.from(latest, ([pid, { share }]) => [pid, share]));
  }

  /** Makes a call that fills in entries, with room for all; how many there are, `null` where it tells nothing. */
  #fill(
    entryBytes: number,
    call: (count: number, entries: number) => number,
    what: { readonly device: Device; readonly name: FunctionName },
  ): number | null {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      this.#memory.setU32(0, Math.floor((this.#memory.lengthBytes - HEADER_BYTES) / entryBytes));
      const code = call(this.#memory.address, this.#memory.address + HEADER_BYTES);
      if (code === SUCCESS) return this.#memory.u32(0);
      if (isNoValue(code)) return 0;
      if (code !== INSUFFICIENT_SIZE) {
        if (!isFinal(code)) what.device.complain(what.name, code);
        return null;
      }
      this.#memory = new NativeMemory(HEADER_BYTES + (2 * this.#memory.u32(0) + 5) * SAMPLE.size);
    }
    what.device.complain(what.name, INSUFFICIENT_SIZE);
    return null;
  }
}

const most = (known: number | null | undefined, bytes: number | null): number | null =>
  known === undefined || known === null ? bytes : Math.max(known, bytes ?? 0);

/** Sums over the instances of a card. */
function addTo(total: Map<number, number | null>, more: ReadonlyMap<number, number | null>): void {
  for (const [pid, bytes] of more) {
    const known = total.get(pid);
    total.set(pid, known === undefined || known === null ? bytes : known + (bytes ?? 0));
  }
}

/** In the first drivers of version 535 the entries of the newest lists were longer by 8 bytes; told by what else they have. */
const hasPaddedEntries = (device: Device): boolean =>
  device.has("nvmlDeviceGetConfComputeMemSizeInfo") && !device.has("nvmlDeviceGetRunningProcessDetailList");
