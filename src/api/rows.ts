import type { Frame } from "../frame/frame.ts";
import type { Chassis, Cpu, Gpu, Memory, Process, Storage } from "../frame/schema.ts";
import { type Label, labelText } from "./labels.ts";

/** A device, or an item of one of its lists, with the labels that tell its series from all others. */
export interface Row<T = unknown> {
  readonly device: T;
  /** As it stands between the braces. */
  readonly labels: string;
}

/** The program that exports, as `all_smi_build_info` names it. */
export interface Build {
  readonly version: string;
  /** `linux`, `darwin`, … */
  readonly os: string;
  /** `x86_64`, `aarch64`, … */
  readonly arch: string;
}

const row = <T>(device: T, labels: readonly Label[]): Row<T> => ({ device, labels: labelText(labels) });

const rows = <T>(devices: readonly T[] | undefined, labels: (device: T) => Label[]): Row<T>[] =>
  (devices ?? []).map((device) => row(device, labels(device)));

/** The items of a list inside of each device, labelled by both. */
const nested = <T, I>(
  devices: readonly T[] | undefined,
  items: (device: T) => readonly I[] | null | undefined,
  labels: (item: I, device: T) => Label[],
): Row<I>[] => (devices ?? []).flatMap((device) => rows(items(device) ?? [], (item) => labels(item, device)));

/** Our own `index`, or the one of the Rust tool's remote reader, or else the place among the host's GPUs. */
function gpuIndexes(gpus: readonly Gpu[]): Map<Gpu, string> {
  const seen = new Map<string, number>();
  return new Map(
    gpus.map((gpu) => {
      const place = seen.get(gpu.host_id) ?? 0;
      seen.set(gpu.host_id, place + 1);
      return [gpu, String(gpu.index ?? gpu.detail.index ?? place)];
    }),
  );
}

/** Something of which a label keeps more than nothing. */
const PRINTABLE = /[^\p{Cc}\p{Zl}\p{Zp}]/u;

/** Of one that has not said what it is, its maker. */
const modelOf = ({ name, detail }: Gpu): string =>
  [name, detail.Brand].find((text) => text !== undefined && PRINTABLE.test(text)) ?? "unknown";

function gpuRows(gpus: readonly Gpu[]) {
  const indexes = gpuIndexes(gpus);
  const labels = (gpu: Gpu): Label[] => [
    ["gpu", modelOf(gpu)],
    ["instance", gpu.instance],
    ["gpu_uuid", gpu.uuid],
    ["gpu_index", indexes.get(gpu)],
  ];
  return {
    gpus: rows(gpus, labels),
    "gpus.nvlink_remote_devices": nested(
      gpus,
      (gpu) => gpu.nvlink_remote_devices,
      (link, gpu) => [...labels(gpu), ["link_index", link.link_index]],
    ),
    "gpus.health.nvlink": nested(
      gpus,
      (gpu) => gpu.health?.nvlink,
      (link, gpu) => [...labels(gpu), ["link_index", link.link_index]],
    ),
    "gpus.mig": nested(
      gpus,
      (gpu) => gpu.mig,
      (instance, gpu) => [
        ["gpu_index", indexes.get(gpu)],
        ["gpu_uuid", gpu.uuid],
        ["gpu", modelOf(gpu)],
        ["instance", gpu.instance],
        ["host", gpu.hostname],
        ["mig_uuid", instance.uuid],
        ["mig_profile", instance.profile],
        ["gpu_instance_id", instance.gpu_instance],
        ["compute_instance_id", instance.compute_instance],
      ],
    ),
  };
}

/** The Rust tool's letters for the types of cores. */
const CORE_LETTERS = { Super: "S", Performance: "P", Efficiency: "E", Standard: "C" } as const;

const cpuHost = (cpu: Cpu): Label[] => [
  ["cpu_model", cpu.cpu_model],
  ["instance", cpu.instance],
  ["hostname", cpu.hostname],
];

const cpuRows = (cpus: readonly Cpu[]) => ({
  cpus: rows(cpus, (cpu) => [...cpuHost(cpu), ["index", cpu.index]]),
  "cpus.per_socket_info": nested(
    cpus,
    (cpu) => cpu.per_socket_info,
    (socket, cpu) => [...cpuHost(cpu), ["cpu_index", cpu.index], ["socket_id", socket.socket_id]],
  ),
  "cpus.per_core_utilization": nested(
    cpus,
    (cpu) => cpu.per_core_utilization,
    (core, cpu) => [...cpuHost(cpu), ["core_id", core.core_id], ["core_type", CORE_LETTERS[core.core_type]]],
  ),
});

const chassisLabels = (chassis: Chassis): Label[] => [
  ["hostname", chassis.hostname],
  ["instance", chassis.instance],
];

const chassisRows = (chassis: readonly Chassis[]) => ({
  chassis: rows(chassis, chassisLabels),
  "chassis.fan_speeds": nested(
    chassis,
    (one) => one.fan_speeds,
    (fan, one) => [...chassisLabels(one), ["fan_id", fan.id], ["fan_name", fan.name]],
  ),
  "chassis.psu_status": nested(
    chassis,
    (one) => one.psu_status,
    (psu, one) => [...chassisLabels(one), ["psu_id", psu.id], ["psu_name", psu.name]],
  ),
});

const memoryLabels = (memory: Memory): Label[] => [
  ["instance", memory.instance],
  ["hostname", memory.hostname],
  ["index", memory.index],
];

const storageLabels = (storage: Storage): Label[] => [
  ["instance", storage.hostname],
  ["mount_point", storage.mount_point],
  ["index", storage.index],
];

/**
 * Command lines are told by `/snapshot` only: as labels they would make new series of every run. A process without a GPU
 * has no UUID of one, and in frames the number 0, which is not the first GPU.
 */
function processLabels(process: Process, hostname: string): Label[] {
  const gpu = process.device_uuid === "" ? null : process.device_id;
  return [
    ["pid", process.pid],
    ["name", process.process_name],
    ["user", process.user],
    ["device_id", gpu],
    ["gpu_index", gpu],
    ["device_uuid", process.device_uuid],
    ["instance", process.host_id ?? hostname],
  ];
}

/** What series of the exporter itself are labelled by. */
export const exporterLabels = (hostname: string): Label[] => [
  ["instance", hostname],
  ["hostname", hostname],
];

/** Every row that series are made of, by where its keys stand in the schema. */
export const frameRows = (frame: Frame, build: Build, isUp: boolean) => ({
  build: [row({ ...build, isUp }, exporterLabels(frame.hostname))],
  ...gpuRows(frame.gpus ?? []),
  ...cpuRows(frame.cpus ?? []),
  ...chassisRows(frame.chassis ?? []),
  memory: rows(frame.memory, memoryLabels),
  storage: rows(frame.storage, storageLabels),
  processes: rows(frame.processes, (process) => processLabels(process, frame.hostname)),
});

export type Rows = ReturnType<typeof frameRows>;
export type RowsName = keyof Rows;
export type DeviceOf<N extends RowsName> = Rows[N][number]["device"];
