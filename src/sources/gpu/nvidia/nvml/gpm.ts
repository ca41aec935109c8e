import { plausible } from "../../../plausible.ts";
import { type Device, FIRST } from "./device.ts";
import { LAYOUTS } from "./layouts.ts";
import type { Nvml } from "./nvml.ts";
import { NO_PERMISSION, NOT_SUPPORTED, SUCCESS } from "./returns.ts";
import type { FunctionName } from "./signatures.ts";

/** Ids of GPM metrics, all percentages. */
export const GPM = { graphics: 1, sm_occupancy: 3, any_tensor: 5, memory_bandwidth: 10 } as const;

const SUPPORT_VERSION = 1;
const METRICS_VERSION = 1;

/** Whether the card counts activity for GPM; Hopper and later do. */
export function supportsGpm(device: Device): boolean {
  const { nvmlGpmSupport_t: layout } = LAYOUTS;
  device.out.setU32(layout.version, SUPPORT_VERSION);
  if (!device.reads("nvmlGpmQueryDeviceSupport", 0, device.out.address)) return false;
  return device.out.u32(layout.isSupportedDevice) !== 0;
}

/** Metrics of a card, or of one of its GPU instances, between two samples of its counters. */
export class GpmMetrics {
  readonly #nvml: Nvml;
  readonly #device: Device;
  readonly #gpuInstance: number | null;
  readonly #metrics: readonly number[];
  #before = 0;
  #now = 0;
  #isRefused = false;

  constructor(nvml: Nvml, device: Device, gpuInstance: number | null, metrics: readonly number[]) {
    this.#nvml = nvml;
    this.#device = device;
    this.#gpuInstance = gpuInstance;
    this.#metrics = metrics;
  }

  /** In the order of the metrics; all unknown in the first reading. */
  read(): (number | null)[] {
    const isFirst = this.#now === 0;
    return this.#advance() && !isFirst ? this.#compute() : this.#metrics.map(() => null);
  }

  free(): void {
    for (const sample of [this.#before, this.#now]) {
      if (sample !== 0) this.#nvml.call("nvmlGpmSampleFree", this.#device.uuid, sample);
    }
    this.#before = 0;
    this.#now = 0;
  }

  /** Takes a sample, into the memory of the one before the last. */
  #advance(): boolean {
    if (this.#isRefused) return false;
    [this.#before, this.#now] = [this.#now, this.#before || this.#allocate()];
    const code = this.#now === 0 ? NOT_SUPPORTED : this.#sample(this.#now);
    if (code === SUCCESS) return true;
    this.#isRefused = this.#device.isRefusal(code);
    this.free();
    return false;
  }

  #allocate(): number {
    const code = this.#nvml.call("nvmlGpmSampleAlloc", this.#device.uuid, this.#nvml.out.address);
    return code === SUCCESS ? this.#nvml.out.u64(FIRST) : 0;
  }

  #sample(sample: number): number {
    return this.#gpuInstance === null
      ? this.#told("nvmlGpmSampleGet", this.#device.call("nvmlGpmSampleGet", 0, sample))
      : this.#told("nvmlGpmMigSampleGet", this.#device.call("nvmlGpmMigSampleGet", 0, this.#gpuInstance, sample));
  }

  #told(name: FunctionName, code: number): number {
    this.#device.tell(name, code);
    return code;
  }

  #compute(): (number | null)[] {
    const { nvmlGpmMetricsGet_t: layout, nvmlGpmMetric_t: entry } = LAYOUTS;
    const out = this.#nvml.out;
    const metrics = this.#metrics;
    out.setU32(layout.version, METRICS_VERSION);
    out.setU32(layout.numMetrics, metrics.length);
    out.setU64(layout.sample1, this.#before);
    out.setU64(layout.sample2, this.#now);
    for (let n = 0; n < metrics.length; n++) out.setU32(placeOf(n) + entry.metricId, metrics[n] ?? 0);
    const code = this.#nvml.call("nvmlGpmMetricsGet", this.#device.uuid, out.address);
    this.#device.tell("nvmlGpmMetricsGet", code);
    if (code === NO_PERMISSION) {
      this.#device.complaints.denied("nvmlGpmMetricsGet");
      this.#isRefused = true;
    }
    const values: (number | null)[] = [];
    for (let n = 0; n < metrics.length; n++) {
      const isThere = code === SUCCESS && out.u32(placeOf(n) + entry.nvmlReturn) === SUCCESS;
      const value = isThere ? out.f64(placeOf(n) + entry.value) : null;
      values.push(plausible("percent", value));
    }
    return values;
  }
}

/** Where the n-th metric stands. */
const placeOf = (n: number): number => LAYOUTS.nvmlGpmMetricsGet_t.metrics + n * LAYOUTS.nvmlGpmMetric_t.size;
