import { SHARED_MEMORY } from "../../shared_memory.ts";
import type { NvidiaCard, NvidiaProcess } from "../card.ts";
import { Beat } from "./beat.ts";
import type { Complaints } from "./complaints.ts";
import { CardLost, type Device } from "./device.ts";
import {
  readGraphicsClock,
  readMemory,
  readPerformanceState,
  readTemperature,
  readUtilization,
  readWatts,
  sharesMemory,
} from "./gauges.ts";
import { GPM, GpmMetrics, supportsGpm } from "./gpm.ts";
import { type Faults, HealthReader } from "./health.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { MemoryFaultReader } from "./memory_faults.ts";
import { MigReader } from "./mig.ts";
import { CardName } from "./name.ts";
import { NvLinkReader } from "./nvlink.ts";
import type { Nvml } from "./nvml.ts";
import { ProcessReader } from "./processes.ts";
import { identityKeys, kept, type Row, silentRow, unknownRow, type Writable } from "./row.ts";
import { type Modes, readMigMode, readSettings, type Settings } from "./settings.ts";
import { readSteady, type Steady } from "./steady.ts";

/** When a reading is made. */
export interface Moment {
  /** Wall clock, ms since the epoch. */
  readonly t_ms: number;
  readonly monotonic_ms: number;
}

/** What need not be read ten times a second, averages of counters among it; a little less than a second, so that it is in each cycle of a second. */
const STEADY_BEAT_MS = 900;
/** What can be an event, but is many calls, is looked at after this: links, bad memory, and which MIG instances there are. */
const EVENT_BEAT_MS = 2000;
/** Settings and whatever else changes seldom or takes long. */
const SLOW_BEAT_MS = 10_000;
/** Cards whose beats lie apart. */
const STAGGERED = 8;

const ENABLED = 1;

/** What is set up for a card at its first reading. */
interface Parts {
  readonly identity: Identity;
  readonly links: NvLinkReader;
  readonly memory: MemoryFaultReader;
  readonly mig: MigReader;
  readonly activity: GpmMetrics | null;
  readonly health: HealthReader;
  readonly sharesMemory: boolean;
  /** No call failed for it. */
  readonly isWhole: boolean;
}

/** Reads one card, cycle by cycle. */
export class CardReader {
  readonly device: Device;
  readonly index: number;
  readonly name: CardName;
  readonly #nvml: Nvml;
  readonly #driverDetail: Readonly<Record<string, string>>;
  readonly #processes = new ProcessReader();
  readonly #steadyBeat = new Beat(STEADY_BEAT_MS, 0, 1);
  readonly #eventBeat: Beat;
  readonly #slowBeat: Beat;
  #parts: Parts | null = null;
  #mig: Modes = { current: null, pending: null };
  #settings: Settings | null = null;
  #steady: Steady | null = null;
  #used: readonly NvidiaProcess[] = [];
  /** Percentages; what is counted between two samples is not known at first. */
  #activity: readonly (number | null)[] | null = null;
  #faults: Faults | null = null;
  /** The same object in all readings: what each cycle throws away makes the heap larger, by 0.2 MiB with eight cards. */
  readonly #row: Writable<Row>;

  constructor(nvml: Nvml, device: Device, index: number, driverDetail: Readonly<Record<string, string>>) {
    this.#nvml = nvml;
    this.device = device;
    this.index = index;
    this.name = new CardName(device);
    this.#driverDetail = driverDetail;
    this.#row = unknownRow(device.uuid, index);
    this.#eventBeat = new Beat(EVENT_BEAT_MS, index, STAGGERED);
    this.#slowBeat = new Beat(SLOW_BEAT_MS, index, STAGGERED);
  }

  get complaints(): Complaints {
    return this.device.complaints;
  }

  /** What uses it, as of the last reading. */
  get processes(): readonly NvidiaProcess[] {
    return this.#used;
  }

  /** With `all`, also what is due only later: something happened to the card. The row is good until the next reading. */
  read(moment: Moment, all: boolean): NvidiaCard {
    try {
      this.name.find();
      const isNews = this.#readMode() || all;
      const isSteadyDue = this.#steadyBeat.comes(moment.monotonic_ms, isNews || this.#steady === null);
      const isSlowDue = this.#slowBeat.comes(moment.monotonic_ms, isNews || this.#settings === null);
      const isEventDue = this.#eventBeat.comes(moment.monotonic_ms, isNews || this.#faults === null);
      const parts = this.#partsFor(isSlowDue);
      const settings = isSlowDue || this.#settings === null ? this.#readSlow(parts) : this.#settings;
      this.#settings = settings;
      const faults = isEventDue || this.#faults === null ? this.#readFaults(parts) : this.#faults;
      this.#faults = faults;
      const steady = isSteadyDue || this.#steady === null ? readSteady(this.device) : this.#steady;
      this.#steady = steady;
      if (isSteadyDue) this.#used = this.#readProcesses(parts, moment);
      if (isSteadyDue || !this.#activity?.some(isKnown)) this.#activity = this.#isMig ? null : readActivity(parts);
      this.#readRow(parts, settings, steady, faults, moment);
      this.device.isSettled = true;
      return { pci: this.name.pci, lost: null, row: this.#row };
    } catch (error) {
      if (!(error instanceof CardLost)) throw error;
      this.#steady = null;
      this.#used = NO_PROCESSES;
      return this.lost(error.message);
    }
  }

  /** The card as one that does not answer. */
  lost(reason: string): NvidiaCard {
    const { uuid } = this.device;
    const identity = this.#parts?.identity;
    return {
      pci: this.name.pci,
      lost: reason,
      row: identity ? silentRow(uuid, this.index, identity, this.#row.total_memory) : unknownRow(uuid, this.index),
    };
  }

  get #isMig(): boolean {
    return this.#mig.current === ENABLED;
  }

  /** Whether it is another one than before. One that cannot be read is taken for the last one. */
  #readMode(): boolean {
    const before = this.#mig;
    const mode = readMigMode(this.device);
    if (mode.current === null || (mode.current === before.current && mode.pending === before.pending)) return false;
    this.#mig = mode;
    if (before.current !== null && mode.current !== before.current) this.#startOver();
    return before.current !== null;
  }

  /** Another mode supports other functions: everything is found out anew. */
  #startOver(): void {
    this.device.forgetRefusals();
    this.close();
    this.#parts = null;
    this.#settings = null;
    this.#faults = null;
  }

  /** Gives back what the library holds for it. */
  close(): void {
    this.#parts?.activity?.free();
    this.#parts?.mig.enumerate(false);
  }

  /** What could not be found out completely is found out again, at the slow beat. */
  #partsFor(isSlowDue: boolean): Parts {
    const before = this.#parts;
    const parts = before === null || (isSlowDue && !before.isWhole) ? this.#open(before) : before;
    this.#parts = parts;
    return parts;
  }

  #open(before: Parts | null): Parts {
    const { device } = this;
    const failed = this.complaints.count;
    const hasGpm = supportsGpm(device);
    const metrics = [GPM.sm_occupancy, GPM.memory_bandwidth, GPM.any_tensor];
    const parts = {
      identity: readIdentity(device, this.#driverDetail),
      links: new NvLinkReader(device),
      memory: before?.memory ?? new MemoryFaultReader(device),
      mig: before?.mig ?? new MigReader(this.#nvml, device, hasGpm),
      activity: before?.activity ?? (hasGpm ? new GpmMetrics(this.#nvml, device, null, metrics) : null),
      health: before?.health ?? new HealthReader(device),
      sharesMemory: before?.sharesMemory ?? (!this.#isMig && sharesMemory(device)),
    };
    return { ...parts, isWhole: this.complaints.count === failed };
  }

  #readSlow(parts: Parts): Settings {
    const settings = readSettings(this.device, this.#mig);
    parts.health.slowIsDue();
    const nvlink_remote_devices = parts.links.readRemoteDevices();
    const detail = kept(this.#row.detail, {
      ...parts.identity.detail,
      ...(parts.sharesMemory && { memory: SHARED_MEMORY }),
      ...settings.detail,
    });
    Object.assign(this.#row, identityKeys(parts.identity), { detail, nvlink_remote_devices });
    return settings;
  }

  #readFaults(parts: Parts): Faults {
    parts.mig.enumerate(this.#isMig);
    return { ...parts.memory.read(), nvlink: parts.links.read() };
  }

  #readRow(parts: Parts, settings: Settings, steady: Steady, faults: Faults, { monotonic_ms }: Moment): void {
    const { device } = this;
    const row = this.#row;
    const isMig = this.#isMig;
    const utilization = isMig ? { gpu: null, memory: null } : readUtilization(device);
    const memory = readMemory(device);
    // Of a chip without memory of its own the library says 0, whatever happens.
    const memoryUtilization = memory.total === null ? null : utilization.memory;
    const activity = this.#activity;
    row.uuid = device.uuid;
    row.utilization = utilization.gpu;
    row.tensorcore_utilization = activity?.[2] ?? null;
    row.temperature = readTemperature(device);
    row.used_memory = memory.used;
    row.total_memory = memory.total;
    // Where the key has 0 it is unknown.
    row.frequency = readGraphicsClock(device) || null;
    row.power_consumption = readWatts(device, "nvmlDeviceGetPowerUsage");
    row.performance_state = readPerformanceState(device);
    row.fan_speed_rpm = steady.fan_speed_rpm;
    row.gpm_metrics = activity ? kept(row.gpm_metrics, ratios(activity)) : null;
    row.mig = isMig ? parts.mig.read() : null;
    row.health = parts.health.read(parts.identity, settings, steady, memoryUtilization, faults, monotonic_ms);
  }

  #readProcesses(parts: Parts, { t_ms }: Moment): readonly NvidiaProcess[] {
    return this.#processes.read(this.device, (this.#isMig ? parts.mig.devices : null) ?? [this.device], t_ms);
  }
}

const NO_PROCESSES: readonly NvidiaProcess[] = [];

const isKnown = (percent: number | null): boolean => percent !== null;

const readActivity = ({ activity }: Parts): readonly (number | null)[] | null => activity?.read() ?? null;

const ratio = (percent: number | null | undefined): number | null => (percent == null ? null : percent / 100);

const ratios = (percentages: readonly (number | null)[]): NonNullable<Row["gpm_metrics"]> => ({
  sm_occupancy: ratio(percentages[0]),
  memory_bandwidth_utilization: ratio(percentages[1]),
});
