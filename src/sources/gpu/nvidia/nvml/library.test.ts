import { expect, test } from "bun:test";
import { Scenario } from "../../../../../test/nvml.ts";
import { openSource } from "../../../../../test/nvml_compiled.ts";
import { C_COMPILER, STUB } from "../../../../../test/nvml_stub.ts";
import { NvmlUnavailable, openLibrary } from "./library.ts";
import { Nvml } from "./nvml.ts";
import { NvmlReader } from "./reader.ts";

function unavailable(path: string): NvmlUnavailable {
  try {
    openLibrary(path);
  } catch (error) {
    if (error instanceof NvmlUnavailable) return error;
  }
  throw new Error("it was opened");
}

test("a path that cannot be loaded is no library", () => {
  expect(unavailable("/nowhere/libnvidia-ml.so.1").kind).toBe("no_library");
  expect(unavailable(STUB).kind).toBe("no_library");
  expect(unavailable(import.meta.path).message).toStartWith("ALL_SMI_NVML: ");
});

test("a library of something else is no library", () => {
  expect(unavailable("libc.so.6").kind).toBe("no_library");
});

test("functions that a library lacks are left out", () => {
  using scenario = new Scenario("h100", "without nvmlDeviceGetFieldValues");
  scenario.enterHere();
  const functions = openSource(STUB);
  expect(functions.nvmlDeviceGetFieldValues).toBeUndefined();
  expect(functions.nvmlDeviceGetPowerUsage).toBeFunction();
});

test.skipIf(C_COMPILER === null)("a shared object is read as the source compiled in memory", () => {
  using scenario = new Scenario("h100_x8");
  scenario.enterHere();
  const libraries = [openLibrary(scenario.env.ALL_SMI_NVML), openSource(STUB)];
  const [fromObject, fromSource] = libraries.map((functions) => {
    const nvml = new Nvml(functions);
    nvml.initialize();
    const reader = new NvmlReader(nvml);
    reader.read({ t_ms: Date.now(), monotonic_ms: 1000 });
    return reader.read({ t_ms: Date.now(), monotonic_ms: 2000 });
  });
  expect(fromObject?.cards).toHaveLength(8);
  expect(fromObject?.cards).toEqual(fromSource?.cards ?? []);
});
