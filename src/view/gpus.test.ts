import { expect, test } from "bun:test";
import { nvidiaFrame } from "../../test/frames.ts";
import type { Gpu } from "../frame/schema.ts";
import { deviceWord, gpuModels, gpuNotes, gpuNumber, shownGpus } from "./gpus.ts";
import { gpuTotals } from "./totals.ts";

const [first] = nvidiaFrame.gpus ?? [];
if (first === undefined) throw new Error("no GPU");
const gpu: Gpu = { ...first, lost: null };
const texts = (changes: Partial<Gpu>) => gpuNotes({ ...gpu, ...changes }).map(({ text }) => text);
const health = (changes: Partial<NonNullable<Gpu["health"]>>): Partial<Gpu> => ({ health: changes });

test("what is wrong, the worst first", () => {
  expect(texts(health({ throttle: ["power", "thermal"] }))).toEqual(["throttled: heat", "at power limit"]);
  expect(texts({ lost: { since: "", reason: "" } })).toEqual(["lost"]);
  expect(texts({ health: null, temperature: 91 })).toEqual(["91°C, slows at 92°C"]);
  expect(
    texts(
      health({ nvlink: [{ link_index: 4, state: "inactive", crc_errors: 1, replay_errors: 0, recovery_errors: 0 }] }),
    ),
  ).toEqual(["NVLink 4 down"]);
  expect(texts({ health: null })).toEqual([]);
  const notAsked = { ...gpu.detail, "not asked": "nvmlDeviceGetPowerUsage (hangs)" };
  expect(texts({ health: null, detail: notAsked })).toEqual(["not asked: nvmlDeviceGetPowerUsage (hangs)"]);
});

test("what is not known is not said", () => {
  expect(texts(health({ throttle: null, ecc: null, remapped_rows: null, pcie: null, nvlink: null }))).toEqual([]);
  expect(texts({ health: null, temperature: null })).toEqual([]);
});

test("numbers, also as other readers write them", () => {
  const { index: _, ...unnumbered } = gpu;
  expect(gpuNumber(gpu, 5)).toBe("0");
  expect(gpuNumber({ ...unnumbered, detail: { index: "3" } }, 5)).toBe("3");
  expect(gpuNumber({ ...unnumbered, detail: {} }, 5)).toBe("5");
});

test("models and what they are called", () => {
  const other: Gpu = { ...gpu, name: "Tesla T4" };
  expect(gpuModels([gpu, gpu, other])).toBe("2× H100 80GB HBM3 + 1× Tesla T4");
  expect(gpuModels([{ ...gpu, name: "" }, gpu, { ...gpu, name: "" }])).toBe("1× H100 80GB HBM3 + 2 unnamed");
  expect(deviceWord([{ ...gpu, device_type: "NPU" }])).toBe("NPU");
  expect(deviceWord([gpu, { ...gpu, device_type: "NPU" }])).toBe("GPU");
});

test("order and filter keep the numbers", () => {
  const gpus = [10, null, 90].map((utilization, index): Gpu => ({ ...gpu, index, utilization }));
  const numbers = (sort: "default" | "utilization", filter: string) =>
    shownGpus(gpus, sort, filter).map(({ number }) => number);
  expect(numbers("utilization", "")).toEqual(["2", "0", "1"]);
  expect(numbers("default", "#2")).toEqual(["2"]);
  expect(numbers("default", "no GPU is called that")).toEqual(["0", "1", "2"]);
});

test("sums take what is known, and say when nothing is", () => {
  const unknown: Gpu = { ...gpu, utilization: null, used_memory: null, power_consumption: null, temperature: null };
  expect(gpuTotals([{ ...gpu, utilization: 40, temperature: 61 }, unknown])).toMatchObject({
    devices: 2,
    answering: 1,
    utilization: 40,
    hottest: { temperature: 61, number: "0" },
  });
  expect(gpuTotals([unknown])).toMatchObject({ utilization: null, used_memory: null, power_w: null, hottest: null });
});
