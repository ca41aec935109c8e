import { gpuFields } from "../../../frame/schema.ts";
import type { Labels, Take } from "../exposition.ts";
import { settersOf } from "../paths.ts";
import { naturalOf } from "./dialect.ts";
import type { GpuDraft } from "./gpu_table.ts";

/** The MIG instances that nvidia_gpu_exporter tells of: who they are by compute instance, the rest by GPU instance. */

type Mig = NonNullable<GpuDraft["mig"]>[number];

export const MIG_FAMILY = /^mig_(?!mode_)/;

const VALUES = settersOf(gpuFields.mig.fields ?? {}, {
  mig_memory_used_bytes: "used_memory",
  mig_memory_total_bytes: "total_memory",
  mig_graphics_activity_ratio: ["utilization", 100],
});

/** No GPU has more than seven. */
const MOST_INSTANCES = 16;

type Known = (put: (gpu: GpuDraft, value: number, labels: Labels) => void) => Take;

export class MigTable {
  /** Values by GPU instance may come before its compute instances are known. */
  readonly #values: { gpu: GpuDraft; instance: number; name: string; value: number }[] = [];

  take(name: string, known: Known): Take | null {
    if (name === "mig_info") return known((gpu, _, labels) => add(gpu, labels));
    if (!VALUES.has(name)) return null;
    return known((gpu, value, labels) => {
      const instance = naturalOf(labels.get("gpu_instance_id"));
      if (instance !== null && this.#values.length < MOST_VALUES) this.#values.push({ gpu, instance, name, value });
    });
  }

  finish(): void {
    for (const { gpu, instance, name, value } of this.#values) {
      for (const mig of gpu.mig ?? []) if (mig.gpu_instance === instance) VALUES.get(name)?.(mig, value);
    }
  }
}

const MOST_VALUES = 4096;

function add(gpu: GpuDraft, labels: Labels): void {
  const instances = gpu.mig ?? [];
  gpu.mig = instances;
  const mig: Mig = {
    gpu_instance: naturalOf(labels.get("gpu_instance_id")),
    compute_instance: naturalOf(labels.get("compute_instance_id")),
    uuid: labels.get("mig_uuid") ?? "",
    profile: labels.get("profile") ?? "",
    used_memory: null,
    total_memory: null,
    utilization: null,
  };
  if (instances.length < MOST_INSTANCES && !instances.some(({ uuid }) => uuid === mig.uuid)) instances.push(mig);
}
