import type { Device } from "./device.ts";
import { FIELD, FieldList } from "./fields.ts";
import { readClocks, readThrottle } from "./gauges.ts";
import type { Identity } from "./identity.ts";
import type { MemoryFaults } from "./memory_faults.ts";
import { linkCapacity, measureTraffic, type PcieRates, PcieTraffic } from "./pcie.ts";
import { type Health, kept } from "./row.ts";
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

/** What a post-mortem needs to know of one card. Spreads nothing where a cycle passes: to copy keys is dear. */
export class HealthReader {
  readonly #device: Device;
  readonly #fields: FieldList;
  readonly #traffic = new PcieTraffic();
  #measured: PcieRates | null = null;
  #isMeasureDue = false;
  #before: Health | null = null;

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

  read(
    identity: Identity,
    settings: Settings,
    steady: Steady,
    memory_utilization: number | null,
    faults: Faults,
    monotonic_ms: number,
  ): Health {
    const device = this.#device;
    const before = this.#before;
    this.#fields.read();
    const health: Health = {
      throttle: readThrottle(device),
      power_limit_watts: steady.power_limit_watts,
      memory_temperature: this.#fields.value(0),
      hotspot_temperature: null,
      memory_utilization,
      fan_percent: steady.fan_percent,
      ecc: this.#readEcc(),
      remapped_rows: faults.remapped_rows,
      retired_pages: faults.retired_pages,
      retired_pages_pending: faults.retired_pages_pending,
      pcie: kept(before?.pcie, this.#readPcie(settings, steady, monotonic_ms)),
      nvlink: faults.nvlink,
      clocks: kept(before?.clocks, readClocks(device, steady.videoClock, identity.clocksMax)),
      encoder: steady.encoder,
      decoder: steady.decoder,
      jpeg: steady.jpeg,
      ofa: steady.ofa,
    };
    this.#before = health;
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
    return kept(this.#before?.ecc, ecc);
  }

  #countEcc(which: number): number | null {
    return this.#fields.value(FIRST_ECC + which) ?? this.#readOneEcc(which);
  }

  /** By a function that takes the kind of error (0 corrected, 1 not) and of counter (0 volatile, 1 aggregate). */
  #readOneEcc(which: number): number | null {
    const { out } = this.#device;
    const isThere = this.#device.reads("nvmlDeviceGetTotalEccErrors", which, which & 1, which >> 1, out.address);
    return isThere ? out.u64(0) : null;
  }

  #readPcie(settings: Settings, steady: Steady, monotonic_ms: number): NonNullable<Health["pcie"]> {
    const { generationMax, widthMax } = settings.pcie;
    const rates = this.#readTraffic(generationMax, widthMax, monotonic_ms);
    return {
      generation: steady.pcieGeneration,
      generation_max: generationMax,
      width: steady.pcieWidth,
      width_max: widthMax,
      replays: this.#fields.value(REPLAYS) ?? this.#device.unsigned("nvmlDeviceGetPcieReplayCounter"),
      rx_bytes_per_second: rates.rx_bytes_per_second,
      tx_bytes_per_second: rates.tx_bytes_per_second,
    };
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
