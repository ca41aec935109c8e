import { gpuFields } from "../../../frame/schema.ts";
import type { Labels, Take } from "../exposition.ts";
import { settersOf } from "../paths.ts";
import { type Dialect, MIB, naturalOf, type PageContext, type PageReader, type Told, textOf } from "./dialect.ts";
import { addThrottle, type GpuDraft, GpuTable, nvidiaUuid } from "./gpu_table.ts";
import { newXids, type Xid } from "./xid.ts";

/** NVIDIA's dcgm-exporter: fields of DCGM by their own names. Operators choose which; none is sure to be there. */

/** DCGM has MHz, °C, W, % and bytes per second, and ratios from 0 to 1 for its profiling fields. */
const GPU_VALUES = settersOf(gpuFields, {
  DCGM_FI_DEV_GPU_UTIL: "utilization",
  DCGM_FI_DEV_GPU_TEMP: "temperature",
  DCGM_FI_DEV_POWER_USAGE: "power_consumption",
  DCGM_FI_DEV_SLOWDOWN_TEMP: "temperature_threshold_slowdown",
  DCGM_FI_DEV_SHUTDOWN_TEMP: "temperature_threshold_shutdown",
  DCGM_FI_DEV_PSTATE: "performance_state",
  DCGM_FI_DEV_SM_CLOCK: "health.clocks.sm",
  DCGM_FI_DEV_MAX_SM_CLOCK: "health.clocks.sm_max",
  DCGM_FI_DEV_MEM_CLOCK: "health.clocks.memory",
  DCGM_FI_DEV_MAX_MEM_CLOCK: "health.clocks.memory_max",
  DCGM_FI_DEV_VIDEO_CLOCK: "health.clocks.video",
  DCGM_FI_DEV_MEMORY_TEMP: "health.memory_temperature",
  DCGM_FI_DEV_ENFORCED_POWER_LIMIT: "health.power_limit_watts",
  DCGM_FI_DEV_ENC_UTIL: "health.encoder",
  DCGM_FI_DEV_DEC_UTIL: "health.decoder",
  DCGM_FI_DEV_PCIE_REPLAY_COUNTER: "health.pcie.replays",
  DCGM_FI_DEV_PCIE_LINK_GEN: "health.pcie.generation",
  DCGM_FI_DEV_PCIE_MAX_LINK_GEN: "health.pcie.generation_max",
  DCGM_FI_DEV_PCIE_LINK_WIDTH: "health.pcie.width",
  DCGM_FI_DEV_PCIE_MAX_LINK_WIDTH: "health.pcie.width_max",
  DCGM_FI_PROF_PCIE_RX_BYTES: "health.pcie.rx_bytes_per_second",
  DCGM_FI_PROF_PCIE_TX_BYTES: "health.pcie.tx_bytes_per_second",
  DCGM_FI_DEV_ECC_SBE_VOL_TOTAL: "health.ecc.corrected_volatile",
  DCGM_FI_DEV_ECC_DBE_VOL_TOTAL: "health.ecc.uncorrected_volatile",
  DCGM_FI_DEV_ECC_SBE_AGG_TOTAL: "health.ecc.corrected_aggregate",
  DCGM_FI_DEV_ECC_DBE_AGG_TOTAL: "health.ecc.uncorrected_aggregate",
  DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS: "health.remapped_rows.correctable",
  DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS: "health.remapped_rows.uncorrectable",
  DCGM_FI_DEV_ROW_REMAP_PENDING: "health.remapped_rows.pending",
  DCGM_FI_DEV_ROW_REMAP_FAILURE: "health.remapped_rows.failure",
  DCGM_FI_PROF_PIPE_TENSOR_ACTIVE: ["tensorcore_utilization", 100],
  DCGM_FI_PROF_SM_OCCUPANCY: "gpm_metrics.sm_occupancy",
  DCGM_FI_PROF_DRAM_ACTIVE: "gpm_metrics.memory_bandwidth_utilization",
});

/** The exporter's names for the reasons of `DCGM_EXP_CLOCK_EVENTS_COUNT`. */
const CLOCK_EVENTS = new Map([
  ["power_cap", "power"],
  ["hw_slowdown", "hardware"],
  ["sync_boost", "sync"],
  ["sw_thermal", "thermal"],
  ["hw_thermal", "thermal"],
  ["hw_power_brake", "power_brake"],
  ["clocks_setting", "application"],
]);

/** Frame buffer in MiB. There is no total by default: the parts make it up. */
const FRAME_BUFFER = new Map<string, keyof FrameBuffer>([
  ["DCGM_FI_DEV_FB_USED", "used"],
  ["DCGM_FI_DEV_FB_FREE", "free"],
  ["DCGM_FI_DEV_FB_RESERVED", "reserved"],
  ["DCGM_FI_DEV_FB_TOTAL", "total"],
]);

interface FrameBuffer {
  used?: number;
  free?: number;
  reserved?: number;
  total?: number;
}

function totalMib({ total, used, free, reserved }: FrameBuffer): number | undefined {
  if (total !== undefined) return total;
  // Exporters that do not tell the reserved part count it as used.
  return used === undefined || free === undefined ? undefined : used + free + (reserved ?? 0);
}

const bytes = (mib: number | undefined): number | null => (mib === undefined ? null : mib * MIB);

/** DCGM's "blank" values: INT32 from 0x7ffffff0, INT64 from 0x7ffffffffffffff0, FP64 from 2^47. */
const isBlank = (value: number): boolean => value >= 2 ** 47 || (value >= 0x7ffffff0 && value <= 0x7fffffff);

type Mig = NonNullable<GpuDraft["mig"]>[number];

/** A GPU, or one of its MIG instances: then what is told of it beyond memory and activity is the GPU's. */
interface Place {
  readonly gpu: GpuDraft;
  readonly mig: Mig | null;
}

class DcgmReader implements PageReader {
  readonly #gpus = new GpuTable();
  readonly #memory = new Map<GpuDraft | Mig, FrameBuffer>();
  readonly #xids = new Map<string, Xid>();
  #hostname: string | null = null;

  take(family: string): Take | null {
    const set = GPU_VALUES.get(family);
    if (set !== undefined) return this.#known(({ gpu }, value) => set(gpu, value));
    const part = FRAME_BUFFER.get(family);
    if (part !== undefined) return this.#known((place, value) => this.#addMemory(place, part, value));
    switch (family) {
      case "DCGM_FI_PROF_GR_ENGINE_ACTIVE":
        return this.#known(({ mig }, ratio) => {
          if (mig !== null) mig.utilization = Math.round(ratio * 1000) / 10;
        });
      case "DCGM_FI_DEV_XID_ERRORS":
        return this.#known(({ gpu }, xid, labels) => {
          this.#xids.set(gpu.uuid, { xid, t_ms: null, message: textOf(labels.get("err_msg")) });
        });
      case "DCGM_EXP_CLOCK_EVENTS_COUNT":
        return this.#known(({ gpu }, count, labels) => {
          const reason = CLOCK_EVENTS.get(labels.get("clock_event") ?? "");
          addThrottle(gpu, reason ?? "", reason !== undefined && count > 0);
        });
      default:
        return null;
    }
  }

  /** The GPU is there whatever the value; only a known value is put. */
  #known(put: (place: Place, value: number, labels: Labels) => void): Take {
    return (labels, value) => {
      const place = this.#place(labels);
      if (place !== null && value !== null && !isBlank(value)) put(place, value, labels);
    };
  }

  #place(labels: Labels): Place | null {
    const name = identityOf(labels);
    if (!name) return null;
    const gpu = this.#gpus.get(name, (one) => this.#identify(one, name, labels));
    const instance = labels.get("GPU_I_ID") ?? "";
    return gpu === null ? null : { gpu, mig: instance === "" ? null : migOf(gpu, instance, labels) };
  }

  #identify(gpu: GpuDraft, name: string, labels: Labels): void {
    const index = naturalOf(labels.get("gpu"));
    gpu.uuid = uuidOf(name, labels);
    gpu.name = labels.get("modelName") ?? "";
    if (index !== null) gpu.index = index;
    const driver = textOf(labels.get("DCGM_FI_DRIVER_VERSION"));
    if (driver !== null) gpu.detail["Driver Version"] = driver;
    const pci = textOf(labels.get("pci_bus_id"));
    if (pci !== null) gpu.detail.pci_bus_id = pci;
    this.#hostname ??= textOf(labels.get("Hostname") ?? labels.get("hostname"));
  }

  #addMemory({ gpu, mig }: Place, part: keyof FrameBuffer, mib: number): void {
    const memory = this.#memory.get(mig ?? gpu) ?? {};
    memory[part] = mib;
    this.#memory.set(mig ?? gpu, memory);
  }

  finish(context: PageContext): Told {
    for (const [device, memory] of this.#memory) {
      device.used_memory = bytes(memory.used);
      device.total_memory = bytes(totalMib(memory));
    }
    const gpus = this.#gpus.list(context.time);
    for (const gpu of gpus) gpu.frequency = gpu.health?.clocks?.sm ?? null;
    return { sections: { gpus }, hostname: this.#hostname, events: newXids(this.#xids, context) };
  }
}

/** What tells a GPU from the others; a page may be without UUIDs. */
const identityOf = (labels: Labels): string | undefined =>
  labels.get("UUID") || labels.get("uuid") || labels.get("pci_bus_id") || labels.get("serial") || labels.get("gpu");

/** A place is written as that of a card of this machine whose UUID cannot be read. */
function uuidOf(name: string, labels: Labels): string {
  if (name === labels.get("pci_bus_id")) return `PCI-${name.replace(/^0{4}(?=[0-9a-f]{4}:)/i, "").toLowerCase()}`;
  return name === labels.get("gpu") ? `GPU ${name}` : nvidiaUuid(name);
}

/** No GPU has more than seven. */
const MOST_INSTANCES = 16;

function migOf(gpu: GpuDraft, instance: string, labels: Labels): Mig | null {
  // The exporter does not tell an instance's own UUID.
  const uuid = `${gpu.uuid}/${instance}`;
  const instances = gpu.mig ?? [];
  gpu.mig = instances;
  const known = instances.find((one) => one.uuid === uuid);
  if (known !== undefined || instances.length === MOST_INSTANCES) return known ?? null;
  const mig: Mig = {
    gpu_instance: naturalOf(instance),
    compute_instance: null,
    uuid,
    profile: labels.get("GPU_I_PROFILE") ?? "",
    used_memory: null,
    total_memory: null,
    utilization: null,
  };
  instances.push(mig);
  return mig;
}

export const dcgm: Dialect = {
  owns: (family) => family.startsWith("DCGM_"),
  open: () => new DcgmReader(),
};
