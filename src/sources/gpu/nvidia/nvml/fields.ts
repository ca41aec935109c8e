import type { Device } from "./device.ts";
import { LAYOUTS } from "./layouts.ts";
import { NativeMemory } from "./memory.ts";
import { NO_PERMISSION, SUCCESS } from "./returns.ts";

/** Ids of nvmlDeviceGetFieldValues. Those of an NVLink are asked for with the link's number as scope. */
export const FIELD = {
  ecc_corrected_volatile: 3,
  ecc_uncorrected_volatile: 4,
  ecc_corrected_aggregate: 5,
  ecc_uncorrected_aggregate: 6,
  retired_corrected: 29,
  retired_uncorrected: 30,
  retired_pending: 31,
  memory_temperature: 82,
  nvlink_count: 91,
  pcie_replays: 94,
  nvlink_replay_errors: 161,
  nvlink_recovery_errors: 162,
  nvlink_crc_errors: 163,
  nvlink_speed: 164,
  nvlink_state: 165,
  pcie_tx_bytes: 197,
  pcie_rx_bytes: 198,
  nvlink5_recovery_events: 215,
} as const;

export interface FieldRequest {
  readonly id: number;
  /** The link; 0 where the field is the card's. */
  readonly scope: number;
}

const { nvmlFieldValue_t: LAYOUT } = LAYOUTS;

/** The types in which a value may come (nvmlValueType_t). */
const DOUBLE = 0;
const UNSIGNED_INT = 1;
const SIGNED_INT = 5;
const UNSIGNED_SHORT = 6;

/** A list of fields of one card, read by one call. Those that the card does not support are left out from then on. */
export class FieldList {
  readonly #device: Device;
  readonly #memory: NativeMemory;
  /** Where each of the requests stands in memory; -1: it is asked for no more. */
  readonly #slots: Int32Array;
  readonly #requests: readonly FieldRequest[];
  #count = 0;
  #answered = false;
  /** The requests of the last reading that are not to be made again. */
  readonly #refused = new Set<number>();

  constructor(device: Device, requests: readonly FieldRequest[]) {
    this.#device = device;
    this.#requests = requests;
    this.#memory = new NativeMemory(Math.max(1, requests.length) * LAYOUT.size);
    this.#slots = new Int32Array(requests.length);
    this.#arrange();
  }

  read(): void {
    if (this.#refused.size > 0) this.#prune();
    this.#answered =
      this.#count > 0 && this.#device.reads("nvmlDeviceGetFieldValues", 0, this.#count, this.#memory.address);
  }

  /** The value of the n-th request in the last reading. */
  value(request: number): number | null {
    const slot = this.#slots[request] ?? -1;
    if (!this.#answered || slot < 0) return null;
    const at = slot * LAYOUT.size;
    const code = this.#memory.i32(at + LAYOUT.nvmlReturn);
    if (code !== SUCCESS) {
      if (code === NO_PERMISSION) this.#device.denied("nvmlDeviceGetFieldValues");
      if (this.#device.isRefusal(code)) this.#refused.add(request);
      return null;
    }
    return this.#number(this.#memory.u32(at + LAYOUT.valueType), at + LAYOUT.value);
  }

  /** Whether the value is a counter of 32 bits. */
  isNarrow(request: number): boolean {
    const slot = this.#slots[request] ?? -1;
    return slot >= 0 && this.#memory.u32(slot * LAYOUT.size + LAYOUT.valueType) === UNSIGNED_INT;
  }

  /** Leaves out what was refused in the last reading. */
  #prune(): void {
    for (const request of this.#refused) this.#slots[request] = -1;
    this.#refused.clear();
    this.#arrange();
  }

  #arrange(): void {
    this.#count = 0;
    this.#requests.forEach(({ id, scope }, request) => {
      if (this.#slots[request] === -1) return;
      const at = this.#count * LAYOUT.size;
      this.#memory.setU32(at + LAYOUT.fieldId, id);
      this.#memory.setU32(at + LAYOUT.scopeId, scope);
      this.#slots[request] = this.#count++;
    });
    this.#answered = false;
  }

  #number(type: number, at: number): number | null {
    if (type === DOUBLE) return this.#memory.f64(at);
    if (type === UNSIGNED_INT) return this.#memory.u32(at);
    if (type === SIGNED_INT) return this.#memory.i32(at);
    if (type === UNSIGNED_SHORT) return this.#memory.u16(at);
    return this.#memory.u64(at);
  }
}
