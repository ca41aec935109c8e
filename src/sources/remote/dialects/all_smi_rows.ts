import {
  type Chassis,
  type Cpu,
  chassisFields,
  cpuFields,
  gpuFields,
  type Memory,
  memoryFields,
  type Process,
  processFields,
  type Storage,
  storageFields,
} from "../../../frame/schema.ts";
import { blankMaker, type Draft } from "../blank.ts";
import type { Labels } from "../exposition.ts";
import { MOST_READ, naturalOf } from "./dialect.ts";
import { type GpuDraft, GpuTable } from "./gpu_table.ts";
import { OneHost } from "./one_host.ts";

/** Threads of the largest machines are some hundreds. */
const MOST_CORES = 8192;
/** Links, sockets, fans, instances: of one device. */
const MOST_PARTS = 64;
const MOST_PROCESSES = 4096;
/** What we write as the name of a GPU that has none. */
const UNNAMED = "unknown";
/** The `device_id` that frames have of a process without a GPU, whose labels are empty. */
const WITHOUT_GPU = 0;

const CORE_TYPES = new Map<string, Cpu["per_core_utilization"][number]["core_type"]>([
  ["S", "Super"],
  ["P", "Performance"],
  ["E", "Efficiency"],
]);

const blank = {
  cpu: blankMaker(cpuFields),
  memory: blankMaker(memoryFields),
  chassis: blankMaker(chassisFields),
  process: blankMaker(processFields),
  storage: blankMaker(storageFields),
  link: blankMaker(gpuFields.nvlink_remote_devices.fields ?? {}),
  socket: blankMaker(cpuFields.per_socket_info.fields ?? {}),
  core: blankMaker(cpuFields.per_core_utilization.fields ?? {}),
  fan: blankMaker(chassisFields.fan_speeds.fields ?? {}),
  psu: blankMaker(chassisFields.psu_status.fields ?? {}),
};

/** The item of a list with these keys, which is added where it is not there yet. */
function itemOf<T extends object>(list: T[], keys: Partial<T>, make: () => object, most = MOST_PARTS): T | null {
  const entries = Object.entries(keys);
  const known = list.find((one) => entries.every(([key, value]) => one[key as keyof T] === value));
  if (known !== undefined || list.length === most) return known ?? null;
  const item = { ...make(), ...keys } as T;
  list.push(item);
  return item;
}

/** A device by its key, made where it is not there yet. */
function deviceOf<T>(devices: Map<string, T>, key: string, make: () => T, most = MOST_READ): T | null {
  const known = devices.get(key);
  if (known !== undefined || devices.size === most) return known ?? null;
  const device = make();
  devices.set(key, device);
  return device;
}

const uuidOf = (labels: Labels): string => labels.get("gpu_uuid") ?? labels.get("npu_uuid") ?? labels.get("uuid") ?? "";
const placeOf = (labels: Labels): string | undefined =>
  labels.get("gpu_index") ?? labels.get("npu_index") ?? labels.get("index");

/** First words of families that say something of a host, not of an accelerator. */
const HOST_LEVEL = new Set([
  "cpu",
  "memory",
  "swap",
  "disk",
  "storage",
  "chassis",
  "load",
  "uptime",
  "cgroup",
  "up",
  "build",
]);

type Find = (labels: Labels) => object | null;

/** The devices of a page, and the rows of their lists, by the labels of a series. */
export class AllSmiRows {
  readonly gpus = new GpuTable();
  readonly cpus = new Map<string, Draft<Cpu>>();
  readonly memory = new Map<string, Draft<Memory>>();
  readonly chassis = new Map<string, Draft<Chassis>>();
  readonly processes = new Map<string, Draft<Process>>();
  readonly storage = new Map<string, Draft<Storage>>();
  readonly #cores = new Map<string, Draft<Cpu["per_core_utilization"][number]>>();
  readonly host = new OneHost();

  /** By where a row's keys stand in the schema. */
  readonly find: ReadonlyMap<string, Find> = new Map<string, Find>([
    ["gpus", (labels) => this.gpu(labels)],
    ["gpus.mig", (labels) => this.#mig(labels)],
    ["gpus.health.nvlink", (labels) => this.nvlink(labels)],
    ["cpus", (labels) => this.cpu(labels)],
    ["cpus.per_socket_info", (labels) => this.#socket(labels)],
    ["cpus.per_core_utilization", (labels) => this.#core(labels)],
    ["memory", (labels) => this.#memoryOf(labels)],
    ["chassis", (labels) => this.chassisOf(labels)],
    ["chassis.fan_speeds", (labels) => this.#fan(labels)],
    ["chassis.psu_status", (labels) => this.psu(labels)],
    ["processes", (labels) => this.process(labels)],
    ["storage", (labels) => this.#storageOf(labels)],
  ]);

  /** The host that a series is of, by the first word of its family. */
  note(section: string, labels: Labels): void {
    const instance = labels.get("instance");
    if (HOST_LEVEL.has(section)) this.host.noteHost(instance, labels.get("hostname"));
    else if (instance !== undefined && placeOf(labels) !== undefined) {
      this.host.noteDevice(instance, `${uuidOf(labels)} ${placeOf(labels)}`, placeOf(labels) ?? "");
    }
  }

  gpu(labels: Labels): GpuDraft | null {
    // One of several accelerators inside: there is no place for their own values.
    if (labels.has("dla")) return null;
    const [uuid, place] = [uuidOf(labels), placeOf(labels)];
    const model = labels.get("gpu") ?? labels.get("npu") ?? "";
    const name = model === UNNAMED ? "" : model;
    return this.gpus.get(`${uuid} ${place}`, (gpu) => {
      gpu.uuid = uuid;
      gpu.name = name;
      const index = naturalOf(place);
      if (index !== null) gpu.index = index;
    });
  }

  #mig(labels: Labels) {
    const gpu = this.gpu(labels);
    if (gpu === null) return null;
    gpu.mig ??= [];
    const keys = {
      gpu_instance: naturalOf(labels.get("gpu_instance_id")),
      compute_instance: naturalOf(labels.get("compute_instance_id")),
      uuid: labels.get("mig_uuid") ?? "",
      profile: labels.get("mig_profile") ?? "",
    };
    return itemOf(gpu.mig, keys, () => ({ used_memory: null, total_memory: null, utilization: null }));
  }

  nvlink(labels: Labels) {
    const gpu = this.gpu(labels);
    const link_index = naturalOf(labels.get("link_index"));
    if (gpu === null || link_index === null) return null;
    gpu.health ??= {};
    gpu.health.nvlink ??= [];
    const nothing = { state: null, crc_errors: null, replay_errors: null, recovery_errors: null };
    return itemOf(gpu.health.nvlink, { link_index }, () => nothing);
  }

  remoteDevice(labels: Labels) {
    const gpu = this.gpu(labels);
    const link_index = naturalOf(labels.get("link_index"));
    return gpu === null || link_index === null ? null : itemOf(gpu.nvlink_remote_devices, { link_index }, blank.link);
  }

  cpu(labels: Labels, place = labels.get("index")): Draft<Cpu> | null {
    // A part of the cores, under the family of the whole.
    if (labels.has("core_type")) return null;
    const cpu = deviceOf(this.cpus, place ?? "0", () => ({ ...blank.cpu(), index: naturalOf(place) ?? 0 }));
    if (cpu !== null && cpu.cpu_model === "") cpu.cpu_model = labels.get("cpu_model") ?? "";
    return cpu;
  }

  #socket(labels: Labels) {
    const cpu = this.cpu(labels, labels.get("cpu_index"));
    const socket_id = naturalOf(labels.get("socket_id"));
    return cpu === null || socket_id === null ? null : itemOf(cpu.per_socket_info, { socket_id }, blank.socket);
  }

  /** Cores are not said to be of one CPU or another: all of them are the machine's. */
  #core(labels: Labels) {
    const core_id = naturalOf(labels.get("core_id"));
    if (core_id === null) return null;
    const letter = labels.get("core_type") ?? "";
    const [first] = this.cpus.keys();
    const cpu = this.cpu(new Map(), first);
    return deviceOf(
      this.#cores,
      `${core_id} ${letter}`,
      () => {
        const core = { ...blank.core(), core_id, core_type: CORE_TYPES.get(letter) ?? "Standard", utilization: null };
        cpu?.per_core_utilization.push(core);
        return core;
      },
      MOST_CORES,
    );
  }

  #memoryOf(labels: Labels): Draft<Memory> | null {
    const place = labels.get("index");
    return deviceOf(this.memory, place ?? "0", () => ({ ...blank.memory(), index: naturalOf(place) ?? 0 }));
  }

  chassisOf(_: Labels): Draft<Chassis> | null {
    return deviceOf(this.chassis, "", blank.chassis);
  }

  #fan(labels: Labels) {
    const chassis = this.chassisOf(labels);
    const id = naturalOf(labels.get("fan_id"));
    const name = labels.get("fan_name") ?? "";
    return chassis === null || id === null ? null : itemOf(chassis.fan_speeds, { id, name }, blank.fan);
  }

  psu(labels: Labels) {
    const chassis = this.chassisOf(labels);
    const id = naturalOf(labels.get("psu_id"));
    const name = labels.get("psu_name") ?? "";
    return chassis === null || id === null ? null : itemOf(chassis.psu_status, { id, name }, blank.psu);
  }

  process(labels: Labels): Draft<Process> | null {
    const pid = naturalOf(labels.get("pid"));
    if (pid === null) return null;
    const device_uuid = labels.get("device_uuid") ?? "";
    const gpu = naturalOf(labels.get("gpu_index") ?? labels.get("device_id"));
    const device_id = gpu ?? (device_uuid === "" ? WITHOUT_GPU : null);
    return deviceOf(
      this.processes,
      `${pid} ${device_id} ${device_uuid}`,
      () => ({
        ...blank.process(),
        pid,
        device_id,
        device_uuid,
        process_name: labels.get("name") ?? "",
        user: labels.get("user") ?? "",
        command: labels.get("command") ?? "",
        uses_gpu: device_uuid !== "",
      }),
      MOST_PROCESSES,
    );
  }

  #storageOf(labels: Labels): Draft<Storage> | null {
    const mount_point = labels.get("mount_point") ?? "";
    const place = labels.get("index");
    const make = () => ({ ...blank.storage(), mount_point, index: naturalOf(place) ?? 0 });
    return deviceOf(this.storage, `${place} ${mount_point}`, make);
  }
}
