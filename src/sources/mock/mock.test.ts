import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ALL, frameOf, lineAt, readAt, START_MS } from "../../../test/mock.ts";
import { decodeLine } from "../../frame/decode.ts";
import { frameLine } from "../../frame/encode.ts";
import { mockHostnames, mockSource, parseMock } from "./mock.ts";

const cluster = { hosts: 3, gpus: 4, seed: 7, include: ALL, cpus: 16 };

const anyMock = fc.record({
  hosts: fc.integer({ min: 1, max: 4 }),
  gpus: fc.integer({ min: 0, max: 16 }),
  seed: fc.integer(),
  cpus: fc.integer({ min: 1, max: 33 }),
  health: fc.boolean(),
  perCore: fc.boolean(),
});
const anyTime = fc.integer({ min: 0, max: Date.UTC(2100, 0) });

describe("the size of a mock", () => {
  test.each([
    ["2x8", { hosts: 2, gpus: 8 }],
    ["1x0", { hosts: 1, gpus: 0 }],
    ["1000x16", { hosts: 1000, gpus: 16 }],
  ])("%s", (text, size) => {
    expect(parseMock(text)).toEqual(size);
  });

  test.each(["", "8", "2x", "x8", "2X8", "-1x8", "2x8x1", "2.5x8", " 2x8", "0x8", "1001x8", "2x17", "9999999x1"])(
    "%p is none",
    (text) => {
      expect(parseMock(text)).toBeString();
    },
  );
});

describe("the same seed and times", () => {
  test("give the same frames to the byte, however they were reached", () => {
    const times = Array.from({ length: 700 }, (_, i) => START_MS + i * 1000 + (i % 7));
    const stepped = mockSource(cluster);
    const again = mockSource(cluster);
    const last = times.map((t_ms) => lineAt(stepped, t_ms)).at(-1);
    for (const t_ms of times) lineAt(again, t_ms);
    expect(lineAt(again, times.at(-1) as number)).toBe(last as string);

    const jumped = mockSource(cluster);
    const backwards = mockSource(cluster);
    const values = (t_ms: number, source = jumped) => ({ ...readAt(source, t_ms), events: [] });
    for (const t_ms of times.toReversed().filter((_, i) => i % 50 === 0)) {
      expect(values(t_ms, backwards)).toEqual(values(t_ms, mockSource(cluster)));
    }
    expect(values(times.at(-1) as number)).toEqual(values(times.at(-1) as number, stepped));
  });

  test("and another seed others", () => {
    expect(lineAt(mockSource({ ...cluster, seed: 8 }), START_MS)).not.toBe(lineAt(mockSource(cluster), START_MS));
  });
});

test("any frame keeps every value through the schema's ranges", () => {
  fc.assert(
    fc.property(anyMock, anyTime, (options, t_ms) => {
      const frame = frameOf(readAt(mockSource({ ...options, include: ALL }), t_ms), t_ms);
      expect(decodeLine(frameLine(frame))).toEqual({ kind: "frame", frame });
    }),
    { numRuns: 150 },
  );
});

test("every gauge of a GPU stays where an H100's can be", () => {
  fc.assert(
    fc.property(anyMock, anyTime, (options, t_ms) => {
      for (const gpu of readAt(mockSource({ ...options, include: ["gpus"] }), t_ms).gpus ?? []) {
        if (gpu.lost) continue;
        expect(gpu.utilization).toBeWithin(0, 101);
        expect(gpu.power_consumption).toBeWithin(60, 702);
        expect(gpu.temperature).toBeWithin(30, 95);
        expect(gpu.frequency).toBeWithin(345, 1981);
        expect(gpu.used_memory).toBeWithin(0, gpu.total_memory as number);
        expect((gpu.used_memory as number) % 1024 ** 2).toBe(0);
      }
    }),
    { numRuns: 300 },
  );
});

test("memory adds up", () => {
  fc.assert(
    fc.property(anyMock, anyTime, (options, t_ms) => {
      for (const m of readAt(mockSource({ ...options, include: ["memory"] }), t_ms).memory ?? []) {
        const parts = [m.used_bytes, m.free_bytes, m.buffers_bytes, m.cached_bytes].map(Number);
        expect(parts.reduce((sum, part) => sum + part)).toBe(m.total_bytes as number);
        expect(Math.min(...parts)).toBeGreaterThan(0);
        expect(m.available_bytes).toBeWithin(m.free_bytes as number, m.total_bytes as number);
      }
    }),
    { numRuns: 100 },
  );
});

test("cores and sockets agree with the whole", () => {
  const cpu = readAt(mockSource({ hosts: 1, gpus: 8, seed: 3, include: ["cpus"] }), START_MS + 300_000).cpus?.[0];
  const mean = (values: readonly { utilization: number | null }[] = []) =>
    values.reduce((sum, one) => sum + (one.utilization as number), 0) / values.length;
  expect(cpu?.per_core_utilization).toHaveLength(224);
  expect(mean(cpu?.per_core_utilization)).toBeCloseTo(cpu?.utilization as number, -1);
  expect(mean(cpu?.per_socket_info)).toBeCloseTo(cpu?.utilization as number, 1);
});

test("uuids and the process ids of a host are unique", () => {
  const { gpus = [] } = readAt(
    mockSource({ hosts: 1000, gpus: 16, seed: 1, include: ["gpus"], health: false }),
    START_MS,
  );
  expect(gpus.length).toBeGreaterThanOrEqual(15_984);
  expect(new Set(gpus.map((gpu) => gpu.uuid)).size).toBe(gpus.length);
  expect(gpus.every((gpu) => /^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(gpu.uuid))).toBeTrue();
  for (let seed = 0; seed < 50; seed++) {
    const { processes = [] } = readAt(mockSource({ hosts: 1, gpus: 16, seed, include: ["processes"] }), START_MS);
    expect(new Set(processes.map((process) => process.pid)).size).toBe(processes.length);
  }
});

describe("what a reading holds", () => {
  test("the sections asked for and no others", () => {
    const reading = readAt(mockSource({ ...cluster, include: ["memory", "storage"] }), START_MS);
    expect(Object.keys(reading).sort()).toEqual(["memory", "scrapes", "storage"]);
    expect(readAt(mockSource({ ...cluster, gpus: 0, include: ["gpus"] }), START_MS).gpus).toEqual([]);
  });

  test("one host reads like this machine", () => {
    const reading = readAt(mockSource({ ...cluster, hosts: 1 }), START_MS + 300_000);
    expect(reading.scrapes).toBeUndefined();
    expect(reading.gpus?.map((gpu) => gpu.host_id)).toEqual(Array(4).fill("mock-0001"));
    expect(reading.processes?.some((process) => !process.uses_gpu)).toBeTrue();
    expect(reading.cpus?.[0]?.per_core_utilization).toHaveLength(16);
  });

  test("several read like scrapes: only processes on GPUs, each with its host, and no cores", () => {
    const reading = readAt(mockSource({ ...cluster, hosts: 2 }), START_MS + 300_000);
    expect(reading.scrapes?.map((scrape) => scrape.hostname)).toEqual(mockHostnames(2));
    expect(reading.processes?.length).toBeGreaterThan(0);
    expect(
      reading.processes?.every((process) => process.uses_gpu && process.host_id?.startsWith("mock-000")),
    ).toBeTrue();
    expect(reading.cpus?.every((cpu) => cpu.per_core_utilization.length === 0)).toBeTrue();
  });

  test("no more processes than asked for, those on GPUs first", () => {
    const reading = readAt(mockSource({ ...cluster, hosts: 1, processes: 5 }), START_MS + 300_000);
    expect(reading.processes?.map((process) => process.uses_gpu)).toEqual([true, true, true, true, false]);
  });

  test("a process on a GPU has that GPU's memory and uuid", () => {
    const { gpus = [], processes = [] } = readAt(mockSource({ ...cluster, hosts: 1 }), START_MS + 300_000);
    for (const process of processes.filter((one) => one.uses_gpu)) {
      expect(gpus.find((gpu) => gpu.uuid === process.device_uuid)?.used_memory).toBe(process.used_memory);
    }
  });

  test("without health no extension keys, and 8 GPUs fit in about 8 KB", () => {
    const lean = mockSource({
      hosts: 1,
      gpus: 8,
      seed: 1,
      include: ["gpus", "cpus", "memory"],
      perCore: false,
      health: false,
    });
    const line = lineAt(lean, START_MS + 300_000);
    expect(line).not.toMatch(/"(health|index":[1-7]|load_average|uptime_seconds)/);
    expect(line.length).toBeWithin(7000, 9000);
  });
});
