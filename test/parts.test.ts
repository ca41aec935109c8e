import { expect, test } from "bun:test";
import { PARTS, parseParts, withoutParts } from "../src/frame/parts.ts";
import type { Gpu } from "../src/frame/schema.ts";
import { mockSource } from "../src/sources/mock/mock.ts";
import { ALL, frameOf, readAt, START_MS } from "./mock.ts";

const frame = frameOf(readAt(mockSource({ hosts: 1, gpus: 2, seed: 1, include: ALL, cpus: 8 }), START_MS), START_MS);

test("a part is left out, and nothing else", () => {
  const { cpus = [], gpus = [], processes = [] } = frame;
  expect(withoutParts(frame, ["cores"])).toEqual({
    ...frame,
    cpus: cpus.map((cpu) => ({ ...cpu, per_core_utilization: [] })),
  });
  expect(withoutParts(frame, ["details"])).toEqual({ ...frame, gpus: gpus.map((gpu) => ({ ...gpu, detail: {} })) });
  expect(gpus.map((gpu) => gpu.nvlink_remote_devices.length)).toEqual([18, 18]);
  expect(withoutParts(frame, ["peers"])).toEqual({
    ...frame,
    gpus: gpus.map((gpu) => ({ ...gpu, nvlink_remote_devices: [] })),
  });
  const bare = withoutParts(frame, ["links"]);
  expect({ ...bare, gpus }).toEqual({ ...frame, gpus });
  expect(bare.gpus).toEqual(
    gpus.map((gpu) => {
      const { nvlink: _, ...health } = gpu.health ?? {};
      return { ...gpu, health } as Gpu;
    }),
  );
  for (const gpu of bare.gpus ?? []) expect(gpu.health).not.toHaveProperty("nvlink");
  const onGpus = withoutParts(frame, ["host_processes"]).processes ?? [];
  expect(onGpus).toEqual(processes.filter(({ uses_gpu }) => uses_gpu));
  expect([onGpus.length > 0, onGpus.length < processes.length]).toEqual([true, true]);
});

test("where a section is not there, nothing is made of it", () => {
  const { gpus: _, cpus: __, processes: ___, ...bare } = frame;
  expect(withoutParts(bare, PARTS)).toEqual(bare);
});

test("parts are read in any order, and other words are refused", () => {
  expect(parseParts("links, Cores")).toEqual(["cores", "links"]);
  expect(parseParts("cores,gpus")).toBe('"gpus" is none of cores, peers, links, details, host_processes.');
  expect(parseParts("toString")).toBeString();
});
