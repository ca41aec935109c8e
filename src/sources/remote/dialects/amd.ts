import { gpuFields } from "../../../frame/schema.ts";
import { knownId, knownPartition, plausible } from "../../plausible.ts";
import { marketingName } from "../../product_names.ts";
import type { Labels, Take } from "../exposition.ts";
import { type Setter, setterOf, settersOf } from "../paths.ts";
import {
  type Dialect,
  MIB,
  MOST_READ,
  naturalOf,
  type PageContext,
  type PageReader,
  type Told,
  textOf,
} from "./dialect.ts";
import { GpuValues, gpuPlaces } from "./gpu_places.ts";
import { addThrottle, type GpuDraft, GpuTable, nameGpu } from "./gpu_table.ts";

/** AMD's device-metrics-exporter: its own names, with an optional prefix that the operator chose. */

const GPU_VALUES = gpuPlaces(
  {
    gpu_gfx_activity: "utilization",
    gpu_umc_activity: "health.memory_utilization",
    gpu_used_vram: ["used_memory", MIB],
    gpu_ecc_correct_total: "health.ecc.corrected_volatile",
    gpu_ecc_uncorrect_total: "health.ecc.uncorrected_volatile",
    pcie_replay_count: "health.pcie.replays",
    gpu_prof_tensor_active_percent: "tensorcore_utilization",
    gpu_prof_occupancy_percent: ["gpm_metrics.sm_occupancy", 0.01],
  },
  // Which of them a GPU has depends on its kind.
  {
    temperature: ["gpu_junction_temperature", "gpu_edge_temperature"],
    power_consumption: ["gpu_package_power", "gpu_average_package_power", "gpu_power_usage"],
  },
);

/** Junction is AMD's word for the hottest spot; it is what the card is said to have as well. */
const HOTSPOT = setterOf(gpuFields, "health.hotspot_temperature");
const MEMORY_TEMPERATURE = setterOf(gpuFields, "health.memory_temperature");
const TOTAL_MEMORY = setterOf(gpuFields, "total_memory", MIB);

const CLOCKS = settersOf(gpuFields, {
  "gpu_clock system": "health.clocks.sm",
  "gpu_clock memory": "health.clocks.memory",
  "gpu_clock video": "health.clocks.video",
  "gpu_max_clock system": "health.clocks.sm_max",
  "gpu_max_clock memory": "health.clocks.memory_max",
  "gpu_max_clock video": "health.clocks.video_max",
});

/** GT/s of a lane, by PCIe generation from 1 on. */
const LANE_SPEEDS = [2.5, 5, 8, 16, 32, 64];
const GENERATIONS = settersOf(gpuFields, {
  pcie_speed: "health.pcie.generation",
  pcie_max_speed: "health.pcie.generation_max",
});

/** `gpu_violation_ppt_residency_percentage`: above 0 while the reason holds the clocks down. */
const VIOLATION = /^gpu_violation_(.+?)(?:_residency)?_percentage$/;
const REASONS = new Map([
  ["ppt", "power"],
  ["processor_hot", "thermal"],
  ["socket_thermal", "thermal"],
  ["vr_thermal", "thermal"],
  ["hbm_thermal", "thermal"],
  ["gfx_clock_below_host_limit_power", "power"],
  ["gfx_clock_below_host_limit_thermal", "thermal"],
]);

/** In MB, as the exporter tells it. */
interface Memory {
  used?: number;
  free?: number;
  total?: number;
}
const MEMORY = new Map<string, keyof Memory>([
  ["gpu_used_vram", "used"],
  ["gpu_free_vram", "free"],
  ["gpu_total_vram", "total"],
]);

class AmdReader implements PageReader {
  readonly #gpus = new GpuTable();
  readonly #values = new GpuValues();
  readonly #memory = new Map<GpuDraft, Memory>();
  /** By GPU and what it is of, the highest of several: there is one for each die, and one for each stack of memory. */
  readonly #highest = new Map<string, number>();
  /** Of each GPU, the partition that speaks for it: the first one that is there. */
  readonly #partitions = new Map<string, number>();
  #hostname: string | null = null;

  take(family: string): Take | null {
    const name = bareName(family);
    const place = GPU_VALUES.get(name);
    const part = MEMORY.get(name);
    if (place !== undefined || part !== undefined) {
      return this.#known((gpu, value) => {
        if (place !== undefined) this.#values.put(gpu, place, value);
        if (part !== undefined && plausible("bytes", value, 1 / MIB) !== null) {
          this.#memory.set(gpu, { ...this.#memory.get(gpu), [part]: value });
        }
        if (name === "gpu_junction_temperature") HOTSPOT(gpu, value);
      });
    }
    const generation = GENERATIONS.get(name);
    if (generation !== undefined) {
      return this.#known(
        (gpu, speed) => LANE_SPEEDS.includes(speed) && generation(gpu, LANE_SPEEDS.indexOf(speed) + 1),
      );
    }
    const reason = REASONS.get(VIOLATION.exec(name)?.[1] ?? "");
    if (reason === undefined) return this.#takeHighest(name);
    return this.#known((gpu, value) => plausible("percent", value) !== null && addThrottle(gpu, reason, value > 0));
  }

  #takeHighest(name: string): Take | null {
    switch (name) {
      case "gpu_clock":
      case "gpu_max_clock":
        return this.#known((gpu, value, labels, key) => {
          const clock = `${name} ${labels.get("clock_type")}`;
          const set = CLOCKS.get(clock);
          if (set !== undefined) this.#putHighest(gpu, `${key} ${clock}`, value, set);
        });
      case "gpu_memory_temperature":
      case "gpu_hbm_temperature":
        return this.#known((gpu, value, _, key) => {
          this.#putHighest(gpu, `${key} memory`, value, MEMORY_TEMPERATURE);
        });
      default:
        return null;
    }
  }

  #known(put: (gpu: GpuDraft, value: number, labels: Labels, key: string) => unknown): Take {
    return (labels, value) => {
      const key = labels.get("gpu_id");
      if (key === undefined || !IDENTITY.some((label) => labels.has(label))) return;
      const gpu = this.#speaks(key, partitionOf(labels))
        ? this.#gpus.get(key, (one) => this.#identify(one, key, labels))
        : null;
      if (gpu !== null && value !== null) put(gpu, value, labels, key);
    };
  }

  /** Partitions beyond the first have no values of their own; but a guest may have been given one of them alone. */
  #speaks(key: string, partition: number): boolean {
    const known = this.#partitions.get(key);
    if (known === undefined && this.#partitions.size < MOST_READ) this.#partitions.set(key, partition);
    if (known === undefined || known === partition) return true;
    if (known < partition) return false;
    this.#partitions.set(key, partition);
    this.#gpus.drop(key);
    for (const name of [...this.#highest.keys()]) if (name.startsWith(`${key} `)) this.#highest.delete(name);
    return true;
  }

  #identify(gpu: GpuDraft, key: string, labels: Labels): void {
    this.#hostname ??= textOf(labels.get("hostname"));
    const serial = textOf(labels.get("serial_number"));
    gpu.uuid = knownId(labels.get("gpu_uuid")) ?? knownId(serial) ?? `${this.#hostname ?? ""}/${key}`;
    nameGpu(gpu, nameOf(labels), labels.get("card_model"), "AMD GPU");
    const index = naturalOf(key);
    if (index !== null) gpu.index = index;
    for (const [label, key] of DETAILS) {
      const text = textOf(labels.get(label));
      if (text !== null) gpu.detail[key] = text;
    }
    const partition = knownPartition(labels.get("gpu_compute_partition_type"));
    if (partition !== null) gpu.detail.compute_partition = partition;
  }

  #putHighest(gpu: GpuDraft, name: string, value: number, set: Setter): void {
    if (value > (this.#highest.get(name) ?? -1) && set(gpu, value)) this.#highest.set(name, value);
  }

  finish({ time }: PageContext): Told | null {
    const gpus = this.#gpus.list(time);
    if (gpus.length === 0) return null;
    for (const gpu of gpus) {
      const { used, free, total } = this.#memory.get(gpu) ?? {};
      const whole = total ?? (used === undefined || free === undefined ? null : used + free);
      if (whole !== null) TOTAL_MEMORY(gpu, whole);
      gpu.frequency = gpu.health?.clocks?.sm || null;
    }
    return { sections: { gpus }, hostname: this.#hostname };
  }
}

/** Labels of this exporter that tell it from others with a `gpu_id`. */
const IDENTITY = ["serial_number", "card_model", "card_series", "card_vendor", "gpu_partition_id", "gpu_uuid"];

const DETAILS = [
  ["serial_number", "serial_number"],
  ["driver_version", "Driver Version"],
  ["vbios_version", "vbios_version"],
] as const;

/** Numbers that no partition has, and words, say that there is none. */
const partitionOf = (labels: Labels): number => plausible("partition", naturalOf(labels.get("gpu_partition_id"))) ?? 0;

/** By its series: the model of servers' cards is the number of a part; of some others it is the only name. */
const nameOf = (labels: Labels): string | null =>
  marketingName(labels.get("card_series")) ?? marketingName(labels.get("card_model"));

/** Without the operator's prefix: `gpu_clock` of `site_gpu_clock`. */
function bareName(written: string): string {
  const family = written.toLowerCase();
  const gpu = family.slice(Math.max(0, family.lastIndexOf("gpu_")));
  return gpu.startsWith("gpu_pcie_") || !gpu.startsWith("gpu_")
    ? family.slice(Math.max(0, family.lastIndexOf("pcie_")))
    : gpu;
}

export const amd: Dialect = {
  owns: (family) => /gpu_|pcie_/i.test(family),
  open: () => new AmdReader(),
};
