import { plausible } from "../../../plausible.ts";
import type { NvidiaProcess } from "../card.ts";
import type { Device } from "./device.ts";
import { LAYOUTS } from "./layouts.ts";
import { NativeMemory } from "./memory.ts";
import { INSUFFICIENT_SIZE, isNothing, SUCCESS } from "./returns.ts";
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
/** No list is longer; a library that says so is out of order. */
const MOST_ENTRIES = 65_536;
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
    const used = this.#memoryOfAll(card, devices);
    if (used.size === 0) return [];
    const shares = this.#utilization(card, t_ms);
    const processes: NvidiaProcess[] = [];
    for (const [pid, used_memory] of used) {
      const utilization = shares === null ? null : (shares.get(pid)?.percent ?? 0);
      processes.push({ pid, uuid: card.uuid, used_memory, utilization });
    }
    return processes;
  }

  /** Where the instances have no lists, as on the host of virtual GPUs, the card's tell of all. */
  #memoryOfAll(card: Device, devices: readonly Device[]): Map<number, number | null> {
    const lists = devices.map((device) => this.#memoryOf(device));
    if (devices.length > 0 && lists.every((list) => list === null)) return this.#memoryOf(card) ?? new Map();
    const used = new Map<number, number | null>();
    for (const list of lists) if (list !== null) addTo(used, list);
    return used;
  }

  /** Bytes by pid; a process that computes and draws is in two lists. `null`: it has none of the lists. */
  #memoryOf(device: Device): Map<number, number | null> | null {
    const used = new Map<number, number | null>();
    const isPadded = hasPaddedEntries(device);
    let hasAny = false;
    for (const [newest, newer, old] of LISTS) {
      const hasThis =
        (!isPadded && this.#list(device, newest, used, INFO)) ||
        this.#list(device, newer, used, INFO) ||
        this.#list(device, old, used, OLD_INFO);
      hasAny ||= hasThis;
    }
    return hasAny ? used : null;
  }

  /** Whether the card has such a list. */
  #list(
    device: Device,
    name: FunctionName,
    used: Map<number, number | null>,
    layout: typeof INFO | typeof OLD_INFO,
  ): boolean {
    const count = this.#fill(device, name, layout.size, null);
    if (count === null) return false;
    for (let n = 0; n < count; n++) {
      const at = HEADER_BYTES + n * layout.size;
      const bytes = plausible("bytes", this.#memory.known64(at + layout.usedGpuMemory));
      const pid = this.#memory.u32(at + layout.pid);
      used.set(pid, most(used.get(pid), bytes));
    }
    return true;
  }

  /** By pid the share of the SMs' time, of those that used it lately; `null`: the card does not tell. */
  #utilization(card: Device, t_ms: number): Map<number, Share> | null {
    const since_us = (t_ms - UTILIZATION_WINDOW_MS) * 1000;
    const count = this.#fill(card, "nvmlDeviceGetProcessUtilization", SAMPLE.size, since_us);
    if (count === null) return null;
    const latest = new Map<number, Share>();
    for (let n = 0; n < count; n++) {
      const at = HEADER_BYTES + n * SAMPLE.size;
      const at_us = this.#memory.u64(at + SAMPLE.timeStamp);
      const pid = this.#memory.u32(at + SAMPLE.pid);
      const before = latest.get(pid);
      if (before && before.at_us > at_us) continue;
      const percent = plausible("percent", this.#memory.u32(at + SAMPLE.smUtil));
      if (percent !== null) latest.set(pid, { at_us, percent });
    }
    return latest;
  }

  /**
   * Calls a function that fills in entries, with room for all; how many there are, `null` where it tells nothing.
   * `since_us`: that of samples, which take the arguments in another order.
   */
  #fill(device: Device, name: FunctionName, entryBytes: number, since_us: number | null): number | null {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const count = this.#memory.address;
      const entries = count + HEADER_BYTES;
      const room = Math.floor((this.#memory.lengthBytes - HEADER_BYTES) / entryBytes);
      this.#memory.setU32(0, room);
      const code =
        since_us === null ? device.call(name, 0, count, entries) : device.call(name, 0, entries, count, since_us);
      const told = this.#memory.u32(0);
      if (code === SUCCESS && told <= room) return told;
      if (isNothing(code)) return 0;
      if (code !== SUCCESS && code !== INSUFFICIENT_SIZE) {
        device.tell(name, code);
        return null;
      }
      if (told > MOST_ENTRIES) break;
      this.#memory = new NativeMemory(HEADER_BYTES + (2 * told + 5) * SAMPLE.size);
    }
    device.tell(name, INSUFFICIENT_SIZE);
    return null;
  }
}

/** A process's part of the SMs' time, and when it was measured. */
interface Share {
  readonly at_us: number;
  readonly percent: number;
}

const most = (known: number | null | undefined, bytes: number | null): number | null =>
  known === undefined || known === null ? bytes : Math.max(known, bytes ?? 0);

/** Sums over the instances of a card; unknown in one of them is unknown in all, as a part is not the whole. */
function addTo(total: Map<number, number | null>, more: ReadonlyMap<number, number | null>): void {
  for (const [pid, bytes] of more) {
    const known = total.get(pid);
    total.set(pid, known === undefined ? bytes : known === null || bytes === null ? null : known + bytes);
  }
}

/** In the first drivers of version 535 the entries of the newest lists were longer by 8 bytes; told by what else they have. */
const hasPaddedEntries = (device: Device): boolean =>
  device.has("nvmlDeviceGetConfComputeMemSizeInfo") && !device.has("nvmlDeviceGetRunningProcessDetailList");
