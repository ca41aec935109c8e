import { type Process, processFields } from "../../../frame/schema.ts";
import { isUnknownNumber, plausible } from "../../plausible.ts";
import { marketingName } from "../../product_names.ts";
import { blankMaker, type Draft } from "../blank.ts";
import type { Labels, Take } from "../exposition.ts";
import {
  type Dialect,
  MOST_DEVICES,
  naturalOf,
  type PageContext,
  type PageReader,
  type Told,
  textOf,
} from "./dialect.ts";
import { GpuValues, gpuPlaces, RetiredPages, Throttle } from "./gpu_places.ts";
import { type GpuDraft, GpuTable, nameGpu, nvidiaUuid } from "./gpu_table.ts";
import { MIG_FAMILY, MigTable } from "./nvidia_smi_mig.ts";
import { newXids, type Xid } from "./xid.ts";
import { XidCounts } from "./xid_counts.ts";

/** nvidia_gpu_exporter: what nvidia-smi prints, in base units, under a UUID without `GPU-`. */

const PREFIX = "nvidia_smi_";
/** Drivers before 535 say `throttle` where later ones say `event`; some versions repeat it, as nvidia-smi's XML has it. */
const REASON = /^clocks_(?:event|throttle)_reasons_(?:clocks_(?:event|throttle)_reason_)?(\w+)$/;
const PERCENT = 100;
const MHZ = 1e-6;

const GPU_VALUES = gpuPlaces(
  {
    utilization_gpu_ratio: ["utilization", PERCENT],
    memory_used_bytes: "used_memory",
    memory_total_bytes: "total_memory",
    temperature_gpu: "temperature",
    pstate: "performance_state",
    performance_state: "performance_state",
    gsp_mode_current: "gsp_firmware_mode",
    index: "index",
    temperature_memory: "health.memory_temperature",
    utilization_memory_ratio: ["health.memory_utilization", PERCENT],
    fan_speed_ratio: ["health.fan_percent", PERCENT],
    utilization_encoder_ratio: ["health.encoder", PERCENT],
    utilization_decoder_ratio: ["health.decoder", PERCENT],
    utilization_jpeg_ratio: ["health.jpeg", PERCENT],
    utilization_ofa_ratio: ["health.ofa", PERCENT],
    clocks_current_sm_clock_hz: ["health.clocks.sm", MHZ],
    clocks_max_sm_clock_hz: ["health.clocks.sm_max", MHZ],
    clocks_current_memory_clock_hz: ["health.clocks.memory", MHZ],
    clocks_max_memory_clock_hz: ["health.clocks.memory_max", MHZ],
    clocks_current_video_clock_hz: ["health.clocks.video", MHZ],
    clocks_max_video_clock_hz: ["health.clocks.video_max", MHZ],
    ecc_errors_corrected_volatile_total: "health.ecc.corrected_volatile",
    ecc_errors_uncorrected_volatile_total: "health.ecc.uncorrected_volatile",
    ecc_errors_corrected_aggregate_total: "health.ecc.corrected_aggregate",
    ecc_errors_uncorrected_aggregate_total: "health.ecc.uncorrected_aggregate",
    remapped_rows_correctable: "health.remapped_rows.correctable",
    remapped_rows_uncorrectable: "health.remapped_rows.uncorrectable",
    remapped_rows_pending: "health.remapped_rows.pending",
    remapped_rows_failure: "health.remapped_rows.failure",
    retired_pages_pending: "health.retired_pages_pending",
    pcie_link_gen_max: "health.pcie.generation_max",
    pcie_link_width_current: "health.pcie.width",
    pcie_link_width_max: "health.pcie.width_max",
    pcie_throughput_rx_bytes_per_second: "health.pcie.rx_bytes_per_second",
    pcie_throughput_tx_bytes_per_second: "health.pcie.tx_bytes_per_second",
  },
  {
    power_consumption: ["power_draw_watts", "power_draw_instant_watts", "power_draw_average_watts"],
    "health.power_limit_watts": ["enforced_power_limit_watts", "power_limit_watts"],
    "health.pcie.generation": ["pcie_link_gen_gpucurrent", "pcie_link_gen_current"],
  },
);

/** Memory pages taken out of use: names of nvidia-smi's fields, and their short forms. */
const RETIRED = new Map<string, "single_bit" | "double_bit">([
  ["retired_pages_single_bit_ecc_count", "single_bit"],
  ["retired_pages_sbe", "single_bit"],
  ["retired_pages_double_bit_count", "double_bit"],
  ["retired_pages_dbe", "double_bit"],
]);

/** Free-form values of a card, under the keys that our own reader has for them. */
const DETAIL_VALUES = new Map<string, readonly [key: string, text: (value: number) => string | null]>([
  ["power_default_limit_watts", ["power_limit_default", wattsText]],
  ["power_min_limit_watts", ["power_limit_min", wattsText]],
  ["power_max_limit_watts", ["power_limit_max", wattsText]],
  ["mig_mode_current", ["mig_mode_current", (value) => plausible("flag", value)?.toString() ?? null]],
]);

function wattsText(value: number): string | null {
  return plausible("watts", value)?.toFixed(2) ?? null;
}

/** `hw_slowdown` is also up whenever one of the two that say why is. */
const REASONS = new Map([
  ["sw_power_cap", "power"],
  ["sw_thermal_slowdown", "thermal"],
  ["hw_thermal_slowdown", "thermal"],
  ["hw_power_brake_slowdown", "power_brake"],
  ["hw_slowdown", "hardware"],
  ["sync_boost", "sync"],
  ["applications_clocks_setting", "application"],
]);
const REASONS_THAT_SAY_WHY = ["thermal", "power_brake"];

/** Labels of `nvidia_smi_gpu_info`, and how a frame's `detail` has them. */
const DETAILS = [
  ["driver_version", "Driver Version"],
  ["cuda_version", "CUDA Version"],
  ["compute_cap", "compute_capability"],
  ["vbios_version", "vbios_version"],
  ["pci_bus_id", "pci_bus_id"],
  ["serial", "serial_number"],
] as const;

const blankProcess = blankMaker(processFields);

class NvidiaSmiReader implements PageReader {
  readonly #gpus = new GpuTable();
  readonly #values = new GpuValues();
  readonly #retired = new RetiredPages();
  readonly #throttle = new Throttle();
  readonly #mig = new MigTable();
  readonly #xidCounts = new XidCounts();
  readonly #processes = new Map<string, Draft<Process>>();
  readonly #xids = new Map<string, Xid & { readonly t_ms: number }>();
  #exitCode = 0;

  take(family: string): Take | null {
    const name = family.slice(PREFIX.length);
    const place = GPU_VALUES.get(name);
    if (place !== undefined) return this.#known((gpu, value) => this.#values.put(gpu, place, value));
    const kind = RETIRED.get(name);
    if (kind !== undefined) return this.#known((gpu, value) => this.#retired.put(gpu, kind, value));
    const [key, text] = DETAIL_VALUES.get(name) ?? [];
    if (key !== undefined && text !== undefined) {
      return this.#known(({ detail }, value) => {
        const known = text(value);
        if (known !== null) detail[key] = known;
      });
    }
    const reason = REASON.exec(name)?.[1];
    if (reason !== undefined) return this.#takeReason(reason);
    return MIG_FAMILY.test(name) ? this.#mig.take(name, (put) => this.#known(put)) : this.#takeOther(name);
  }

  /** Each reason has a family, and all of them are in a mask. */
  #takeReason(reason: string): Take | null {
    if (reason === "active") return this.#known((gpu, value) => this.#throttle.putMask(gpu, value));
    const name = REASONS.get(reason);
    return name === undefined ? null : this.#known((gpu, value) => this.#throttle.put(gpu, name, value === 1));
  }

  #takeOther(name: string): Take | null {
    switch (name) {
      case "gpu_info":
        return this.#known((gpu, _, labels) => describe(gpu, labels));
      case "compute_app_info":
        return this.#known((gpu, _, labels) => void this.#process(gpu, labels));
      case "compute_app_used_memory_bytes":
        return this.#known((gpu, value, labels) => {
          const process = this.#process(gpu, labels);
          if (process !== null) process.used_memory = plausible("bytes", value);
        });
      case "command_exit_code":
        return (_, value) => {
          this.#exitCode = value ?? 0;
        };
      case "xid_last_timestamp_seconds":
        return this.#known((gpu, value, labels) => this.#noteXid(gpu, value * 1000, naturalOf(labels.get("xid"))));
      case "xid_errors_total":
        return this.#known((gpu, count, labels) => {
          this.#xidCounts.note(gpu.uuid, naturalOf(labels.get("xid")), count);
        });
      default:
        return null;
    }
  }

  /** The GPU is there whatever the value; only a known value is put. */
  #known(put: (gpu: GpuDraft, value: number, labels: Labels) => void): Take {
    return (labels, value) => {
      const uuid = labels.get("uuid");
      if (uuid === undefined) return;
      const gpu = this.#gpus.get(uuid, (one) => {
        one.uuid = nvidiaUuid(uuid);
      });
      if (gpu !== null && value !== null && !isUnknownNumber(value)) put(gpu, value, labels);
    };
  }

  #process(gpu: GpuDraft, labels: Labels): Draft<Process> | null {
    const pid = naturalOf(labels.get("pid"));
    const key = `${gpu.uuid} ${pid}`;
    const known = this.#processes.get(key);
    if (known !== undefined) return known;
    if (pid === null || this.#processes.size === MOST_DEVICES) return null;
    const command = labels.get("process_name") ?? "";
    const process: Draft<Process> = {
      ...blankProcess(),
      device_uuid: gpu.uuid,
      pid,
      process_name: command.slice(command.lastIndexOf("/") + 1),
      command,
      uses_gpu: true,
    };
    this.#processes.set(key, process);
    return process;
  }

  /** The series of a GPU's older XIDs stay: the last one is what counts. */
  #noteXid(gpu: GpuDraft, t_ms: number, xid: number | null): void {
    const known = this.#xids.get(gpu.uuid);
    if (xid === null || !(t_ms >= 0 && t_ms < LAST_T_MS) || (known !== undefined && known.t_ms >= t_ms)) return;
    this.#xids.set(gpu.uuid, { xid, t_ms, message: null });
  }

  finish(context: PageContext): Told {
    const gpus = this.#gpus.list(context.time);
    this.#retired.finish();
    this.#throttle.finish();
    this.#mig.finish();
    for (const gpu of gpus) complete(gpu);
    const indexes = new Map(gpus.map((gpu) => [gpu.uuid, gpu.index ?? null]));
    const processes = [...this.#processes.values()];
    for (const process of processes) process.device_id = indexes.get(process.device_uuid) ?? null;
    const last = newXids(this.#xids, context);
    const events = [...last, ...this.#xidCounts.news(last, context)];
    const errors = this.#exitCode === 0 ? [] : [`nvidia-smi: exit code ${this.#exitCode}`];
    return { sections: { gpus, processes }, hostname: null, events, errors };
  }
}

/** RFC 3339 ends there. */
const LAST_T_MS = Date.parse("9999-12-31T23:59:59.999Z");

function complete(gpu: GpuDraft): void {
  gpu.frequency = gpu.health?.clocks?.sm || null;
  const reasons = gpu.health?.throttle;
  if (gpu.health && reasons?.some((reason) => REASONS_THAT_SAY_WHY.includes(reason))) {
    gpu.health.throttle = reasons.filter((reason) => reason !== "hardware");
  }
}

function describe(gpu: GpuDraft, labels: Labels): void {
  nameGpu(gpu, marketingName(labels.get("name")), labels.get("name"), "NVIDIA GPU");
  const index = naturalOf(labels.get("index"));
  if (index !== null) gpu.index = index;
  for (const [label, key] of DETAILS) {
    const text = textOf(labels.get(label));
    if (text !== null) gpu.detail[key] = text;
  }
}

export const nvidiaSmi: Dialect = {
  owns: (family) => family.startsWith(PREFIX),
  open: () => new NvidiaSmiReader(),
};
