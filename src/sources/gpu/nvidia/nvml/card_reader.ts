import type { NvidiaCard, NvidiaProcess } from "../card.ts";
import { CardLost, type Device } from "./device.ts";
import {
  readFanRpm,
  readGraphicsClock,
  readMemory,
  readPerformanceState,
  readTemperature,
  readUtilization,
  readWatts,
} from "./gauges.ts";
import { GPM, GpmMetrics, supportsGpm } from "./gpm.ts";
import { HealthReader } from "./health.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { MigReader } from "./mig.ts";
import { NvLinkReader, type NvLinkReading } from "./nvlink.ts";
import type { Nvml } from "./nvml.ts";
import { ProcessReader } from "./processes.ts";
import { identityKeys, kept, type Row, silentRow, unknownRow } from "./row.ts";
import { type Settings, SettingsReader } from "./settings.ts";

/** When a reading is made. */
export interface Moment {
  /** Wall clock, ms since the epoch. */
  readonly t_ms: number;
  readonly monotonic_ms: number;
}

/** Settings, counters of links and whatever else takes long or changes seldom are read again after this. */
export const SLOW_BEAT_MS = 10_000;
/** By so much the cards' slow readings lie apart, so that they do not all fall into one cycle. */
const STAGGER_MS = 1000;

/** What is set up for a card at its first reading. */
interface Parts {
  readonly identity: Identity;
  readonly settings: SettingsReader;
  readonly links: NvLinkReader;
  readonly mig: MigReader;
  readonly activity: GpmMetrics | null;
  readonly health: HealthReader;
}

interface Slow {
  readonly settings: Settings;
  readonly links: NvLinkReading["links"];
  /** What of the row stays as it is until the next slow reading. */
  readonly row: Row;
}

/** Reads one card, cycle by cycle. */
export class CardReader {
  readonly device: Device;
  readonly index: number;
  readonly #nvml: Nvml;
  readonly #driverDetail: Readonly<Record<string, string>>;
  readonly #complain: (message: string) => void;
  readonly #processes = new ProcessReader();
  #parts: Parts | null = null;
  #slow: Slow | null = null;
  #slowDue_ms = 0;
  #row: Row | null = null;

  constructor(
    nvml: Nvml,
    device: Device,
    index: number,
    driverDetail: Readonly<Record<string, string>>,
    complain: (message: string) => void,
  ) {
    this.#nvml = nvml;
    this.device = device;
    this.index = index;
    this.#driverDetail = driverDetail;
    this.#complain = complain;
  }

  /** With `all`, also what is due only later: something happened to the card. */
  read(moment: Moment, all: boolean): { readonly card: NvidiaCard; readonly processes: readonly NvidiaProcess[] } {
    try {
      this.#parts ??= this.#open();
      const parts = this.#parts;
      if (this.#slow === null || all || moment.monotonic_ms >= this.#slowDue_ms) {
        this.#slow = this.#readSlow(parts, moment);
      }
      const row = this.#readRow(parts, this.#slow, moment);
      const processes = this.#readProcesses(parts, this.#slow, moment);
      this.#row = row;
      return { card: { pci: parts.identity.pci, lost: null, row }, processes };
    } catch (error) {
      if (!(error instanceof CardLost)) throw error;
      return { card: this.lost(error.message), processes: [] };
    }
  }

  /** The card as one that does not answer. */
  lost(reason: string): NvidiaCard {
    const { uuid } = this.device;
    const identity = this.#parts?.identity;
    const total = this.#row?.total_memory ?? null;
    return {
      pci: identity?.pci ?? "",
      lost: reason,
      row: identity ? silentRow(uuid, this.index, identity, total) : unknownRow(uuid, this.index),
    };
  }

  /** Gives back what the library holds for it. */
  close(): void {
    this.#parts?.activity?.free();
    this.#parts?.mig.enumerate(false);
  }

  #open(): Parts {
    const { device } = this;
    const hasGpm = supportsGpm(device);
    const metrics = [GPM.sm_occupancy, GPM.memory_bandwidth, GPM.any_tensor];
    return {
      identity: readIdentity(device, this.#driverDetail),
      settings: new SettingsReader(device),
      links: new NvLinkReader(device),
      mig: new MigReader(this.#nvml, device, hasGpm, this.#complain),
      activity: hasGpm ? new GpmMetrics(this.#nvml, device, null, metrics) : null,
      health: new HealthReader(device),
    };
  }

  #readSlow(parts: Parts, { monotonic_ms }: Moment): Slow {
    const before = this.#slow;
    const stagger_ms = before === null ? (this.index * STAGGER_MS) % SLOW_BEAT_MS : 0;
    this.#slowDue_ms = monotonic_ms + SLOW_BEAT_MS + stagger_ms;
    const settings = parts.settings.read();
    if (before !== null && before.settings.isMig !== settings.isMig) this.#startOver();
    parts.mig.enumerate(settings.isMig);
    parts.health.slowIsDue();
    const { links, remoteDevices } = parts.links.read();
    const row = {
      ...unknownRow(this.device.uuid, this.index),
      ...identityKeys(parts.identity),
      detail: kept(before?.row.detail, { ...parts.identity.detail, ...settings.detail }),
      nvlink_remote_devices: remoteDevices,
    };
    return { settings, links, row };
  }

  /** Another mode supports other functions: in the next reading everything is found out anew. */
  #startOver(): void {
    this.device.forgetRefusals();
    this.close();
    this.#parts = null;
    this.#slowDue_ms = 0;
  }

  #readRow(parts: Parts, { settings, links, row }: Slow, { monotonic_ms }: Moment): Row {
    const { device } = this;
    const utilization = settings.isMig ? { gpu: null, memory: null } : readUtilization(device);
    const memory = readMemory(device);
    // Of a chip without memory of its own the library says 0, whatever happens.
    const memoryUtilization = memory.total === null ? null : utilization.memory;
    const activity = settings.isMig ? null : parts.activity?.read();
    return {
      ...row,
      utilization: utilization.gpu,
      tensorcore_utilization: activity?.[2] ?? null,
      temperature: readTemperature(device),
      used_memory: memory.used,
      total_memory: memory.total,
      frequency: readGraphicsClock(device),
      power_consumption: readWatts(device, "nvmlDeviceGetPowerUsage"),
      performance_state: readPerformanceState(device),
      fan_speed_rpm: readFanRpm(device),
      gpm_metrics: activity ? kept(this.#row?.gpm_metrics, ratios(activity)) : null,
      mig: settings.isMig ? parts.mig.read() : null,
      health: parts.health.read(parts.identity, settings, memoryUtilization, links, monotonic_ms),
    };
  }

  #readProcesses(parts: Parts, { settings }: Slow, { t_ms }: Moment): readonly NvidiaProcess[] {
    return this.#processes.read(this.device, settings.isMig ? parts.mig.devices : [this.device], t_ms);
  }
}

function ratios(percentages: readonly (number | null)[]): NonNullable<Row["gpm_metrics"]> {
  const ratio = (percent: number | null | undefined) => (percent == null ? null : percent / 100);
  return { sm_occupancy: ratio(percentages[0]), memory_bandwidth_utilization: ratio(percentages[1]) };
}
