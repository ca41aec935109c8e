import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Scenario, STUB } from "../../../../../test/nvml.ts";
import { openSource } from "./compiled.ts";
import { NvmlUnavailable, openLibrary } from "./library.ts";
import { Nvml } from "./nvml.ts";
import { NvmlReader } from "./reader.ts";

function unavailable(path: string, open: (path: string) => unknown = openLibrary): NvmlUnavailable {
  try {
    open(path);
  } catch (error) {
    if (error instanceof NvmlUnavailable) return error;
  }
  throw new Error("it was opened");
}

test("a path that cannot be loaded is no library", () => {
  expect(unavailable("/nowhere/libnvidia-ml.so.1").kind).toBe("no_library");
  expect(unavailable("/nowhere/stub.c", openSource).kind).toBe("no_library");
  expect(unavailable(import.meta.path).message).toStartWith("ALL_SMI_NVML: ");
});

test("a library of something else is no library", () => {
  expect(unavailable("libc.so.6").kind).toBe("no_library");
});

test("C source that exports nothing but the library's functions", () => {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-nvml-"));
  try {
    const path = join(folder, "plain.c");
    const count = "int nvmlDeviceGetCount_v2(unsigned *count) { *count = 3; return 0; }";
    writeFileSync(path, `int nvmlInit_v2(void) { return 0; }\n${count}\n`);
    const functions = openSource(path);
    expect(Object.keys(functions).sort()).toEqual(["nvmlDeviceGetCount_v2", "nvmlInit_v2"]);
    const found = new Uint32Array(1);
    expect(functions.nvmlDeviceGetCount_v2?.(ptr(found))).toBe(0);
    expect(found[0]).toBe(3);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("functions that a library lacks are left out", () => {
  using scenario = new Scenario("h100", "without nvmlDeviceGetFieldValues");
  scenario.enterHere();
  const functions = openSource(STUB);
  expect(functions.nvmlDeviceGetFieldValues).toBeUndefined();
  expect(functions.nvmlDeviceGetPowerUsage).toBeFunction();
});

const compiler = Bun.which("cc");

test.skipIf(compiler === null)("a shared object is read as one compiled in memory", () => {
  using scenario = new Scenario("h100_x8");
  scenario.enterHere();
  const folder = mkdtempSync(join(tmpdir(), "nvml-"));
  try {
    const path = join(folder, "libnvidia-ml.so.1");
    const { exitCode } = Bun.spawnSync([compiler ?? "", "-shared", "-fPIC", "-o", path, STUB]);
    expect(exitCode).toBe(0);
    const [fromObject, fromSource] = [openLibrary(path), openSource(STUB)].map((functions) => {
      const nvml = new Nvml(functions);
      nvml.initialize();
      const reader = new NvmlReader(nvml);
      reader.read({ t_ms: Date.now(), monotonic_ms: 1000 });
      return reader.read({ t_ms: Date.now(), monotonic_ms: 2000 });
    });
    expect(fromObject?.cards).toHaveLength(8);
    expect(fromObject?.cards).toEqual(fromSource?.cards ?? []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
