import { afterAll, expect, test } from "bun:test";
import { frameLine } from "../../src/frame/encode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import type { Gpu } from "../../src/frame/schema.ts";
import { nvidiaFrame } from "../frames.ts";
import { api, closeHosts, exporter } from "../hosts.ts";
import { PROGRAM, start } from "./run.ts";

afterAll(closeHosts);

/** The GPUs of a page, as a snapshot of its host has them. */
async function gpusOf(page: string): Promise<readonly Gpu[]> {
  const host = await exporter(() => new TextEncoder().encode(page));
  const { out, code } = await start([...PROGRAM, "snapshot", "--source", "remote", "--hosts", host.id]).ended;
  expect(code).toBe(0);
  return (JSON.parse(out) as Frame).gpus ?? [];
}

test("dcgm-exporter: 0 °C, 0 W and the tops of types are unknown, a zero that is one stays", async () => {
  const labels = '{gpu="0",UUID="GPU-00000000-0000-0000-0000-000000000000",pci_bus_id="00000000:3B:00.0"}';
  const other = '{gpu="1",UUID="GPU-00000000-0000-0000-0000-000000000000",pci_bus_id="00000000:5E:00.0"}';
  const values = {
    GPU_TEMP: "0",
    MEMORY_TEMP: "65535",
    POWER_USAGE: "0",
    GPU_UTIL: "0",
    MEM_COPY_UTIL: "255",
    FAN_SPEED: "4294967295",
    PCIE_REPLAY_COUNTER: "18446744073709551615",
    ECC_SBE_VOL_TOTAL: "0",
    ECC_DBE_VOL_TOTAL: "9223372036854775794",
    CLOCK_THROTTLE_REASONS: "4294967295",
    FB_USED: "0",
    FB_FREE: "2147483632",
    PCIE_LINK_WIDTH: "0",
  };
  const series = Object.entries(values).map(([name, value]) => `DCGM_FI_DEV_${name}${labels} ${value}`);
  const gpus = await gpusOf(`${series.join("\n")}\nDCGM_FI_DEV_GPU_TEMP${other} 41\n`);
  expect(gpus.map(({ uuid, temperature }) => [uuid, temperature])).toEqual([
    ["PCI-0000:3b:00.0", 0],
    ["PCI-0000:5e:00.0", 41],
  ]);
  const [gpu] = gpus;
  expect(gpu).toMatchObject({
    utilization: 0,
    power_consumption: -1,
    used_memory: 0,
    unknown: ["total_memory"],
  } as object);
  expect(gpu?.health?.memory_temperature ?? null).toBeNull();
  expect(gpu?.health?.memory_utilization ?? null).toBeNull();
  expect(gpu?.health?.fan_percent ?? null).toBeNull();
  expect(gpu?.health?.throttle ?? null).toBeNull();
  expect(gpu?.health?.pcie ?? null).toBeNull();
  expect(gpu?.health?.ecc).toMatchObject({ corrected_volatile: 0, uncorrected_volatile: null });
});

test("AMD's exporter: what means none is no partition, no id, no temperature", async () => {
  const labels = (id: number): string =>
    `{card_model="",card_series="Aqua Vanjaram [Instinct MI300X VF]",gpu_compute_partition_type="none",gpu_id="${id}",` +
    'gpu_partition_id="4294967295",gpu_uuid="00000000-0000-0000-0000-000000000000",hostname="vm",serial_number="N/A"}';
  const of = (name: string, value: string, id = 0): string => `amd_gpu_${name}${labels(id)} ${value}\n`;
  const clock = of("clock", "1400").replace("{", '{clock_type="system",');
  const page =
    of("junction_temperature", "65535") +
    of("edge_temperature", "44") +
    of("package_power", "0") +
    of("power_usage", "180") +
    of("total_vram", "4294967295") +
    of("used_vram", "1210") +
    of("free_vram", "195078") +
    of("gfx_activity", "65535") +
    of("gfx_activity", "0", 1) +
    clock.replace(" 1400", " 65535") +
    clock;
  const gpus = await gpusOf(page);
  expect(gpus.map(({ uuid, utilization }) => [uuid, utilization])).toEqual([
    ["vm/0", -1],
    ["vm/1", 0],
  ]);
  expect(gpus[0]).toMatchObject({ temperature: 44, power_consumption: 180, frequency: 1400, detail: {} });
  expect(gpus[0]?.total_memory).toBe((1210 + 195_078) * 2 ** 20);
  expect(gpus[0]?.health?.hotspot_temperature ?? null).toBeNull();
});

test("another all-smi: what an older one took for values", async () => {
  const [gpu] = nvidiaFrame.gpus ?? [];
  const health = { ...gpu?.health, memory_temperature: 0, power_limit_watts: 0, fan_percent: 255 };
  const old = { ...(gpu as Gpu), power_consumption: 0, utilization: 0, total_memory: 0, used_memory: 0, health };
  const host = await api(() => frameLine({ ...nvidiaFrame, gpus: [old] }));
  const { out, code } = await start([...PROGRAM, "snapshot", "--source", "remote", "--hosts", host.id]).ended;
  expect(code).toBe(0);
  const told = (JSON.parse(out) as Frame).gpus?.[0];
  expect(told).toMatchObject({ power_consumption: -1, utilization: 0, unknown: ["total_memory"] } as object);
  expect(told?.health).toMatchObject({ memory_temperature: null, power_limit_watts: null, fan_percent: null });
  expect(told?.temperature).toBe(gpu?.temperature ?? -1);
});
