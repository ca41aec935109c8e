import { type Gpu, gpuFields } from "../../../frame/schema.ts";
import { knownText } from "../../plausible.ts";
import { marketingName } from "../../product_names.ts";
import { blankMaker, type Draft } from "../blank.ts";
import { MOST_READ } from "./dialect.ts";

/** A GPU that is still being filled in. */
export type GpuDraft = Draft<Gpu>;

const blankGpu = blankMaker(gpuFields);

/** The GPUs of a page, by whatever tells them apart there. */
export class GpuTable {
  readonly #gpus = new Map<string, GpuDraft>();

  /** A new one is filled in by `identify`; `null` once there are more than any machine has. */
  get(key: string, identify: (gpu: GpuDraft) => void): GpuDraft | null {
    const known = this.#gpus.get(key);
    if (known !== undefined) return known;
    if (this.#gpus.size === MOST_READ) return null;
    const gpu = blankGpu();
    identify(gpu);
    this.#gpus.set(key, gpu);
    return gpu;
  }

  /** What was told of it was of something else. */
  drop(key: string): void {
    this.#gpus.delete(key);
  }

  /** In the order of their indexes, where the page says those. */
  list(time: string): GpuDraft[] {
    const gpus = [...this.#gpus.values()].sort((a, b) => (a.index ?? MOST_READ) - (b.index ?? MOST_READ));
    for (const gpu of gpus) gpu.time = time;
    return gpus;
  }
}

/** By what people call it, or by no more than its maker; the number of its board is a detail. */
export function nameGpu(gpu: GpuDraft, name: string | null, told: string | undefined, unnamed: string): void {
  const number = knownText(told);
  gpu.name = name ?? (number === null ? "" : unnamed);
  if (number !== null && marketingName(number) === null) gpu.detail.part_number = number;
}

/** NVML's way to write a UUID, which some exporters shorten and others have in capitals. */
export function nvidiaUuid(text: string): string {
  const bare = text.replace(/^GPU-/i, "").toLowerCase();
  return /^[0-9a-f-]{36}$/.test(bare) ? `GPU-${bare}` : text;
}

/** Adds a reason for which clocks are held down, or only the knowledge that this one does not. */
export function addThrottle(gpu: GpuDraft, reason: string, isActive: boolean): void {
  const health = gpu.health ?? {};
  const reasons = health.throttle ?? [];
  health.throttle = isActive && !reasons.includes(reason) ? [...reasons, reason] : reasons;
  gpu.health = health;
}
