import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { frameArbitrary } from "../../test/arbitrary.ts";
import { linuxFrame, nvidiaFrame, unknownFrame } from "../../test/frames.ts";
import { frameLine } from "./encode.ts";

/**
 * What the Rust tool's reader accepts, key by key, written down without the schema so that the two can disagree. A
 * check answers with what is wrong with a value, or with nothing.
 */
type Check = (value: unknown) => string | null;

const integer =
  (lowest: number, highest: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= lowest && (value as number) <= highest
      ? null
      : `${JSON.stringify(value)} is no integer from ${lowest} to ${highest}`;

const u8 = integer(0, 255);
const u32 = integer(0, 4294967295);
const u64 = integer(0, Number.MAX_SAFE_INTEGER);
const i32 = integer(-2147483648, 2147483647);
const is =
  (type: string, isOne: (value: unknown) => boolean): Check =>
  (value) =>
    isOne(value) ? null : `${JSON.stringify(value)} is no ${type}`;
const f64 = is("number", (value) => typeof value === "number");
const string = is("string", (value) => typeof value === "string");
const bool = is("bool", (value) => typeof value === "boolean");

const optional =
  (check: Check): Check =>
  (value) =>
    value === null ? null : check(value);

const oneOf =
  (...words: string[]): Check =>
  (value) =>
    words.includes(value as string) ? null : `${JSON.stringify(value)} is none of ${words}`;

const each =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return `${JSON.stringify(value)} is no list`;
    for (const [n, one] of value.entries()) {
      const problem = check(one);
      if (problem !== null) return `[${n}] ${problem}`;
    }
    return null;
  };

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const map =
  (check: Check): Check =>
  (value) =>
    isMap(value) ? each(check)(Object.values(value)) : `${JSON.stringify(value)} is no map`;

/** Every key must be there, and no other but the ones that we add. */
const struct =
  (keys: Record<string, Check>, ours: readonly string[] = []): Check =>
  (value) => {
    if (!isMap(value)) return `${JSON.stringify(value)} is no object`;
    for (const [key, check] of Object.entries(keys)) {
      const problem = key in value ? check(value[key]) : "is missing";
      if (problem !== null) return `${key}: ${problem}`;
    }
    const extra = Object.keys(value).filter((key) => !(key in keys) && key !== "unknown" && !ours.includes(key));
    return extra.length === 0 ? null : `has ${extra}, too`;
  };

const host = { host_id: string, hostname: string, instance: string };

const gpu = struct(
  {
    ...host,
    uuid: string,
    time: string,
    name: string,
    device_type: oneOf("GPU", "NPU", "TPU"),
    utilization: f64,
    ane_utilization: f64,
    dla_utilization: optional(f64),
    tensorcore_utilization: optional(f64),
    temperature: u32,
    used_memory: u64,
    total_memory: u64,
    frequency: u32,
    power_consumption: f64,
    gpu_core_count: optional(u32),
    temperature_threshold_slowdown: optional(u32),
    temperature_threshold_shutdown: optional(u32),
    temperature_threshold_max_operating: optional(u32),
    temperature_threshold_acoustic: optional(u32),
    performance_state: optional(u32),
    fan_speed_rpm: optional(u32),
    numa_node_id: optional(i32),
    gsp_firmware_mode: optional(u8),
    gsp_firmware_version: optional(string),
    nvlink_remote_devices: each(
      struct({
        link_index: u32,
        remote_type: oneOf("gpu", "ibmnpu", "switch", "unknown"),
        bandwidth_mb_s: optional(u32),
      }),
    ),
    gpm_metrics: optional(struct({ sm_occupancy: optional(f64), memory_bandwidth_utilization: optional(f64) })),
    detail: map(string),
  },
  ["index", "lost", "mig", "health"],
);

const socket = struct({
  socket_id: u32,
  utilization: f64,
  cores: u32,
  threads: u32,
  temperature: optional(u32),
  frequency_mhz: u32,
});

const appleSilicon = struct({
  s_core_count: u32,
  p_core_count: u32,
  e_core_count: u32,
  gpu_core_count: u32,
  s_core_utilization: f64,
  p_core_utilization: f64,
  e_core_utilization: f64,
  ane_ops_per_second: optional(f64),
  s_cluster_frequency_mhz: optional(u32),
  p_cluster_frequency_mhz: optional(u32),
  e_cluster_frequency_mhz: optional(u32),
  s_core_l2_cache_mb: optional(u32),
  p_core_l2_cache_mb: optional(u32),
  e_core_l2_cache_mb: optional(u32),
});

/** A unit variant as a word, the one with a value as `{"Other": "riscv64"}` and nothing beside it. */
const platform: Check = (value) => {
  if (isMap(value)) return Object.keys(value).join() === "Other" ? string(value.Other) : "is not only Other";
  return oneOf("Intel", "Amd", "AppleSilicon", "Arm")(value);
};

const cpu = struct(
  {
    ...host,
    index: u32,
    cpu_model: string,
    architecture: string,
    platform_type: platform,
    socket_count: u32,
    total_cores: u32,
    total_threads: u32,
    base_frequency_mhz: u32,
    max_frequency_mhz: u32,
    cache_size_mb: u32,
    utilization: f64,
    temperature: optional(u32),
    power_consumption: optional(f64),
    per_socket_info: each(socket),
    apple_silicon_info: optional(appleSilicon),
    per_core_utilization: each(
      struct({
        core_id: u32,
        core_type: oneOf("Super", "Performance", "Efficiency", "Standard"),
        utilization: f64,
      }),
    ),
    time: string,
  },
  ["load_average", "uptime_seconds", "cgroup"],
);

const memory = struct(
  {
    ...host,
    index: u32,
    total_bytes: u64,
    used_bytes: u64,
    available_bytes: u64,
    free_bytes: u64,
    buffers_bytes: u64,
    cached_bytes: u64,
    swap_total_bytes: u64,
    swap_used_bytes: u64,
    swap_free_bytes: u64,
    utilization: f64,
    time: string,
  },
  ["estimated"],
);

const chassis = struct({
  ...host,
  total_power_watts: optional(f64),
  inlet_temperature: optional(f64),
  outlet_temperature: optional(f64),
  thermal_pressure: optional(string),
  fan_speeds: each(struct({ id: u32, name: string, speed_rpm: u32, max_rpm: u32 })),
  psu_status: each(
    struct({
      id: u32,
      name: string,
      status: oneOf("Unknown", "Ok", "Degraded", "Failed", "NotPresent"),
      power_watts: optional(f64),
    }),
  ),
  detail: map(string),
  time: string,
});

const process = struct(
  {
    device_id: u64,
    device_uuid: string,
    pid: u32,
    process_name: string,
    used_memory: u64,
    cpu_percent: f64,
    memory_percent: f64,
    memory_rss: u64,
    memory_vms: u64,
    user: string,
    state: string,
    start_time: string,
    cpu_time: u64,
    command: string,
    ppid: u32,
    threads: u32,
    uses_gpu: bool,
    priority: i32,
    nice_value: i32,
    gpu_utilization: f64,
  },
  ["host_id"],
);

const storage = struct(
  {
    mount_point: string,
    total_bytes: u64,
    available_bytes: u64,
    host_id: string,
    hostname: string,
    index: u32,
  },
  ["used_bytes", "device", "file_system"],
);

const sections: Record<string, Check> = {
  gpus: each(gpu),
  cpus: each(cpu),
  memory: each(memory),
  chassis: each(chassis),
  processes: each(process),
  storage: each(storage),
};

/** What the Rust tool's reader would find wrong with a line; `null` where it takes it. */
function rustProblem(line: string): string | null {
  const frame: Record<string, unknown> = JSON.parse(line);
  if (frame.schema !== 1) return "schema";
  if (typeof frame.hostname !== "string") return "hostname";
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(String(frame.timestamp))) return `timestamp ${frame.timestamp}`;
  for (const [name, check] of Object.entries(sections)) {
    const problem = name in frame ? check(frame[name]) : null;
    if (problem !== null) return `${name} ${problem}`;
  }
  return null;
}

const fixture = (name: string): string[] =>
  readFileSync(resolve(import.meta.dir, `../../test/fixtures/rust/${name}`), "utf8")
    .trimEnd()
    .split("\n")
    .slice(1);

test.each(["nvidia", "amd", "apple", "gaudi", "jetson"])("the check takes what the Rust tool wrote: %s", (platform) => {
  expect(fixture(`${platform}.2hosts.ndjson`).map(rustProblem)).toEqual([null, null, null, null]);
});

test("the check takes what the Rust tool wrote of a machine without GPUs", () => {
  expect(fixture("linux-no-gpu.ndjson").map(rustProblem)).toEqual([null, null, null, null]);
});

test("fixed frames are accepted", () => {
  expect([nvidiaFrame, linuxFrame, unknownFrame].map((frame) => rustProblem(frameLine(frame)))).toEqual([
    null,
    null,
    null,
  ]);
});

test("any frame is accepted", () => {
  fc.assert(fc.property(frameArbitrary, (frame) => expect(rustProblem(frameLine(frame))).toBeNull()));
});

/** The same value with every number of its sections replaced. */
function withNumbers(value: unknown, next: () => number): unknown {
  if (typeof value === "number") return next();
  if (Array.isArray(value)) return value.map((one) => withNumbers(one, next));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withNumbers(one, next)]));
}

test("whatever numbers a source gives, the line is accepted", () => {
  const numbers = fc.infiniteStream(
    fc.oneof(
      fc.double(),
      fc.double({ min: -1000, max: 1000 }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, 2 ** 32, 2 ** 53, 2 ** 64, -1, 255.5, 4294967295.4),
    ),
  );
  fc.assert(
    fc.property(frameArbitrary, numbers, (frame, stream) => {
      const next = () => stream.next().value ?? 0;
      const { gpus = [], cpus = [], memory = [], chassis = [], processes = [], storage = [] } = frame;
      const sections = withNumbers({ gpus, cpus, memory, chassis, processes, storage }, next);
      expect(rustProblem(frameLine({ ...frame, ...(sections as object) }))).toBeNull();
    }),
  );
});
