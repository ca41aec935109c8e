import { gpuFields } from "../../../frame/schema.ts";
import type { Labels, Take } from "../exposition.ts";
import { settersOf } from "../paths.ts";
import { type Dialect, MIB, naturalOf, type PageContext, type PageReader, type Told, textOf } from "./dialect.ts";
import { addThrottle, type GpuDraft, GpuTable } from "./gpu_table.ts";

/** AMD's device-metrics-exporter: its own names, with an optional prefix that the operator chose. */

const GPU_VALUES = settersOf(gpuFields, {
  gpu_gfx_activity: "utilization",
  gpu_total_vram: ["total_memory", MIB],
  gpu_used_vram: ["used_memory", MIB],
  gpu_memory_temperature: "health.memory_temperature",
  gpu_ecc_correct_total: "health.ecc.corrected_volatile",
  gpu_ecc_uncorrect_total: "health.ecc.uncorrected_volatile",
  pcie_replay_count: "health.pcie.replays",
});

/** Of several families that say the same, the one that comes first here is taken: which a GPU has depends on its kind. */
const CHOICES = new Map<string, readonly ["temperature" | "power_consumption", rank: number]>([
  ["gpu_junction_temperature", ["temperature", 0]],
  ["gpu_edge_temperature", ["temperature", 1]],
  ["gpu_package_power", ["power_consumption", 0]],
  ["gpu_average_package_power", ["power_consumption", 1]],
  ["gpu_power_usage", ["power_consumption", 2]],
]);

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
const VIOLATION = /^gpu_violation_(.+)_residency_percentage$/;
const REASONS = new Map([
  ["ppt", "power"],
  ["processor_hot", "thermal"],
  ["socket_thermal", "thermal"],
  ["vr_thermal", "thermal"],
  ["hbm_thermal", "thermal"],
]);

class AmdReader implements PageReader {
  readonly #gpus = new GpuTable();
  readonly #ranks = new Map<string, number>();
  readonly #clocks = new Map<string, number>();
  #hostname: string | null = null;

  take(family: string): Take | null {
    const name = bareName(family);
    const set = GPU_VALUES.get(name);
    if (set !== undefined) return this.#known(set);
    const choice = CHOICES.get(name);
    if (choice !== undefined) return this.#known((gpu, value, _, key) => this.#choose(gpu, value, key, ...choice));
    const generation = GENERATIONS.get(name);
    if (generation !== undefined) {
      return this.#known(
        (gpu, speed) => LANE_SPEEDS.includes(speed) && generation(gpu, LANE_SPEEDS.indexOf(speed) + 1),
      );
    }
    if (name === "gpu_clock" || name === "gpu_max_clock") {
      return this.#known((gpu, value, labels, key) =>
        this.#clock(gpu, value, key, `${name} ${labels.get("clock_type")}`),
      );
    }
    const reason = REASONS.get(VIOLATION.exec(name)?.[1] ?? "");
    return reason === undefined ? null : this.#known((gpu, value) => addThrottle(gpu, reason, value > 0));
  }

  #known(put: (gpu: GpuDraft, value: number, labels: Labels, key: string) => unknown): Take {
    return (labels, value) => {
      const key = labels.get("gpu_id");
      // Only these two make sure whose family it is; a partition beyond the first has no values of its own.
      if (key === undefined || !labels.has("serial_number") || !isWhole(labels.get("gpu_partition_id"))) return;
      const gpu = this.#gpus.get(key, (one) => this.#identify(one, key, labels));
      if (gpu !== null && value !== null) put(gpu, value, labels, key);
    };
  }

  #identify(gpu: GpuDraft, key: string, labels: Labels): void {
    this.#hostname ??= textOf(labels.get("hostname"));
    const serial = textOf(labels.get("serial_number"));
    gpu.uuid = textOf(labels.get("gpu_uuid")) ?? serial ?? `${this.#hostname ?? ""}/${key}`;
    gpu.name = labels.get("card_model") ?? "";
    const index = naturalOf(key);
    if (index !== null) gpu.index = index;
    if (serial !== null) gpu.detail.serial_number = serial;
    const partition = textOf(labels.get("gpu_compute_partition_type"));
    if (partition !== null && partition !== "none") gpu.detail.compute_partition = partition;
  }

  #choose(gpu: GpuDraft, value: number, key: string, target: "temperature" | "power_consumption", rank: number): void {
    const known = this.#ranks.get(`${key} ${target}`);
    if (known !== undefined && known < rank) return;
    this.#ranks.set(`${key} ${target}`, rank);
    gpu[target] = target === "temperature" ? Math.round(value) : value;
  }

  /** There is one for each die of a GPU: the fastest is what it is said to run at. */
  #clock(gpu: GpuDraft, mhz: number, key: string, clock: string): void {
    if ((this.#clocks.get(`${key} ${clock}`) ?? -1) >= mhz) return;
    this.#clocks.set(`${key} ${clock}`, mhz);
    CLOCKS.get(clock)?.(gpu, mhz);
  }

  finish({ time }: PageContext): Told | null {
    const gpus = this.#gpus.list(time);
    if (gpus.length === 0) return null;
    for (const gpu of gpus) gpu.frequency = gpu.health?.clocks?.sm ?? null;
    return { sections: { gpus }, hostname: this.#hostname };
  }
}

const isWhole = (partition: string | undefined): boolean =>
  partition === undefined || naturalOf(partition) === null || naturalOf(partition) === 0;

/** Without the operator's prefix: `gpu_clock` of `site_gpu_clock`. */
function bareName(family: string): string {
  const gpu = family.slice(Math.max(0, family.lastIndexOf("gpu_")));
  return gpu.startsWith("gpu_pcie_") || !gpu.startsWith("gpu_")
    ? family.slice(Math.max(0, family.lastIndexOf("pcie_")))
    : gpu;
}

export const amd: Dialect = {
  owns: (family) => /gpu_|pcie_/.test(family),
  open: () => new AmdReader(),
};
