import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import type { Gpu } from "../../src/frame/schema.ts";
import { mayHaveCards } from "../../src/sources/gpu/nvidia/presence.ts";
import { fakeNvidiaSmi } from "../nvidia_smi.ts";
import { StubDriver } from "../nvml_stub.ts";
import { machineIn } from "./host_root.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();
const root = join(folder, "root");
mkdirSync(join(root, "proc"), { recursive: true });
mkdirSync(join(root, "dev"));
writeFileSync(join(root, "dev/nvidiactl"), "");
writeFileSync(join(root, "proc/meminfo"), "MemTotal: 125000000 kB\nMemFree: 1000 kB\nMemAvailable: 60000000 kB\n");
writeFileSync(join(root, "proc/stat"), "cpu  1 0 1 1 0 0 0 0 0 0\n");

const SNAPSHOT = [...PROGRAM, "snapshot", "--include", "gpu", "--host-root", root];
const MACHINES = { used_memory: 65_000_000 * 1024, total_memory: 125_000_000 * 1024 };

async function gpuOf(command: readonly string[]): Promise<Gpu> {
  const { out, code } = await start(command).ended;
  expect(code).toBe(0);
  const [gpu] = (JSON.parse(out) as Frame).gpus ?? [];
  if (gpu === undefined) throw new Error(`no GPU: ${out}`);
  return gpu;
}

// Where NVIDIA's library is there, it is what is read.
describe.skipIf(mayHaveCards(""))("a chip without memory of its own", () => {
  const asked = async (values: Readonly<Record<string, string>>): Promise<Gpu> => {
    using fake = fakeNvidiaSmi({ capture: "h100", moment: "load", values });
    return await gpuOf(["env", `PATH=${fake.path}:${process.env.PATH}`, "ALL_SMI_NVML=/nonexistent", ...SNAPSHOT]);
  };

  test("by nvidia-smi has the machine's, marked as shared", async () => {
    for (const word of ["[N/A]", "[Not Supported]"]) {
      const gpu = await asked({ name: "NVIDIA GB10", "memory.total": word, "memory.used": word });
      expect(gpu).toMatchObject({ name: "NVIDIA GB10", ...MACHINES, detail: { memory: "shared with the machine" } });
      // nvidia-smi says 0 of it, whatever happens.
      expect(gpu.health?.memory_utilization).toBeNull();
    }
  });

  test("is none where nvidia-smi fails to tell, or tells", async () => {
    const unknown = await asked({ "memory.total": "[Unknown Error]", "memory.used": "[Unknown Error]" });
    expect(unknown).toMatchObject({ total_memory: 0, unknown: ["used_memory", "total_memory"] } as object);
    expect(Object.keys(unknown.detail)).not.toContain("memory");
    const own = await asked({ name: "NVIDIA GH200 480GB", "memory.total": "97871", "memory.used": "0" });
    expect(own).toMatchObject({ used_memory: 0, total_memory: 97_871 * 2 ** 20 });
    expect(Object.keys(own.detail)).not.toContain("memory");
  });

  test("by the library has the machine's, marked as shared", async () => {
    const driver = new StubDriver(
      folder,
      "h100",
      "* name NVIDIA GB10",
      "* memory_total_mib -",
      "* memory_utilization 0",
    );
    const gpu = await gpuOf(driver.with(SNAPSHOT));
    expect(gpu).toMatchObject({ name: "NVIDIA GB10", ...MACHINES, detail: { memory: "shared with the machine" } });
    expect(gpu.health?.memory_utilization).toBeNull();
  });

  test("is none where the library tells", async () => {
    const gpu = await gpuOf(new StubDriver(folder, "h100").with(SNAPSHOT));
    expect(gpu.total_memory).toBe(81_559 * 2 ** 20);
    expect(Object.keys(gpu.detail)).not.toContain("memory");
  });
});

test("a processor of AMD's whose GPU has no memory of its own has what it may take of the machine's", async () => {
  const card = "sys/devices/pci0000:00/0000:03:00.0";
  const machine = machineIn(folder, {
    "sys/class/drm/card0/device": "-> ../../../devices/pci0000:00/0000:03:00.0",
    [`${card}/driver`]: "-> ../../../bus/pci/drivers/amdgpu",
    [`${card}/vendor`]: "0x1002",
    [`${card}/device`]: "0x74a0",
    [`${card}/mem_info_vram_total`]: "0",
    [`${card}/mem_info_vram_used`]: "0",
    [`${card}/mem_info_gtt_total`]: "64000000000",
    [`${card}/mem_info_gtt_used`]: "1000000000",
    [`${card}/hwmon/hwmon0/name`]: "amdgpu",
    [`${card}/hwmon/hwmon0/temp2_label`]: "junction",
    [`${card}/hwmon/hwmon0/temp2_input`]: "44000",
  });
  const gpu = await gpuOf([...PROGRAM, "snapshot", "--include", "gpu", "--host-root", machine]);
  expect(gpu).toMatchObject({ name: "AMD Instinct MI300A", used_memory: 1e9, total_memory: 64e9 });
  expect(gpu.detail.memory).toStartWith("shared with the machine");
});
