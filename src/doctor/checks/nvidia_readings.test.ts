import { expect, test } from "bun:test";
import { findingsOf, machineOf, pciTree, type Tree } from "../../../test/doctor.ts";
import { gpu } from "../../../test/event_frames.ts";
import { openGpus } from "../../../test/fixtures/gpus/open.ts";
import { capturedCard } from "../../../test/nvidia_smi_capture.ts";
import type { Gpu } from "../../frame/schema.ts";
import { Files } from "../files.ts";
import { nvidiaReadingChecks, readingVerdicts } from "./nvidia_readings.ts";

const DETAIL = { "Driver Version": "590.48.01", "CUDA Version": "13.1", persistence_mode: "Enabled" };

const card = (index: number, changes: Partial<Gpu> = {}): Gpu => ({
  ...gpu(index),
  name: "NVIDIA H100 80GB HBM3",
  detail: DETAIL,
  ...changes,
});

const LIBRARY: Tree = { "/usr/lib64/libnvidia-ml.so.1": "" };
const SMI: Tree = { "/usr/bin/nvidia-smi": "" };
const CONTROL: Tree = { "/dev/nvidiactl": "" };
const DRIVER: Tree = { "/proc/driver/nvidia/version": "590.48.01" };

function verdicts(
  gpus: readonly Gpu[],
  errors: readonly string[] = [],
  tree: Tree = { ...DRIVER, ...LIBRARY },
): string[] {
  using machine = machineOf(tree);
  return readingVerdicts({ gpus, errors }, machine).map(({ state, says }) => `${state}: ${says}`);
}

test("cards that answer", () => {
  expect(verdicts([card(0), card(1), card(2, { name: "NVIDIA L4" })])).toEqual([
    "ok: 2 NVIDIA H100 80GB HBM3, 1 NVIDIA L4; driver 590.48.01, CUDA 13.1",
  ]);
});

test("none answers, with a reason or without one", () => {
  expect(verdicts([])).toEqual(["problem: no card answers: the driver's library works, and lists none"]);
  expect(verdicts([], ["driver hung, pid 12"])).toEqual(["problem: driver hung, pid 12"]);
});

test("that the library lists none is not said where there is no library", () => {
  expect(verdicts([], [], DRIVER)).toEqual([]);
  const error = "the driver is there, but neither its library nor nvidia-smi was found";
  expect(verdicts([], [error], CONTROL)).toEqual([`problem: ${error}`]);
});

test("none answers, where of the driver there is its device only, or nothing", () => {
  const says = "lists none, or finds no driver behind /dev/nvidiactl";
  expect(verdicts([], [], { ...CONTROL, ...LIBRARY })).toEqual([
    `problem: no card answers: the driver's library ${says}`,
  ]);
  expect(verdicts([], [], { ...CONTROL, ...SMI })).toEqual([`problem: no card answers: nvidia-smi ${says}`]);
  expect(verdicts([], [], { ...DRIVER, ...SMI })).toEqual([
    "problem: no card answers: nvidia-smi works, and lists none",
  ]);
});

test.each([LIBRARY, SMI, {}])("a library or nvidia-smi alone, as an image may have it, is no problem: %p", (tree) => {
  expect(verdicts([], [], tree)).toEqual(["absent: no card answers"]);
  expect(verdicts([], ["nvmlInit_v2: unknown error"], tree)).toEqual(["note: nvmlInit_v2: unknown error"]);
  expect(verdicts([card(0)], ["GPU 0: unknown error"], tree)[1]).toBe("problem: GPU 0: unknown error");
});

test("that a card has no driver the check of the driver tells", () => {
  const [bus, bound] = [null, "nvidia"].map((driver) => pciTree("0000:06:00.0", "0x10de", driver));
  for (const error of ["nvmlInit_v2: the NVIDIA driver is not loaded", "the driver is not loaded"]) {
    expect(verdicts([], [error], { ...bus, ...LIBRARY })).toEqual([]);
    expect(verdicts([], [error], { ...bound, ...LIBRARY })).toEqual([`problem: ${error}`]);
  }
});

const { row } = capturedCard("h100", "load");

test("cards that nvidia-smi tells of", () => {
  const read = card(0, { health: row.health ?? null, detail: row.detail });
  expect(verdicts([read], [], SMI)).toEqual([
    expect.stringMatching(/^ok: 1 NVIDIA H100 80GB HBM3; driver .*; by nvidia-smi, which tells less$/),
  ]);
});

test("nvidia-smi tells of cards, as the library that is named cannot be loaded", () => {
  const env = { ALL_SMI_NVML: "/opt/libnvidia-ml.so" };
  const error = "ALL_SMI_NVML: file too short; nvidia-smi is asked instead";
  const read = { gpus: [card(0, { health: row.health ?? null })], errors: [error] };
  using broken = machineOf({ ...SMI, "/opt/libnvidia-ml.so": "" }, { env });
  expect(readingVerdicts(read, broken)).toEqual([
    { state: "ok", says: expect.stringContaining("by nvidia-smi"), fix: null },
    { state: "problem", says: error, fix: expect.stringContaining("unset it") },
  ]);
  using missing = machineOf(SMI, { env });
  expect(readingVerdicts(read, missing)).toHaveLength(1);
});

test("nvidia-smi is as slow as the driver", () => {
  const [found] = verdicts([], ["nvidia-smi has not answered yet"], { ...CONTROL, ...SMI });
  expect(found).toStartWith("problem: no answer within 18 s (nvidia-smi has not answered yet)");
});

test("one is lost", () => {
  const lost = { since: "2026-04-18T12:00:00.000Z", reason: "XID 79: fell off the bus" };
  expect(verdicts([card(0), card(1, { lost })])).toEqual([
    "ok: 1 NVIDIA H100 80GB HBM3; driver 590.48.01, CUDA 13.1",
    "problem: GPU 1 is lost: XID 79: fell off the bus",
  ]);
});

test.each([
  ["nvmlInit_v2: the library and the loaded driver are of different versions", "reboot", "remove the library"],
  ["nvmlInit_v2: the NVIDIA driver is not loaded", "modprobe nvidia", "--gpus all"],
  ["nvmlInit_v2: no permission", "usermod", "--gpus all"],
  ["the driver was updated since it was loaded: reload it, or start anew", "reboot", "remove the library"],
  ["nvidia-smi: Segmentation fault", "dmesg", "dmesg"],
  ["nvmlDeviceGetCount_v2: unknown error", "dmesg", "dmesg"],
  [
    "the driver is there, but neither its library nor nvidia-smi was found",
    "libnvidia-compute",
    "NVIDIA_DRIVER_CAPABILITIES",
  ],
  ["ALL_SMI_NVML: file too short", "unset it", "unset it"],
])("%s: what to do about it on the machine (%s) and in a container (%s)", (error, onMachine, inContainer) => {
  const path = "/opt/libnvidia-ml.so";
  using machine = machineOf({ [path]: "" }, { env: { ALL_SMI_NVML: path } });
  using container = machineOf({ [path]: "", "/.dockerenv": "" }, { env: { ALL_SMI_NVML: path } });
  for (const [where, fix] of [
    [machine, onMachine],
    [container, inContainer],
  ] as const) {
    const [verdict] = readingVerdicts({ gpus: [], errors: [error] }, where);
    expect(verdict).toEqual({ state: "problem", says: error, fix: expect.stringContaining(fix) });
  }
});

test("that there is no file of the name in ALL_SMI_NVML is one problem, which the check of the library tells", () => {
  using machine = machineOf({}, { env: { ALL_SMI_NVML: "/nonexistent" } });
  expect(readingVerdicts({ gpus: [], errors: ["ALL_SMI_NVML: cannot open shared object file"] }, machine)).toEqual([]);
});

test("a card that this process may not open may be another's", () => {
  const error = "GPU 1 may not be opened: no permission";
  expect(verdicts([card(0)], [error])[1]).toBe(`note: ${error}`);
});

test("that it may open none is a problem", () => {
  const errors = ["GPU 0 may not be opened: no permission", "GPU 1 may not be opened: no permission"];
  expect(verdicts([], errors)).toEqual(errors.map((error) => `problem: ${error}`));
});

test("cards that do not say what they are", () => {
  const [found] = verdicts([card(0, { name: "" }), card(1), card(2, { name: "" })]);
  expect(found).toStartWith("ok: 1 NVIDIA H100 80GB HBM3, 2 unnamed;");
});

test("an error does not hide the cards that were read", () => {
  expect(verdicts([card(0)], ["GPU 0: the driver hangs in nvmlDeviceGetX"])).toEqual([
    "ok: 1 NVIDIA H100 80GB HBM3; driver 590.48.01, CUDA 13.1",
    "problem: GPU 0: the driver hangs in nvmlDeviceGetX",
  ]);
});

test.each(["Disabled", "0"])("persistence mode is %p on one of two", (persistence_mode) => {
  const [, found] = verdicts([card(0), card(1, { detail: { ...DETAIL, persistence_mode } })]);
  expect(found).toStartWith("note: persistence mode is off on 1 of 2");
});

test.each(["Enabled", "1"])("MIG mode is %p, with and without an instance", (mig_mode_current) => {
  const detail = { ...DETAIL, mig_mode_current };
  const instance = { uuid: "MIG-1", profile: "3g.40gb", gpu_instance: 1, compute_instance: 0 };
  const sizes = { used_memory: null, total_memory: null, utilization: null };
  expect(verdicts([card(0, { detail, mig: [{ ...instance, ...sizes }] })])).toHaveLength(1);
  const [, found] = verdicts([card(0, { detail, mig: [] })]);
  expect(found).toBe("note: GPU 0 is in MIG mode, and no instance of it can be seen");
});

test.skipIf(Boolean(process.env.ALL_SMI_NVML))("the GPU of the recorded Jetson answers", async () => {
  using recorded = openGpus("tegra-agx-orin");
  using made = machineOf({});
  recorded.write("/proc/device-tree/compatible", "nvidia,p3737-0000+p3701-0000\0nvidia,tegra234\0");
  const files = new Files(recorded.root);
  expect(await findingsOf(nvidiaReadingChecks, { ...made, root: recorded.root, files, own: files })).toEqual([
    "ok readings: 1 NVIDIA Jetson AGX Orin Developer Kit; driver L4T 36.3.0",
  ]);
});
