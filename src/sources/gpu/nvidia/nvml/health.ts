import { plausible } from "../../../plausible.ts";
import type { Device } from "./device.ts";
import { FIELD, FieldList } from "./fields.ts";
import { readClock, readThrottle } from "./gauges.ts";
import { type Identity, MEMORY_CLOCK, SM_CLOCK } from "./identity.ts";
import type { MemoryFaults } from "./memory_faults.ts";
import { linkCapacity, measureTraffic, type PcieRates, PcieTraffic } from "./pcie.ts";
import { type Health, kept, type Writable } from "./row.ts";
import type { Settings } from "./settings.ts";
import type { Steady } from "./steady.ts";

/** Read in each cycle by one call, in this order. */
const REQUESTS = [
  FIELD.memory_temperature,
  FIELD.ecc_corrected_volatile,
  FIELD.ecc_uncorrected_volatile,
  FIELD.ecc_corrected_aggregate,
  FIELD.ecc_uncorrected_aggregate,
  FIELD.pcie_replays,
  FIELD.pcie_rx_bytes,
  FIELD.pcie_tx_bytes,
] as const;

const FIRST_ECC = 1;
const REPLAYS = 5;
const RX = 6;
const TX = 7;

/** What is looked at less often than the rest. */
export type Faults = MemoryFaults & Pick<Health, "nvlink">;

const UNREAD_PCIE: NonNullable<Health["pcie"]> = {
  generation: null,
  generation_max: null,
  width: null,
  width_max: null,
  replays: null,
  rx_bytes_per_second: null,
  tx_bytes_per_second: null,
};

const UNREAD_CLOCKS: NonNullable<Health["clocks"]> = {
  sm: null,
  sm_max: null,
  memory: null,
  memory_max: null,
  video: null,
  video_max: null,
};

/** In the schema's order, which is the quickest to encode. */
const UNREAD: Health = {
  throttle: null,
  power_limit_watts: null,
  memory_temperature: null,
  hotspot_temperature: null,
  memory_utilization: null,
  fan_percent: null,
  ecc: null,
  remapped_rows: null,
  retired_pages: null,
  retired_pages_pending: null,
  pcie: null,
  nvlink: null,
  clocks: null,
  encoder: null,
  decoder: null,
  jpeg: null,
  ofa: null,
};

/** What a post-mortem needs to know of one card. Makes as little anew in a cycle as it can: what is thrown away makes the heap larger. */
export class HealthReader {
  readonly #device: Device;
  readonly #fields: FieldList;
  readonly #traffic = new PcieTraffic();
  readonly #pcie: Writable<typeof UNREAD_PCIE> = { ...UNREAD_PCIE };
  readonly #clocks: Writable<typeof UNREAD_CLOCKS> = { ...UNREAD_CLOCKS };
  readonly #health: Writable<Health> = { ...UNREAD, pcie: this.#pcie, clocks: this.#clocks };
  #measured: PcieRates | null = null;
  #isMeasureDue = false;

  constructor(device: Device) {
    this.#device = device;
    this.#fields = new FieldList(
      device,
      REQUESTS.map((id) => ({ id, scope: 0 })),
    );
  }

  /** What takes so long that it is not read in each cycle is read in the next one. */
  slowIsDue(): void {
    this.#isMeasureDue = true;
  }

  /** The same object each time, as it is now. */
  read(
    identity: Identity,
    settings: Settings,
    steady: Steady,
    memory_utilization: number | null,
    faults: Faults,
    monotonic_ms: number,
  ): Health {
    const device = this.#device;
    const health = this.#health;
    this.#fields.read();
    health.throttle = readThrottle(device);
    health.power_limit_watts = steady.power_limit_watts;
    health.memory_temperature = plausible("chip_celsius", this.#fields.value(0));
    health.memory_utilization = memory_utilization;
    health.fan_percent = steady.fan_percent;
    health.ecc = this.#readEcc();
    health.remapped_rows = faults.remapped_rows;
    health.retired_pages = faults.retired_pages;
    health.retired_pages_pending = faults.retired_pages_pending;
    this.#readPcie(settings, steady, monotonic_ms);
    health.nvlink = faults.nvlink;
    this.#readClocks(steady, identity);
    health.encoder = steady.encoder;
    health.decoder = steady.decoder;
    health.jpeg = steady.jpeg;
    health.ofa = steady.ofa;
    return health;
  }

  #readEcc(): Health["ecc"] {
    const corrected_volatile = this.#countEcc(0);
    const uncorrected_volatile = this.#countEcc(1);
    const corrected_aggregate = this.#countEcc(2);
    const uncorrected_aggregate = this.#countEcc(3);
    const first = corrected_volatile ?? uncorrected_volatile ?? corrected_aggregate ?? uncorrected_aggregate;
    if (first === null) return null;
    const ecc = { corrected_volatile, uncorrected_volatile, corrected_aggregate, uncorrected_aggregate };
    return kept(this.#health.ecc, ecc);
  }

  #countEcc(which: number): number | null {
    return plausible("count", this.#fields.value(FIRST_ECC + which)) ?? this.#readOneEcc(which);
  }

  /** By a function that takes the kind of error (0 corrected, 1 not) and of counter (0 volatile, 1 aggregate). */
  #readOneEcc(which: number): number | null {
    const { out } = this.#device;
    const isThere = this.#device.reads("nvmlDeviceGetTotalEccErrors", which, which & 1, which >> 1, out.address);
    return isThere ? plausible("count", out.known64(0)) : null;
  }

  #readPcie(settings: Settings, steady: Steady, monotonic_ms: number): void {
    const { generationMax, widthMax } = settings.pcie;
    const rates = this.#readTraffic(generationMax, widthMax, monotonic_ms);
    const pcie = this.#pcie;
    pcie.generation = steady.pcieGeneration;
    pcie.generation_max = generationMax;
    pcie.width = steady.pcieWidth;
    pcie.width_max = widthMax;
    pcie.replays =
      plausible("count", this.#fields.value(REPLAYS)) ??
      plausible("count", this.#device.unsigned("nvmlDeviceGetPcieReplayCounter"));
    pcie.rx_bytes_per_second = rates.rx_bytes_per_second;
    pcie.tx_bytes_per_second = rates.tx_bytes_per_second;
  }

  #readClocks({ videoClock }: Steady, { clocksMax }: Identity): void {
    const clocks = this.#clocks;
    clocks.sm = readClock(this.#device, SM_CLOCK);
    clocks.sm_max = clocksMax.sm;
    clocks.memory = readClock(this.#device, MEMORY_CLOCK);
    clocks.memory_max = clocksMax.memory;
    clocks.video = videoClock;
    clocks.video_max = clocksMax.video;
  }

  #readTraffic(generation: number | null, width: number | null, monotonic_ms: number): PcieRates {
    const rx = this.#fields.value(RX);
    const tx = this.#fields.value(TX);
    const capacity = generation === null || width === null ? null : linkCapacity(generation, width);
    const isNarrow = this.#fields.isNarrow(RX);
    const rates = this.#traffic.rates({ rx, tx, isNarrow }, capacity, monotonic_ms);
    if ((rx !== null || tx !== null) && !this.#traffic.isAmbiguous) return rates;
    if (this.#isMeasureDue) this.#measured = measureTraffic(this.#device);
    this.#isMeasureDue = false;
    return this.#measured ?? rates;
  }
}
