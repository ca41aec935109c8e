import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import type { Gpu } from "../../src/frame/schema.ts";
import { mayHaveCards } from "../../src/sources/gpu/nvidia/presence.ts";
import { fakeNvidiaSmi } from "../nvidia_smi.ts";
import { StubDriver } from "../nvml_stub.ts";
import { machineIn, rootWithoutCards } from "./host_root.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();

async function snapshot(root: string, ...options: string[]): Promise<Frame[]> {
  const { out, code } = await start([...PROGRAM, "snapshot", "--host-root", root, ...options]).ended;
  expect(code).toBe(0);
  const frames: Frame | Frame[] = JSON.parse(out);
  return Array.isArray(frames) ? frames : [frames];
}

const CARD = "sys/devices/pci0000:00/0000:03:00.0";
const HWMON = `${CARD}/hwmon/hwmon1`;

const card = (driver: string, ids: Readonly<Record<string, string>>): Record<string, string> => ({
  "sys/class/drm/card0/device": "-> ../../../devices/pci0000:00/0000:03:00.0",
  [`${CARD}/driver`]: `-> ../../../bus/pci/drivers/${driver}`,
  [`${HWMON}/name`]: driver,
  ...Object.fromEntries(Object.entries(ids).map(([file, text]) => [`${CARD}/${file}`, text])),
});

const sensors = (values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([file, text]) => [`${HWMON}/${file}`, text]));

const B580 = { vendor: "0x8086", device: "0xe20b" };

/** Takes four samples while the energy of these counters grows by so many watts. */
async function powerWhile(root: string, counters: Readonly<Record<string, number>>): Promise<Frame> {
  const begin = performance.now();
  const write = (): void => {
    for (const [file, watts] of Object.entries(counters)) {
      const microjoules = 29_523_753_173 + Math.round((performance.now() - begin) * watts * 1000);
      writeFileSync(join(root, HWMON, file), `${microjoules}\n`);
    }
  };
  write();
  const timer = setInterval(write, 5);
  try {
    const frames = await snapshot(root, "--include", "gpu", "--samples", "4", "-i", "0.5");
    return frames.at(-1) as Frame;
  } finally {
    clearInterval(timer);
  }
}

test("of two counters of energy that one counts which moves, and a burst limit is a limit", async () => {
  const stuck = { energy1_label: "card", energy1_input: "0", energy2_label: "pkg", energy2_input: "29523753173" };
  const root = machineIn(folder, {
    ...card("xe", B580),
    ...sensors({ ...stuck, power1_label: "card", power1_cap: "190000000" }),
  });
  const { gpus } = await powerWhile(root, { energy2_input: 60 });
  const watts = gpus?.[0]?.power_consumption ?? 0;
  expect(watts).toBeGreaterThan(50);
  expect(watts).toBeLessThan(70);
  expect(gpus?.[0]?.health?.power_limit_watts).toBe(190);
});

test("the card's own counter is taken before that of its chip, whatever their numbers are", async () => {
  const labels = { energy1_label: "pkg", energy1_input: "0", energy2_label: "card", energy2_input: "0" };
  const limits = {
    power1_label: "pkg",
    power1_max: "120000000",
    power2_label: "card",
    power2_max: "0",
    power2_cap: "190000000",
  };
  const root = machineIn(folder, { ...card("xe", B580), ...sensors({ ...labels, ...limits }) });
  const { gpus } = await powerWhile(root, { energy1_input: 30, energy2_input: 100 });
  expect(gpus?.[0]?.power_consumption).toBeGreaterThan(80);
  expect(gpus?.[0]?.health?.power_limit_watts).toBe(190);
});

test("a counter that stands is no card that draws 0 W, and 0 °C is no temperature", async () => {
  const dead = {
    energy1_input: "4294967295",
    energy2_input: "77",
    temp2_input: "0",
    temp3_input: "-273150",
    fan1_input: "65535",
  };
  const root = machineIn(folder, { ...card("xe", B580), ...sensors({ ...dead, power1_max: "4294967295" }) });
  const [, frame] = await snapshot(root, "--include", "gpu", "--samples", "2", "-i", "0.2");
  const gpu = frame?.gpus?.[0];
  // A frame has these for what is not known.
  expect([gpu?.power_consumption, gpu?.temperature, gpu?.fan_speed_rpm]).toEqual([-1, 0, null]);
  expect(gpu?.health).toMatchObject({ power_limit_watts: null, memory_temperature: null });
});

test("what AMD's driver leaves at the top of a type, or at nothing, is unknown; real zeros stay", async () => {
  const ids = {
    vendor: "0x1002",
    device: "0x74b5",
    unique_id: "ffffffffffffffff",
    gpu_busy_percent: "0",
    mem_busy_percent: "65535",
    mem_info_vram_total: "0",
    mem_info_vram_used: "0",
    pcie_replay_count: "4294967295",
    current_link_width: "255",
    max_link_width: "16",
    current_compute_partition: "none",
    current_memory_partition: "N/A",
  };
  const values = {
    temp1_label: "edge",
    temp1_input: "0",
    temp1_crit: "2147483647",
    temp2_label: "junction",
    temp2_input: "65535000",
    temp3_label: "mem",
    temp3_input: "46000",
    power1_average: "4294967295",
    power1_input: "75000000",
    power1_cap: "0",
    freq1_label: "sclk",
    freq1_input: "4294967295",
    freq2_label: "mclk",
    freq2_input: "0",
    fan1_input: "0",
    pwm1: "0",
  };
  const [frame] = await snapshot(machineIn(folder, { ...card("amdgpu", ids), ...sensors(values) }), "--include", "gpu");
  const gpu = frame?.gpus?.[0];
  expect(gpu).toMatchObject({
    uuid: "0000:03:00.0",
    utilization: 0,
    temperature: 0,
    frequency: 0,
    power_consumption: 75,
  });
  expect(gpu).toMatchObject({
    temperature_threshold_slowdown: null,
    fan_speed_rpm: 0,
    total_memory: 0,
    used_memory: 0,
  });
  expect((gpu as unknown as { unknown: string[] }).unknown).toEqual(["total_memory"]);
  expect(gpu?.health).toMatchObject({
    power_limit_watts: null,
    hotspot_temperature: null,
    memory_temperature: 46,
    memory_utilization: null,
    fan_percent: 0,
    pcie: { width: null, width_max: 16, replays: null },
    clocks: { sm: null, memory: 0 },
  });
  expect(Object.keys(gpu?.detail ?? {}).filter((key) => key.endsWith("partition"))).toEqual([]);
});

test("sensors of the machine: cold air is real, the top of a type is not", async () => {
  const chip = "sys/class/hwmon/hwmon0";
  const root = machineIn(folder, {
    [`${chip}/name`]: "nct6798",
    [`${chip}/temp1_label`]: "Inlet",
    [`${chip}/temp1_input`]: "-4000",
    [`${chip}/temp2_label`]: "Outlet",
    [`${chip}/temp2_input`]: "-128000",
    [`${chip}/fan1_input`]: "0",
    [`${chip}/fan2_input`]: "65535",
    "sys/class/hwmon/hwmon1/name": "power_meter",
    "sys/class/hwmon/hwmon1/power1_average": "0",
    "sys/class/hwmon/hwmon2/name": "coretemp",
    "sys/class/hwmon/hwmon2/temp1_label": "Package id 0",
    "sys/class/hwmon/hwmon2/temp1_input": "127000",
    "sys/class/powercap/intel-rapl:0/name": "package-0",
    "sys/class/powercap/intel-rapl:0/energy_uj": "5",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850",
  });
  const [frame] = await snapshot(root, "--include", "chassis,cpu");
  expect(frame?.chassis?.[0]).toMatchObject({
    inlet_temperature: -4,
    outlet_temperature: null,
    total_power_watts: null,
  });
  const fans = frame?.chassis?.[0]?.fan_speeds as unknown as { speed_rpm: number; unknown?: string[] }[];
  expect(fans.map(({ speed_rpm, unknown = [] }) => [speed_rpm, ...unknown])).toEqual([[0], [0, "speed_rpm"]]);
  expect(frame?.cpus?.[0]).toMatchObject({ temperature: null, power_consumption: null });
});

// Where NVIDIA's library is there, it is what is read.
describe.skipIf(mayHaveCards(""))("NVIDIA", () => {
  const root = rootWithoutCards(folder);
  writeFileSync(join(root, "dev/nvidiactl"), "");
  const command = [...PROGRAM, "snapshot", "--include", "gpu", "--host-root", root];
  const withTool = (path: string): string[] => ["env", `PATH=${path}:${process.env.PATH}`, ...command];
  const snapshotWith = async (words: readonly string[]): Promise<Gpu | undefined> => {
    const { out, code } = await start([...words]).ended;
    expect(code).toBe(0);
    return (JSON.parse(out) as Frame).gpus?.[0];
  };

  test("nvidia-smi: 0 °C, 0 W and numbers that nothing has are unknown", async () => {
    const values = {
      "temperature.gpu": "0",
      "temperature.memory": "65535",
      "power.draw": "0.00",
      "enforced.power.limit": "0.00",
      "utilization.gpu": "0",
      "utilization.memory": "4294967295",
      "fan.speed": "255",
      "pcie.link.width.current": "0",
      "ecc.errors.corrected.volatile.total": "0",
      "ecc.errors.uncorrected.volatile.total": "2147483647",
      vbios_version: "Not Specified",
    };
    using fake = fakeNvidiaSmi({ capture: "h100", moment: "load", values });
    const gpu = await snapshotWith(withTool(fake.path));
    expect(gpu).toMatchObject({ temperature: 0, power_consumption: -1, utilization: 0 });
    expect(gpu?.health).toMatchObject({ memory_temperature: null, power_limit_watts: null, memory_utilization: null });
    expect(gpu?.health).toMatchObject({ fan_percent: null, pcie: { width: null } });
    expect(gpu?.health?.ecc).toMatchObject({ corrected_volatile: 0, uncorrected_volatile: null });
    expect(Object.keys(gpu?.detail ?? {})).not.toContain("vbios_version");
  });

  test("cards that say one UUID, of zeros, are two all the same, called by their places", async () => {
    const values = { uuid: "GPU-00000000-0000-0000-0000-000000000000" };
    using fake = fakeNvidiaSmi({ capture: "h100", moment: "load", cards: 2, values });
    const { out } = await start(withTool(fake.path)).ended;
    const gpus = (JSON.parse(out) as Frame).gpus ?? [];
    expect(gpus.map(({ uuid }) => uuid.slice(0, 4))).toEqual(["PCI-", "PCI-"]);
    expect(new Set(gpus.map(({ uuid }) => uuid)).size).toBe(2);
    expect(gpus.map(({ index, temperature }) => [index, temperature])).toEqual([
      [0, 59],
      [1, 59],
    ]);
  });

  test("the library: 0 °C, 0 W and numbers that nothing has are unknown", async () => {
    const driver = new StubDriver(
      folder,
      "h100",
      ...["* temperature 0", "* memory_temperature 65535", "* power_mw 0", "* power_limit_mw 0", "* utilization 0"],
      ...["* memory_utilization 255", "* pcie_width 0", "* clock_video_max 0", "* cores 0"],
    );
    const gpu = await snapshotWith(driver.with(command));
    expect(gpu).toMatchObject({ temperature: 0, power_consumption: -1, utilization: 0, gpu_core_count: null });
    expect(gpu?.health).toMatchObject({ memory_temperature: null, power_limit_watts: null, memory_utilization: null });
    expect(gpu?.health).toMatchObject({ pcie: { width: null }, clocks: { video_max: null } });
  });
});
