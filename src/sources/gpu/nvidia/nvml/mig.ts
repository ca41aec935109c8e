import { Device, FIRST } from "./device.ts";
import { readMemory } from "./gauges.ts";
import { GPM, GpmMetrics } from "./gpm.ts";
import { LAYOUTS } from "./layouts.ts";
import type { Nvml } from "./nvml.ts";
import { EXCLUDED, SUCCESS } from "./returns.ts";
import type { MigInstances } from "./row.ts";

const NAME_BYTES = 96;
const MIB_PER_GIB = 1024;

/** One MIG instance of a card. */
interface Instance {
  readonly device: Device;
  readonly gpuInstance: number | null;
  readonly computeInstance: number | null;
  readonly profile: string;
  readonly activity: GpmMetrics | null;
}

/** The MIG instances of a card, which come and go at run time. */
export class MigReader {
  readonly #nvml: Nvml;
  readonly #card: Device;
  readonly #hasGpm: boolean;
  /** `null`: nobody knows which there are. */
  #instances: readonly Instance[] | null = null;

  constructor(nvml: Nvml, card: Device, hasGpm: boolean) {
    this.#nvml = nvml;
    this.#card = card;
    this.#hasGpm = hasGpm;
  }

  /** `null`: unknown. */
  get devices(): readonly Device[] | null {
    return this.#instances?.map(({ device }) => device) ?? null;
  }

  /** Looks which instances there are; those known before are kept, all of them where nothing is to be found out. */
  enumerate(isMig: boolean): void {
    const found = isMig ? this.#find() : [];
    if (found === null) return;
    for (const one of this.#instances ?? []) if (!found.includes(one)) one.activity?.free();
    this.#instances = found;
  }

  /** `null`: unknown. */
  read(): MigInstances | null {
    const read = this.#readAll();
    if (read === null || read.every(({ used_memory }) => used_memory !== null)) return read;
    // One that does not tell may be gone.
    this.enumerate(true);
    return this.#readAll();
  }

  #readAll(): MigInstances | null {
    if (this.#instances === null) return null;
    return this.#instances.map(({ device, gpuInstance, computeInstance, profile, activity }) => {
      const memory = readMemory(device);
      return {
        gpu_instance: gpuInstance,
        compute_instance: computeInstance,
        uuid: device.uuid,
        profile,
        used_memory: memory.used,
        total_memory: memory.total,
        utilization: activity?.read()[0] ?? null,
      };
    });
  }

  #find(): Instance[] | null {
    const most = this.#card.unsigned("nvmlDeviceGetMaxMigDeviceCount");
    if (most === null) return null;
    const found: Instance[] = [];
    for (let index = 0; index < most; index++) {
      const code = this.#card.call("nvmlDeviceGetMigDeviceHandleByIndex", index + 1, index, this.#card.out.address);
      this.#card.tell("nvmlDeviceGetMigDeviceHandleByIndex", code);
      if (code === EXCLUDED) return null;
      if (code !== SUCCESS) continue;
      const handle = this.#card.out.u64(FIRST);
      const device = new Device(this.#nvml, handle, `${this.#card.uuid} MIG ${index}`, this.#card.complaints);
      device.isSettled = this.#card.isSettled;
      const uuid = device.text("nvmlDeviceGetUUID", NAME_BYTES);
      if (uuid === null) continue;
      device.uuid = uuid;
      const known = this.#instances?.find((one) => one.device.uuid === uuid && one.device.handle === handle);
      found.push(known ?? this.#open(device));
    }
    return found;
  }

  #open(device: Device): Instance {
    const gpuInstance = device.unsigned("nvmlDeviceGetGpuInstanceId");
    const activity =
      this.#hasGpm && gpuInstance !== null ? new GpmMetrics(this.#nvml, this.#card, gpuInstance, [GPM.graphics]) : null;
    return {
      device,
      gpuInstance,
      computeInstance: device.unsigned("nvmlDeviceGetComputeInstanceId"),
      profile: readProfile(device),
      activity,
    };
  }
}

/** `1g.10gb`: at the end of the instance's name, or else put together from its slices. */
function readProfile(device: Device): string {
  const named = device.text("nvmlDeviceGetName", NAME_BYTES)?.match(/ MIG (\S+)$/)?.[1];
  if (named !== undefined) return named;
  const { nvmlDeviceAttributes_t: layout } = LAYOUTS;
  if (!device.reads("nvmlDeviceGetAttributes_v2", 0, device.out.address)) return "";
  const gpuSlices = device.out.u32(layout.gpuInstanceSliceCount);
  const computeSlices = device.out.u32(layout.computeInstanceSliceCount);
  const gib = Math.ceil(device.out.u64(layout.memorySizeMB) / MIB_PER_GIB);
  return `${computeSlices < gpuSlices ? `${computeSlices}c.` : ""}${gpuSlices}g.${gib}gb`;
}
