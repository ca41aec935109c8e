import { expect, test } from "bun:test";
import fc from "fast-check";
import { cleanFrameArbitrary, frameArbitrary } from "../../test/arbitrary.ts";
import { linuxFrame, nvidiaFrame, unknownFrame } from "../../test/frames.ts";
import { decodeLine } from "./decode.ts";
import { frameLine } from "./encode.ts";
import type { Frame } from "./frame.ts";
import type { Cpu, Gpu } from "./schema.ts";

type Json = Record<string, unknown>;

const written = (frame: Frame): Json => JSON.parse(frameLine(frame));
const first = (frame: Frame, section: string): Json => (written(frame)[section] as Json[])[0] ?? {};

test("any frame is read back as it was", () => {
  fc.assert(
    fc.property(cleanFrameArbitrary, (frame) => {
      expect(decodeLine(frameLine(frame))).toEqual({ kind: "frame", frame });
    }),
    { numRuns: 200 },
  );
});

test("any frame is one line", () => {
  fc.assert(fc.property(frameArbitrary, (frame) => expect(frameLine(frame)).not.toContain("\n")));
});

test("the line begins with what a reader looks for first, and ends in the errors", () => {
  const line = written({ ...nvidiaFrame, scrapes: [], events: [] });
  expect(Object.keys(line)).toEqual([
    ...["schema", "t", "seq", "elapsed_ms", "source", "timestamp", "hostname"],
    ...["gpus", "cpus", "memory", "chassis", "processes", "storage", "scrapes", "events", "errors"],
  ]);
  expect(line.t).toBe("2026-04-18T12:02:06.250Z");
  expect(line.timestamp).toBe("2026-04-18T12:02:06Z");
});

test("what the file does not say is absent, and so is a section that was not asked for", () => {
  const { t_ms, hostname } = nvidiaFrame;
  const bare: Frame = { t_ms, hostname, seq: null, elapsed_ms: null, source: null, errors: [], gpus: [] };
  expect(Object.keys(written(bare))).toEqual(["schema", "t", "timestamp", "hostname", "gpus", "errors"]);
});

/** The same frame with the keys of all its objects the other way round. */
function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversed) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, key === "detail" ? one : reversed(one)]);
  return Object.fromEntries(entries.reverse());
}

test("keys stand in the order of the schema, whatever order a source gave them", () => {
  for (const frame of [nvidiaFrame, linuxFrame]) expect(frameLine(reversed(frame))).toBe(frameLine(frame));
  fc.assert(fc.property(frameArbitrary, (frame) => expect(frameLine(reversed(frame))).toBe(frameLine(frame))));
});

test("unknown values of a GPU have their sentinels, or are listed", () => {
  const gpu = first(unknownFrame, "gpus");
  const { utilization, ane_utilization, temperature, frequency, power_consumption, gpu_core_count } = gpu;
  expect([utilization, ane_utilization, power_consumption]).toEqual([-1, -1, -1]);
  expect([temperature, frequency]).toEqual([0, 0]);
  expect([gpu_core_count, gpu.dla_utilization, gpu.gpm_metrics, gpu.numa_node_id]).toEqual([null, null, null, null]);
  expect([gpu.used_memory, gpu.total_memory, gpu.unknown]).toEqual([0, 0, ["used_memory", "total_memory"]]);
});

test("a device in the schema's order of which only such numbers are missing is written as any other", () => {
  const [gpu] = nvidiaFrame.gpus ?? [];
  const missing = { ane_utilization: null, power_consumption: null } satisfies Partial<Gpu>;
  const inOrder = { ...(gpu as Gpu), ...missing };
  const { uuid, ...others } = inOrder;
  const given = structuredClone(inOrder);
  const line = first({ ...nvidiaFrame, gpus: [inOrder] }, "gpus");
  expect(line).toMatchObject({ ane_utilization: -1, power_consumption: -1 });
  expect(JSON.stringify(line)).toBe(JSON.stringify(first({ ...nvidiaFrame, gpus: [{ ...others, uuid }] }, "gpus")));
  expect(inOrder).toEqual(given);
});

test("a zero that was measured is not listed as unknown", () => {
  const [device] = nvidiaFrame.gpus ?? [];
  const gpu = { ...device, used_memory: 0, total_memory: null } as Gpu;
  const encoded = first({ ...nvidiaFrame, gpus: [gpu] }, "gpus");
  expect([encoded.used_memory, encoded.total_memory, encoded.unknown]).toEqual([0, 0, ["total_memory"]]);
  const line = decodeLine(frameLine({ ...nvidiaFrame, gpus: [gpu] }));
  expect(line.kind === "frame" && line.frame.gpus?.[0]).toEqual(gpu);
});

test("a nested device lists its own unknown values", () => {
  const [cpu] = linuxFrame.cpus ?? [];
  const cores = [{ core_id: 7, core_type: "Standard", utilization: null }] as Cpu["per_core_utilization"];
  const encoded = first({ ...linuxFrame, cpus: [{ ...cpu, per_core_utilization: cores } as Cpu] }, "cpus");
  expect(encoded.per_core_utilization).toEqual([
    { core_id: 7, core_type: "Standard", utilization: 0, unknown: ["utilization"] },
  ]);
  expect(encoded).not.toHaveProperty("unknown");
});

test("a device whose values are all known has no list of unknown ones", () => {
  expect(JSON.stringify(written(nvidiaFrame))).not.toContain('"unknown"');
});

test("whole numbers are rounded, and unknown where their type does not hold them", () => {
  const [device] = nvidiaFrame.gpus ?? [];
  const gpu = { ...device, temperature: 59.6, frequency: -1, gsp_firmware_mode: 256, used_memory: 2 ** 60 } as Gpu;
  const encoded = first({ ...nvidiaFrame, gpus: [gpu] }, "gpus");
  const { temperature, frequency, gsp_firmware_mode, used_memory, unknown } = encoded;
  expect([temperature, frequency, gsp_firmware_mode, used_memory, unknown]).toEqual([60, 0, null, 0, ["used_memory"]]);
});

test("a platform that the Rust tool does not name is an Other", () => {
  const [cpu] = linuxFrame.cpus ?? [];
  const names = ["Intel", "riscv64", ""].map((platform_type) =>
    first({ ...linuxFrame, cpus: [{ ...cpu, platform_type } as Cpu] }, "cpus"),
  );
  expect(names.map((one) => one.platform_type)).toEqual(["Intel", { Other: "riscv64" }, { Other: "" }]);
});
