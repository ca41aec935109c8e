import type { Gpu } from "../../../frame/schema.ts";
import { Tree } from "../../local/files.ts";
import { Paced } from "../../local/paced.ts";
import { marketingName } from "../../product_names.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../../source.ts";
import type { GpuOptions } from "../gpus.ts";
import { SHARED_MEMORY } from "../shared_memory.ts";
import { UNKNOWN } from "../unknown.ts";
import { findTegraGpu, type TegraGpu } from "./parts.ts";
import { readTegra, type TegraReading } from "./readings.ts";

/** How much of a cycle is waited for it: the power monitor is behind a slow bus. */
const SHARE_OF_CYCLE = 0.3;

/**
 * The GPU in the chip of a Jetson; `null` on another machine. Which program uses it only root may know there, by
 * debugfs. NVML knows next to nothing of it: neither load nor memory nor power.
 */
export function tegraSource({ root, host }: GpuOptions): Source | null {
  const tree = new Tree(root);
  const gpu = findTegraGpu(tree);
  if (gpu === null) return null;
  const reader = new TegraReader(tree, gpu);
  return {
    name: "tegra",
    async read(cycle: Cycle): Promise<Reading> {
      const gpus = [await reader.read(cycle, host)];
      return tree.finish("tegra", { gpus });
    },
  };
}

class TegraReader {
  readonly #tree: Tree;
  readonly #gpu: TegraGpu;
  readonly #name: string;
  readonly #detail: Readonly<Record<string, string>>;
  readonly #readings: Paced<TegraReading>;

  constructor(tree: Tree, gpu: TegraGpu) {
    this.#tree = tree;
    this.#gpu = gpu;
    this.#name = marketingName(parseDeviceTreeText(tree.text("/proc/device-tree/model"))) ?? "NVIDIA Tegra GPU";
    this.#detail = detailOf(tree, gpu);
    this.#readings = new Paced(0, () => readTegra(tree, gpu));
  }

  async read(cycle: Cycle, host: HostIdentity): Promise<Gpu> {
    const reading = await this.#readings.latest(cycle.monotonic_ms, cycle.wait_ms * SHARE_OF_CYCLE);
    if (this.#readings.isHung(cycle.monotonic_ms))
      this.#tree.complain(`the driver does not answer for ${this.#gpu.device}`);
    return {
      uuid: this.#gpu.device,
      time: cycle.time,
      name: this.#name,
      device_type: "GPU",
      ...host,
      index: 0,
      ...UNKNOWN,
      utilization: reading?.utilization ?? null,
      temperature: reading?.temperature ?? null,
      used_memory: reading?.used_memory ?? null,
      total_memory: reading?.total_memory ?? null,
      frequency: reading?.frequency_mhz ?? null,
      power_consumption: reading?.power_w ?? null,
      temperature_threshold_slowdown: reading?.slowdown ?? null,
      temperature_threshold_shutdown: reading?.shutdown ?? null,
      detail: this.#detail,
      health: reading && healthOf(reading),
    };
  }
}

const healthOf = ({ frequency_mhz, frequency_max_mhz }: TegraReading): NonNullable<Gpu["health"]> => ({
  clocks: {
    sm: frequency_mhz,
    sm_max: frequency_max_mhz,
    memory: null,
    memory_max: null,
    video: null,
    video_max: null,
  },
});

function detailOf(tree: Tree, { rail }: TegraGpu): Record<string, string> {
  const release = parseRelease(tree.text("/etc/nv_tegra_release"));
  return {
    ...(release !== null && { "Driver Version": `L4T ${release}` }),
    Brand: "NVIDIA",
    memory: SHARED_MEMORY,
    // What else is on the rail is counted with it.
    ...(rail !== null && { power_rail: rail.label }),
  };
}

/** Texts of the device tree end with a NUL. */
export const parseDeviceTreeText = (text: string | null): string | null =>
  text?.replace(/(?<!\0)\0+$/, "").trim() || null;

/** `# R36 (release), REVISION: 3.0, GCID: …` is 36.3.0. */
export function parseRelease(text: string | null): string | null {
  const [, major, minor] = /^# R(\d+) \(release\), REVISION: ([\d.]+)/.exec(text ?? "") ?? [];
  return major === undefined ? null : `${major}.${minor}`;
}
