import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { frameArbitrary } from "../../../../test/arbitrary.ts";
import { readPage } from "../../../../test/exporter_pages.ts";
import { linuxFrame, nvidiaFrame, unknownFrame } from "../../../../test/frames.ts";
import { prometheusText } from "../../../api/prometheus.ts";
import type { Fields } from "../../../frame/field.ts";
import type { Frame } from "../../../frame/frame.ts";
import { type Memory, type SectionName, sections } from "../../../frame/schema.ts";
import { isUnknownNumber, plausible, quantityOf } from "../../plausible.ts";
import { ofHost } from "../small.ts";

const build = { version: "1.2.3", os: "linux", arch: "x86_64" };
const textOf = (frame: Frame): string => prometheusText(frame, build);

/** A label without a value is as good as none, and may come back as that. */
const series = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace(/, [a-z0-9_]+=""/g, ""))
    .sort();

/** The frame that a text tells, of the host that it was of. */
function readBack(text: string, hostname: string): Frame {
  const told = readPage(text, { perCore: true });
  if (typeof told === "string") throw new Error(told);
  const sections = ofHost(told.sections, { host_id: hostname, hostname, instance: hostname });
  return { t_ms: 0, seq: null, elapsed_ms: null, source: "local", hostname, errors: [], ...sections };
}

const REASONS = ["power", "thermal", "hardware", "power_brake", "sync", "application"];

/** Where a text has no utilization of memory, it is made of the others. */
const withUtilization = (memory: Memory): Memory =>
  memory.used_bytes === null || memory.total_bytes === null ? memory : { ...memory, utilization: 25 };

const numbered = <T extends object, K extends string>(list: readonly T[], key: K) =>
  list.map((one, n) => ({ ...one, [key]: n }));

/** Without numbers that nothing can have: of those none comes back. */
function possible(fields: Fields, device: object): object {
  const entries = Object.entries(device).map(([key, value]) => {
    const field = fields[key];
    if (field?.fields !== undefined && value !== null) {
      const inside = field.fields;
      return [key, Array.isArray(value) ? value.map((one) => possible(inside, one)) : possible(inside, value)];
    }
    const quantity = field === undefined ? null : quantityOf(key, field);
    const isPossible = typeof value !== "number" || field?.unknown === "never" || !isUnknownNumber(value);
    return [
      key,
      isPossible && (quantity === null || value === null || plausible(quantity, value) !== null) ? value : null,
    ];
  });
  return Object.fromEntries(entries);
}

function possibleFrame(frame: Frame): Frame {
  const entries = Object.entries(sections).map(([name, fields]) => {
    const devices = frame[name as SectionName];
    return [name, devices?.map((device) => possible(fields, device))];
  });
  return { ...frame, ...Object.fromEntries(entries) };
}

/** As a machine has it: one host, indexes that tell its devices apart, small numbers for their parts. */
function ofOneMachine(frame: Frame, hostname: string): Frame {
  const devices = ofHost(frame, { host_id: hostname, hostname, instance: hostname });
  const gpus = (devices.gpus ?? []).map((gpu, index) => ({
    ...gpu,
    index,
    nvlink_remote_devices: numbered(gpu.nvlink_remote_devices, "link_index"),
    mig: gpu.mig ? numbered(gpu.mig, "gpu_instance") : null,
    health: gpu.health
      ? {
          ...gpu.health,
          throttle: gpu.health.throttle?.map((_, n) => REASONS[n] ?? "power") ?? null,
          nvlink: gpu.health.nvlink ? numbered(gpu.health.nvlink, "link_index") : null,
        }
      : null,
  }));
  const cpus = (devices.cpus ?? []).slice(0, 1).map((cpu) => ({
    ...cpu,
    index: 0,
    per_socket_info: numbered(cpu.per_socket_info, "socket_id"),
    per_core_utilization: numbered(cpu.per_core_utilization, "core_id"),
  }));
  const chassis = (devices.chassis ?? []).slice(0, 1).map((one) => ({
    ...one,
    fan_speeds: numbered(one.fan_speeds, "id"),
    psu_status: numbered(one.psu_status, "id"),
  }));
  const processes = numbered(devices.processes ?? [], "pid").map((process, n) => ({
    ...process,
    device_id: n,
    device_uuid: process.uses_gpu ? `GPU-${n}` : "",
  }));
  const memory = numbered((devices.memory ?? []).map(withUtilization), "index");
  const storage = numbered(devices.storage ?? [], "index");
  return { ...frame, hostname, gpus, cpus, chassis, processes, memory, storage };
}

describe("our own text", () => {
  test.each([
    ["eight GPUs with every value", nvidiaFrame],
    ["a machine without GPUs", linuxFrame],
    ["nothing known", unknownFrame],
  ])("%s: what it holds comes back", (_, frame) => {
    const text = textOf(frame);
    expect(series(textOf(readBack(text, frame.hostname)))).toEqual(series(text));
  });

  test("values of the fixed frame, key by key", () => {
    const back = readBack(textOf(nvidiaFrame), nvidiaFrame.hostname);
    const [gpu] = nvidiaFrame.gpus ?? [];
    const { lost: _, ...values } = { ...gpu };
    expect(back.gpus?.[0]).toMatchObject(values);
    expect(back.gpus?.[7]?.lost).toEqual(nvidiaFrame.gpus?.[7]?.lost ?? null);
    const [cpu] = back.cpus ?? [];
    expect(cpu).toMatchObject({ load_average: [14.2, 12.75, 9], uptime_seconds: 864000, platform_type: "Intel" });
    expect(cpu?.cgroup).toEqual(nvidiaFrame.cpus?.[0]?.cgroup ?? null);
    expect(back.chassis?.[0]?.psu_status).toEqual(nvidiaFrame.chassis?.[0]?.psu_status ?? []);
    expect(back.processes?.[0]).toMatchObject({ pid: 41207, user: "alice", uses_gpu: true, cpu_time: null });
  });

  test("of any frame of one machine, what the text holds comes back", () => {
    const hostnames = fc.constantFrom("a", "dgx-01", "node.example.org");
    fc.assert(
      fc.property(frameArbitrary, hostnames, (any, hostname) => {
        const frame = possibleFrame(ofOneMachine(any, hostname));
        const text = textOf(frame);
        expect(series(textOf(readBack(text, hostname)))).toEqual(series(text));
      }),
      { numRuns: 60 },
    );
  });
});
