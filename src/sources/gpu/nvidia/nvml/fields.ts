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

/** It is asked for no more. */
const REFUSED = -1;

/** The types in which a value may come (nvmlValueType_t). */
const DOUBLE = 0;
const UNSIGNED_INT = 1;
const UNSIGNED_LONG = 2;
const UNSIGNED_LONG_LONG = 3;
const SIGNED_LONG_LONG = 4;
const SIGNED_INT = 5;
const UNSIGNED_SHORT = 6;

/** A list of fields of one card, read by one call. Those that the card does not support are left out from then on. */
export class FieldList {
  readonly #device: Device;
  readonly #memory: NativeMemory;
  /** Where each of the requests stands in memory, or {@link REFUSED}. */
  readonly #slots: Int32Array;
  readonly #requests: readonly FieldRequest[];
  /** Of each of the requests in the last reading; NaN: none. */
  readonly #values: Float64Array;
  #count = 0;
  /** There is a request that is not to be made again. */
  #hasRefused = false;

  constructor(device: Device, requests: readonly FieldRequest[]) {
    this.#device = device;
    this.#requests = requests;
    this.#memory = new NativeMemory(Math.max(1, requests.length) * LAYOUT.size);
    this.#slots = new Int32Array(requests.length);
    this.#values = new Float64Array(requests.length).fill(Number.NaN);
    this.#arrange();
  }

  read(): void {
    if (this.#hasRefused) this.#arrange();
    const isAnswered =
      this.#count > 0 && this.#device.reads("nvmlDeviceGetFieldValues", 0, this.#count, this.#memory.address);
    if (!isAnswered) this.#values.fill(Number.NaN);
    else for (let request = 0; request < this.#slots.length; request++) this.#take(request);
  }

  /** The value of the n-th request in the last reading. */
  value(request: number): number | null {
    const value = this.#values[request] ?? Number.NaN;
    return Number.isNaN(value) ? null : value;
  }

  #take(request: number): void {
    const slot = this.#slots[request] ?? REFUSED;
    if (slot === REFUSED) return;
    const at = slot * LAYOUT.size;
    const code = this.#memory.i32(at + LAYOUT.nvmlReturn);
    if (code === SUCCESS) {
      this.#values[request] = this.#number(this.#memory.u32(at + LAYOUT.valueType), at + LAYOUT.value);
      return;
    }
    this.#values[request] = Number.NaN;
    if (code === NO_PERMISSION) this.#device.denied("nvmlDeviceGetFieldValues");
    if (!this.#device.isRefusal(code)) return;
    this.#slots[request] = REFUSED;
    this.#hasRefused = true;
  }

  /** Whether the value is a counter of 32 bits. */
  isNarrow(request: number): boolean {
    const slot = this.#slots[request] ?? REFUSED;
    return slot !== REFUSED && this.#memory.u32(slot * LAYOUT.size + LAYOUT.valueType) === UNSIGNED_INT;
  }

  /** Leaves out what was refused. */
  #arrange(): void {
    this.#count = 0;
    this.#hasRefused = false;
    this.#requests.forEach(({ id, scope }, request) => {
      if (this.#slots[request] === REFUSED) return;
      const at = this.#count * LAYOUT.size;
      this.#memory.setU32(at + LAYOUT.fieldId, id);
      this.#memory.setU32(at + LAYOUT.scopeId, scope);
      this.#slots[request] = this.#count++;
    });
  }

  #number(type: number, at: number): number {
    if (type === DOUBLE) return this.#memory.f64(at);
    if (type === UNSIGNED_INT) return this.#memory.known32(at) ?? Number.NaN;
    if (type === SIGNED_INT) return this.#memory.i32(at);
    if (type === UNSIGNED_SHORT) return this.#memory.u16(at);
    const isWide = type === UNSIGNED_LONG || type === UNSIGNED_LONG_LONG || type === SIGNED_LONG_LONG;
    return isWide ? (this.#memory.known64(at) ?? Number.NaN) : Number.NaN;
  }
}
