import type { Xid } from "../card.ts";
import { type Device, FIRST } from "./device.ts";
import { LAYOUTS } from "./layouts.ts";
import type { Nvml } from "./nvml.ts";
import { isCardLost, isFailure, SUCCESS, TIMEOUT } from "./returns.ts";

/** nvmlEventTypeXidCriticalError. */
const XID = 0x8;
/** The driver's word for an XID that it does not know. */
const UNKNOWN_XID = 999;
/** A card in trouble can tell of more than anyone reads. */
const MOST_A_CYCLE = 64;

/** Listens for XIDs, from the moment on at which a card is added. */
export class XidListener {
  readonly #nvml: Nvml;
  readonly #devices = new Map<number, Device>();
  readonly #fails: (name: string, code: number) => void;
  #set: number | null = null;

  /** `fails` is told of calls that fail and concern no card. */
  constructor(nvml: Nvml, fails: (name: string, code: number) => void) {
    this.#nvml = nvml;
    this.#fails = fails;
  }

  add(device: Device): void {
    this.#set ??= this.#create();
    if (this.#set === null || !device.reads("nvmlDeviceGetSupportedEventTypes", 0, device.out.address)) return;
    const types = device.out.u32(FIRST) & XID;
    if (types === 0 || !device.reads("nvmlDeviceRegisterEvents", 0, types, this.#set)) return;
    this.#devices.set(device.handle, device);
  }

  /** What was reported since the last call; does not wait. */
  poll(t_ms: number): Xid[] {
    const { nvmlEventData_t: layout } = LAYOUTS;
    const xids: Xid[] = [];
    if (this.#set === null || this.#devices.size === 0) return xids;
    const out = this.#nvml.out;
    for (let n = 0; n < MOST_A_CYCLE; n++) {
      const code = this.#nvml.call("nvmlEventSetWait_v2", null, this.#set, out.address, 0);
      if (isFailure(code) && code !== TIMEOUT && !isCardLost(code)) this.#fails("nvmlEventSetWait_v2", code);
      if (code !== SUCCESS) break;
      if ((out.u32(layout.eventType) & XID) === 0) continue;
      const uuid = this.#devices.get(out.u64(layout.device))?.uuid;
      const xid = out.u64(layout.eventData);
      if (uuid !== undefined) xids.push({ uuid, code: xid === UNKNOWN_XID ? null : xid, t_ms });
    }
    return xids;
  }

  #create(): number | null {
    if (this.#nvml.call("nvmlEventSetCreate", null, this.#nvml.out.address) !== SUCCESS) return null;
    return this.#nvml.out.u64(FIRST);
  }
}
