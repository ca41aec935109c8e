import { afterEach, expect, test } from "bun:test";
import { openGpus } from "../../../../test/fixtures/gpus/open.ts";
import { GpuReader } from "../../../../test/fixtures/gpus/read.ts";
import { HOST } from "../../../../test/fixtures/machines/cycle.ts";
import { type Machine, openMachine } from "../../../../test/fixtures/machines/make.ts";
import { openGpuSources } from "../gpus.ts";
import { GpuRegistry } from "../registry.ts";
import { parseLoad } from "./readings.ts";
import { parseDeviceTreeText, parseRelease } from "./tegra.ts";

const library = process.env.ALL_SMI_NVML;
afterEach(() => {
  if (library === undefined) delete process.env.ALL_SMI_NVML;
  else process.env.ALL_SMI_NVML = library;
});

async function sourceNames({ root }: Machine): Promise<string[]> {
  const sources = await openGpuSources({ root, host: HOST, registry: new GpuRegistry() });
  for (const source of sources) source.close?.();
  return sources.map(({ name }) => name);
}

test("a Jetson's GPU is read from sysfs; with a card on its bus, or a library that is named, NVML is asked", async () => {
  delete process.env.ALL_SMI_NVML;
  using machine = openGpus("tegra-agx-orin");
  expect(await sourceNames(machine)).toEqual(["tegra", "amd", "intel"]);
  process.env.ALL_SMI_NVML = "/opt/libnvidia-ml.so.1";
  expect(await sourceNames(machine)).toEqual(["nvidia", "amd", "intel"]);
  delete process.env.ALL_SMI_NVML;
  machine.write("/sys/bus/pci/devices/0005:01:00.0/vendor", "0x10de\n");
  machine.write("/sys/bus/pci/devices/0005:01:00.0/class", "0x030000\n");
  expect(await sourceNames(machine)).toEqual(["nvidia", "amd", "intel"]);
  using other = openMachine("epyc-9654");
  expect(await sourceNames(other)).toEqual(["nvidia", "amd", "intel"]);
});

test("of several rails with the GPU in their names the narrowest is its power", async () => {
  delete process.env.ALL_SMI_NVML;
  using machine = openGpus("tegra-agx-orin");
  machine.write("/sys/class/hwmon/hwmon3/in2_label", "GPU\n");
  const [gpu] = (await new GpuReader(machine, "tegra").read(0)).gpus;
  expect(gpu).toMatchObject({ power_consumption: 2.7, detail: { power_rail: "GPU" } });
});

test("an older board: other names, no power monitor by hwmon", async () => {
  delete process.env.ALL_SMI_NVML;
  using machine = openMachine(null);
  machine.write("/sys/class/devfreq/57000000.gpu/device/load", "415\n");
  machine.write("/sys/class/devfreq/57000000.gpu/cur_freq", "921600000\n");
  machine.write("/sys/class/thermal/thermal_zone2/type", "GPU-therm\n");
  machine.write("/sys/class/thermal/thermal_zone2/temp", "33500\n");
  const { gpus, errors } = await new GpuReader(machine, "tegra").read(0);
  expect(errors).toEqual([]);
  expect(gpus).toMatchObject([
    {
      uuid: "57000000.gpu",
      name: "NVIDIA Tegra GPU",
      utilization: 41.5,
      frequency: 922,
      temperature: 34,
      power_consumption: null,
      total_memory: null,
    },
  ]);
});

test("texts of the device tree and of the release", () => {
  expect(parseDeviceTreeText("NVIDIA Jetson AGX Orin Developer Kit\0")).toBe("NVIDIA Jetson AGX Orin Developer Kit");
  expect([parseDeviceTreeText("\0"), parseDeviceTreeText(null)]).toEqual([null, null]);
  expect(parseRelease("# R36 (release), REVISION: 3.0, GCID: 36923193, BOARD: generic")).toBe("36.3.0");
  expect(parseRelease("# R35 (release), REVISION: 4.1, GCID: 33958178")).toBe("35.4.1");
  expect([parseRelease("R36"), parseRelease(null)]).toEqual([null, null]);
});

test("load is per mille", () => {
  expect(["0", "873", "1000", "1001", "-1", "", null].map(parseLoad)).toEqual([0, 87.3, 100, null, null, null, null]);
});
