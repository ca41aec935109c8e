import { marketingName } from "../../product_names.ts";
import type { Labels, Take } from "../exposition.ts";
import { type Dialect, naturalOf, type PageContext, type PageReader, type Told } from "./dialect.ts";
import { GpuValues, gpuPlaces } from "./gpu_places.ts";
import { GpuTable, nameGpu } from "./gpu_table.ts";

/**
 * amd_smi_exporter: what AMD's library says, in its own units (µW, m°C, Hz). The label that numbers a GPU is called as
 * the family is without `amd_`.
 */

const PREFIX = "amd_";
const MILLI = 1e-3;
const MICRO = 1e-6;

const GPU_VALUES = gpuPlaces(
  {
    gpu_current_temperature: ["temperature", MILLI],
    gpu_power_cap: ["health.power_limit_watts", MICRO],
    gpu_sclk: ["health.clocks.sm", MICRO],
    gpu_mclk: ["health.clocks.memory", MICRO],
  },
  {
    power_consumption: [
      ["gpu_power", MICRO],
      ["gpu_power_avg", MICRO],
    ],
    utilization: ["gpu_use_percent", "gpu_usage"],
    "health.memory_utilization": ["gpu_memory_use_percent", "gpu_memory_busy_percent", "gpu_memory_usage"],
  },
);

class AmdSmiReader implements PageReader {
  readonly #gpus = new GpuTable();
  readonly #values = new GpuValues();

  take(family: string): Take | null {
    const label = family.slice(PREFIX.length);
    const place = GPU_VALUES.get(label.toLowerCase());
    if (place === undefined) return null;
    return (labels: Labels, value) => {
      const index = naturalOf(labels.get(label));
      if (index === null) return;
      const gpu = this.#gpus.get(`${index}`, (one) => {
        one.index = index;
        one.uuid = `GPU ${index}`;
        nameGpu(one, marketingName(labels.get("productname")), labels.get("productname"), "AMD GPU");
      });
      if (gpu !== null && value !== null) this.#values.put(gpu, place, value);
    };
  }

  finish({ time }: PageContext): Told | null {
    const gpus = this.#gpus.list(time);
    if (gpus.length === 0) return null;
    for (const gpu of gpus) gpu.frequency = gpu.health?.clocks?.sm || null;
    return { sections: { gpus }, hostname: null };
  }
}

export const amdSmi: Dialect = {
  owns: (family) => family.startsWith(PREFIX) && GPU_VALUES.has(family.slice(PREFIX.length).toLowerCase()),
  open: () => new AmdSmiReader(),
};
