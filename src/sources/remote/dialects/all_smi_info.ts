import type { Gpu } from "../../../frame/schema.ts";
import { plausible } from "../../plausible.ts";
import type { Labels } from "../exposition.ts";
import type { AllSmiRows } from "./all_smi_rows.ts";
import { naturalOf, textOf } from "./dialect.ts";
import { addThrottle } from "./gpu_table.ts";

/** Families whose labels hold what there is to say, and those that feed a key no family of the schema feeds. */

type Read = (rows: AllSmiRows, labels: Labels, value: number) => void;

/** Label names that a free-form key became, where it was another one. */
const DETAIL_KEYS = new Map([
  ["driver_version", "Driver Version"],
  ["cuda_version", "CUDA Version"],
  ["pcie_generation", "PCIe Generation"],
  ["pcie_width", "PCIe Width"],
  ["brand", "Brand"],
]);
const GPU_IDENTITY = new Set(["gpu", "instance", "gpu_uuid", "gpu_index", "type"]);

function gpuInfo(rows: AllSmiRows, labels: Labels): void {
  const gpu = rows.gpu(labels);
  if (gpu === null) return;
  const type = labels.get("type");
  if (type === "NPU" || type === "TPU") gpu.device_type = type;
  for (const [label, text] of labels) {
    if (!GPU_IDENTITY.has(label)) gpu.detail[DETAIL_KEYS.get(label) ?? label] = text;
  }
}

type RemoteType = Gpu["nvlink_remote_devices"][number]["remote_type"];
const REMOTE_TYPES: readonly RemoteType[] = ["gpu", "ibmnpu", "switch"];

function remoteDevice(rows: AllSmiRows, labels: Labels): void {
  const link = rows.remoteDevice(labels);
  if (link === null) return;
  link.remote_type = REMOTE_TYPES.find((type) => type === labels.get("remote_type")) ?? "unknown";
  link.bandwidth_mb_s = naturalOf(labels.get("bandwidth_mb_s"));
}

const CHASSIS_DETAILS = [
  ["product_name", "Product Name"],
  ["vendor", "Vendor"],
  ["board", "Board"],
  ["version", "Version"],
  ["bios_version", "BIOS Version"],
  ["platform", "platform"],
] as const;

function chassisInfo(rows: AllSmiRows, labels: Labels): void {
  const chassis = rows.chassisOf(labels);
  for (const [label, key] of CHASSIS_DETAILS) {
    const text = labels.get(label);
    if (chassis !== null && text !== undefined) chassis.detail[key] = text;
  }
}

const chassisDetail =
  (key: string): Read =>
  (rows, labels, value) => {
    const chassis = rows.chassisOf(labels);
    if (chassis !== null) chassis.detail[key] = String(value);
  };

const MINUTES = ["1", "5", "15"];

function loadAverage(rows: AllSmiRows, labels: Labels, value: number): void {
  const cpu = rows.cpu(labels);
  const place = MINUTES.indexOf(labels.get("minutes") ?? "");
  if (cpu === null || place < 0) return;
  cpu.load_average ??= [null, null, null];
  cpu.load_average[place] = value;
}

type PsuStatus = "Ok" | "Degraded" | "Failed" | "NotPresent" | "Unknown";
const PSU_STATES: readonly PsuStatus[] = ["Ok", "Degraded", "Failed", "NotPresent"];

/** By family, without the prefix. */
export const INFO_FAMILIES: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["up", () => {}],
  ["build_info", () => {}],
  ["gpu_info", gpuInfo],
  [
    "npu_firmware_info",
    (rows, labels) => {
      const [gpu, firmware] = [rows.gpu(labels), textOf(labels.get("firmware"))];
      if (gpu !== null && firmware !== null) gpu.detail.firmware = firmware;
    },
  ],
  [
    "gpu_gsp_firmware_version_info",
    (rows, labels) => {
      const gpu = rows.gpu(labels);
      if (gpu !== null) gpu.gsp_firmware_version = labels.get("version") ?? "";
    },
  ],
  ["nvlink_remote_device_type", remoteDevice],
  [
    "gpu_power_limit_max_watts",
    (rows, labels, value) => {
      const gpu = rows.gpu(labels);
      if (gpu !== null && plausible("watts", value) !== null) gpu.detail.power_limit_max ??= String(value);
    },
  ],
  [
    "process_start_time_seconds",
    (rows, labels, value) => {
      const process = rows.process(labels);
      if (process !== null) process.start_time = String(value);
    },
  ],
  [
    "cpu_info",
    (rows, labels) => {
      const cpu = rows.cpu(labels);
      if (cpu === null) return;
      cpu.architecture = labels.get("architecture") ?? "";
      cpu.platform_type = labels.get("platform_type") ?? "";
    },
  ],
  ["chassis_info", chassisInfo],
  [
    "chassis_thermal_pressure_info",
    (rows, labels) => {
      const chassis = rows.chassisOf(labels);
      if (chassis !== null) chassis.thermal_pressure = labels.get("level") ?? "";
    },
  ],
  ["chassis_cpu_power_watts", chassisDetail("cpu_power_watts")],
  ["chassis_gpu_power_watts", chassisDetail("gpu_power_watts")],
  ["chassis_ane_power_watts", chassisDetail("ane_power_watts")],
  [
    "gpu_throttle_reason",
    (rows, labels, value) => {
      const [gpu, reason] = [rows.gpu(labels), textOf(labels.get("reason"))];
      if (gpu !== null && reason !== null) addThrottle(gpu, reason, value > 0);
    },
  ],
  [
    "gpu_lost_info",
    (rows, labels) => {
      const gpu = rows.gpu(labels);
      if (gpu !== null) gpu.lost = { since: labels.get("since") ?? "", reason: labels.get("reason") ?? "" };
    },
  ],
  [
    "gpu_nvlink_state_info",
    (rows, labels) => {
      const link = rows.nvlink(labels);
      if (link !== null) link.state = labels.get("state") ?? "";
    },
  ],
  ["load_average", loadAverage],
  [
    "chassis_psu_status_info",
    (rows, labels) => {
      const psu = rows.psu(labels);
      if (psu !== null) psu.status = PSU_STATES.find((state) => state === labels.get("status")) ?? "Unknown";
    },
  ],
]);
