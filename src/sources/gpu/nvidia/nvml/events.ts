import type { Xid } from "../card.ts";
import { type Device, FIRST } from "./device.ts";
import { LAYOUTS } from "./layouts.ts";
import type { Nvml } from "./nvml.ts";
import { SUCCESS } from "./returns.ts";

/** nvmlEventTypeXidCriticalError. */
const XID = 0x8;
/** The driver's word for an XID that it does not know. */
const UNKNOWN_XID = 999;
/** A card in trouble can tell of more than anyone reads. */
const MOST_A_CYCLE = 64;

/** Listens for XIDs, from the moment on at which a card is added. */
export class XidListener {
  readonly #nvml: Nvml;
  readonly #uuids = new Map<number, string>();
  #set: number | null = null;

  constructor(nvml: Nvml) {
    this.#nvml = nvml;
  }

  add(device: Device): void {
    this.#set ??= this.#create();
    if (this.#set === null || !device.reads("nvmlDeviceGetSupportedEventTypes", 0, device.out.address)) return;
    const types = device.out.u32(FIRST) & XID;
    if (types === 0 || !device.reads("nvmlDeviceRegisterEvents", 0, types, this.#set)) return;
    this.#uuids.set(device.handle, device.uuid);
  }

  /** What was reported since the last call; does not wait. */
  poll(t_ms: number): Xid[] {
    const { nvmlEventData_t: layout } = LAYOUTS;
    const xids: Xid[] = [];
    if (this.#set === null || this.#uuids.size === 0) return xids;
    const out = this.#nvml.out;
    for (let n = 0; n < MOST_A_CYCLE; n++) {
      if (this.#nvml.call("nvmlEventSetWait_v2", null, this.#set, out.address, 0) !== SUCCESS) break;
      if ((out.u32(layout.eventType) & XID) === 0) continue;
      const uuid = this.#uuids.get(out.u64(layout.device));
      const code = out.u64(layout.eventData);
      if (uuid !== undefined) xids.push({ uuid, code: code === UNKNOWN_XID ? null : code, t_ms });
    }
    return xids;
  }

  #create(): number | null {
    if (this.#nvml.call("nvmlEventSetCreate", null, this.#nvml.out.address) !== SUCCESS) return null;
    return this.#nvml.out.u64(FIRST);
  }
}
