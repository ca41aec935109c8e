import type { Gpu, SectionName } from "../frame/schema.ts";
import { detailLabels, type Label, withExtraLabels, withMoreLabels } from "./labels.ts";
import type { DeviceOf, Row, RowsName } from "./rows.ts";
import { extensionFamilies, type Family, schemaFamilies } from "./schema_families.ts";

const gauge = (family: Omit<Family, "type">): Family => ({ ...family, type: "gauge" });
const always = (): number => 1;

/** A family whose value is always 1 and whose labels hold what there is to say; rows with `null` are left out. */
const info = <N extends RowsName>(
  name: string,
  help: string,
  of: N,
  labels: (device: DeviceOf<N>) => readonly Label[] | null,
): Family =>
  gauge({
    name,
    help,
    value: always,
    rows: (rows) =>
      (rows[of] as readonly Row<DeviceOf<N>>[]).flatMap((row) => {
        const extra = labels(row.device);
        return extra === null ? [] : [{ device: row.device, labels: withExtraLabels(row.labels, extra) }];
      }),
  });

/** A family fed by a number that the free-form `detail` of a device may hold. */
const fromDetail = (name: string, help: string, of: "gpus" | "chassis", key: string): Family =>
  gauge({
    name,
    help,
    rows: (rows) => rows[of],
    value: (device) => numberOf((device as { detail: Record<string, string> }).detail[key]),
  });

const numberOf = (text: string | undefined): number | null =>
  text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;

const text = (name: string, value: string | null): Label[] | null => (value === null ? null : [[name, value]]);

const GPU_INFO_TAKEN = ["gpu", "instance", "gpu_uuid", "gpu_index", "type"];
const gpuInfo = (gpu: Gpu): Label[] => [["type", gpu.device_type], ...detailLabels(gpu.detail, GPU_INFO_TAKEN)];

/** The reasons that always have a series, so that one which ends goes to 0 instead of away. */
const THROTTLE_REASONS = ["power", "thermal", "hardware", "power_brake", "sync", "application"];

const throttle: Family = gauge({
  name: "gpu_throttle_reason",
  help: "1 while the GPU's clocks are held down for this reason",
  rows: ({ gpus }) =>
    gpus.flatMap(({ device, labels }) => {
      const active = device.health?.throttle ?? null;
      if (active === null) return [];
      const reasons = new Set([...THROTTLE_REASONS, ...active]);
      return [...reasons].map((reason) => ({
        device: active.includes(reason) ? 1 : 0,
        labels: withMoreLabels(labels, [["reason", reason]]),
      }));
    }),
  value: (device) => device,
});

const LOAD_MINUTES = [1, 5, 15];

const loadAverage: Family = gauge({
  name: "load_average",
  help: "Processes that run or wait to, averaged over so many minutes",
  rows: ({ cpus }) =>
    cpus.flatMap(({ device, labels }) =>
      LOAD_MINUTES.map((minutes, n) => ({
        device: device.load_average?.[n],
        labels: withMoreLabels(labels, [["minutes", minutes]]),
      })),
    ),
  value: (device) => device,
});

const status: readonly Family[] = [
  gauge({
    name: "up",
    help: "1 while the exporter has a current collection cycle, 0 before the first and when one hangs",
    rows: (rows) => rows.build,
    value: (device) => ((device as DeviceOf<"build">).isUp ? 1 : 0),
  }),
  info("build_info", "Build information for the running all-smi; always 1", "build", ({ version, os, arch }) => [
    ["version", version],
    ["os", os],
    ["arch", arch],
  ]),
];

/** What the schema's single values do not give: names, versions, states and texts. */
const derived: { readonly [S in SectionName]?: readonly Family[] } = {
  gpus: [
    info("gpu_info", "GPU device information", "gpus", gpuInfo),
    info("gpu_gsp_firmware_version_info", "Version of the GSP firmware", "gpus", (gpu) =>
      text("version", gpu.gsp_firmware_version),
    ),
    info("nvlink_remote_device_type", "What the NVLink leads to", "gpus.nvlink_remote_devices", (link) => [
      ["remote_type", link.remote_type],
      ["bandwidth_mb_s", link.bandwidth_mb_s],
    ]),
    fromDetail("gpu_power_limit_max_watts", "Highest power limit of the GPU in watts", "gpus", "power_limit_max"),
  ],
  processes: [
    gauge({
      name: "process_start_time_seconds",
      help: "Start of the process in seconds since the epoch",
      rows: ({ processes }) => processes,
      value: (device) => numberOf((device as DeviceOf<"processes">).start_time),
    }),
  ],
  cpus: [
    info("cpu_info", "CPU device information", "cpus", (cpu) => [
      ["architecture", cpu.architecture],
      ["platform_type", cpu.platform_type],
    ]),
  ],
  chassis: [
    info("chassis_info", "Chassis/node identification information", "chassis", ({ detail }) => [
      ["product_name", detail["Product Name"]],
      ["vendor", detail.Vendor],
      ["board", detail.Board],
      ["version", detail.Version],
      ["bios_version", detail["BIOS Version"]],
      ["platform", detail.platform],
    ]),
    info("chassis_thermal_pressure_info", "Thermal pressure of the machine", "chassis", (chassis) =>
      text("level", chassis.thermal_pressure),
    ),
    fromDetail("chassis_cpu_power_watts", "Power of the machine's CPUs in watts", "chassis", "cpu_power_watts"),
    fromDetail("chassis_gpu_power_watts", "Power of the machine's GPUs in watts", "chassis", "gpu_power_watts"),
    fromDetail("chassis_ane_power_watts", "Power of the Apple Neural Engine in watts", "chassis", "ane_power_watts"),
  ],
};

/** What the Rust tool has no families for, and the schema's single values do not give either. */
const extensions: readonly Family[] = [
  throttle,
  info("gpu_lost_info", "The GPU no longer answers", "gpus", ({ lost }) =>
    lost
      ? [
          ["since", lost.since],
          ["reason", lost.reason],
        ]
      : null,
  ),
  info("gpu_nvlink_state_info", "State of the NVLink", "gpus.health.nvlink", (link) => text("state", link.state)),
  loadAverage,
  info("chassis_psu_status_info", "State of the power supply", "chassis.psu_status", (psu) => [["status", psu.status]]),
];

const ORDER: readonly SectionName[] = ["gpus", "processes", "cpus", "memory", "storage", "chassis"];

/** Every family, in the order of the text. */
export const families: readonly Family[] = [
  ...status,
  ...ORDER.flatMap((section) => [...(derived[section] ?? []), ...schemaFamilies(section)]),
  ...ORDER.flatMap(extensionFamilies),
  ...extensions,
];
