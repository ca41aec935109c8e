import { expect, test } from "bun:test";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { openGpus } from "../../../../test/fixtures/gpus/open.ts";
import { cycleAt, HOST, patientCycleAt } from "../../../../test/fixtures/machines/cycle.ts";
import type { Machine } from "../../../../test/fixtures/machines/make.ts";
import type { Gpu } from "../../../frame/schema.ts";
import { Tree } from "../../local/files.ts";
import type { Reading, Source } from "../../source.ts";
import { DrmClients } from "../drm/clients.ts";
import { CardIndexes } from "../drm/indexes.ts";
import { GpuRegistry } from "../registry.ts";
import { intelSource } from "./intel.ts";
import { parseKernel } from "./uses.ts";

const registryOf = (): GpuRegistry => new GpuRegistry();

function open({ root }: Machine, registry = registryOf()): Source {
  return intelSource({ root, host: HOST, registry }, new DrmClients(root), new CardIndexes(new Tree(root)));
}

const read = async (source: Source, at_ms: number): Promise<Reading> => await source.read(patientCycleAt(at_ms));

async function card(source: Source, at_ms: number): Promise<Gpu> {
  const { gpus = [], errors = [] } = await read(source, at_ms);
  expect(errors).toEqual([]);
  const [gpu] = gpus;
  if (gpu === undefined || gpus.length > 1) throw new Error(`${gpus.length} cards`);
  return gpu;
}

const KIB = 1024;

test("Arc A770, i915: all that there is of it", async () => {
  using machine = openGpus("intel-arc-a770");
  const registry = registryOf();
  const source = open(machine, registry);
  expect(await card(source, 0)).toMatchObject({ utilization: null, power_consumption: null, temperature: 45 });
  machine.later();
  const gpu = await card(source, 1500);
  expect(gpu).toEqual({
    uuid: "0000:03:00.0",
    time: cycleAt(0).time,
    name: "Intel Arc A770",
    device_type: "GPU",
    ...HOST,
    index: 0,
    utilization: 90,
    ane_utilization: null,
    dla_utilization: null,
    tensorcore_utilization: null,
    temperature: 61,
    used_memory: (4_194_304 + 131_072) * KIB,
    total_memory: null,
    frequency: 2100,
    power_consumption: 190,
    gpu_core_count: null,
    temperature_threshold_slowdown: null,
    temperature_threshold_shutdown: null,
    temperature_threshold_max_operating: null,
    temperature_threshold_acoustic: null,
    performance_state: null,
    fan_speed_rpm: 1420,
    numa_node_id: null,
    gsp_firmware_mode: null,
    gsp_firmware_version: null,
    nvlink_remote_devices: [],
    gpm_metrics: null,
    detail: {
      Brand: "Intel",
      driver: "i915",
      pci_address: "0000:03:00.0",
      device_id: "0x56a0",
      "Driver Version": "Linux 6.14.0-24-generic",
      revision: "0x08",
      subsystem: "8086:1020",
      power_limit_default: "190.00",
    },
    health: {
      throttle: ["power"],
      power_limit_watts: 190,
      memory_temperature: null,
      pcie: {
        ...{ generation: 3, generation_max: 4, width: 16, width_max: 16 },
        ...{ replays: null, rx_bytes_per_second: null, tx_bytes_per_second: null },
      },
      clocks: { sm: 2100, sm_max: 2400, memory: null, memory_max: null, video: null, video_max: null },
    },
  });
  expect(await registry.uses(cycleAt(1500))).toEqual(
    new Map([
      [2001, [{ device_id: 0, device_uuid: gpu.uuid, used_memory: 4_194_304 * KIB, gpu_utilization: 90 }]],
      [2002, [{ device_id: 0, device_uuid: gpu.uuid, used_memory: 131_072 * KIB, gpu_utilization: 60 }]],
    ]),
  );
  expect(registry.cardAt("PCI:0000:03:00")?.uuid).toBe(gpu.uuid);
});

test("Arc B580, xe: the card's power, both clocks, memory, limits of temperature", async () => {
  using machine = openGpus("intel-arc-b580");
  const source = open(machine);
  expect(await card(source, 0)).toMatchObject({
    total_memory: 12 * KIB ** 3,
    health: { throttle: [], clocks: { sm: 2850, video: null, video_max: 1500 } },
  });
  machine.later();
  expect(await card(source, 1500)).toMatchObject({
    name: "Intel Arc B580",
    utilization: 90,
    used_memory: (8_388_608 + 65_536) * KIB,
    temperature: 53,
    power_consumption: 140,
    frequency: 2850,
    fan_speed_rpm: 2350,
    numa_node_id: 0,
    temperature_threshold_slowdown: 100,
    temperature_threshold_shutdown: 115,
    health: {
      throttle: ["power", "thermal"],
      power_limit_watts: 190,
      memory_temperature: 58,
      pcie: { generation: 4, generation_max: 4, width: 8, width_max: 8 },
      clocks: { sm: 2850, sm_max: 2850, video: 1500, video_max: 1500 },
    },
  });
});

test("a card without its PCI ids is there, and has no name", async () => {
  using machine = openGpus("intel-arc-a770");
  const { device_id: _, ...detail } = (await card(open(machine), 0)).detail;
  machine.write("/sys/class/drm/card0/device/device", "?\n");
  machine.write("/sys/class/drm/card0/device/vendor", null);
  const gpu = await card(open(machine), 0);
  expect([gpu.name, gpu.detail]).toEqual(["", detail]);
});

test("an integrated one: no memory of its own, no link; what others do with it is not known to who may not see them", async () => {
  using machine = openGpus("intel-iris-xe");
  const registry = registryOf();
  const source = open(machine, registry);
  expect(await card(source, 0)).toMatchObject({ frequency: null, health: { throttle: [] } });
  machine.later();
  expect(await card(source, 1500)).toMatchObject({
    name: "Intel GPU 0x46a6",
    utilization: null,
    used_memory: null,
    total_memory: null,
    power_consumption: null,
    temperature: null,
    frequency: 1150,
    detail: { memory: "shared with the machine" },
    health: { throttle: ["hardware"], power_limit_watts: null, pcie: null, clocks: { sm: 1150, sm_max: 1400 } },
  });
  const [use] = (await registry.uses(cycleAt(1500))).get(1676) ?? [];
  expect(use).toMatchObject({ used_memory: 6044 * KIB, gpu_utilization: 20 });
});

test("a card that sleeps is left asleep: nothing of it is asked, and nothing is known", async () => {
  using machine = openGpus("intel-arc-b580");
  const source = open(machine);
  await read(source, 0);
  machine.write("/sys/class/drm/card1/device/power/runtime_status", "suspended\n");
  machine.later();
  const asleep = await card(source, 1500);
  expect(asleep).toMatchObject({ power_consumption: null, temperature: null, frequency: null, health: null });
  expect(asleep.detail.power_state).toBe("suspended");
  expect(asleep.total_memory).toBe(12 * KIB ** 3);
  machine.write("/sys/class/drm/card1/device/power/runtime_status", "active\n");
  // What it took before it slept is no measure of now.
  expect(await card(source, 3000)).toMatchObject({ power_consumption: null, temperature: 53 });
});

test("an energy counter that begins anew is no power", async () => {
  using machine = openGpus("intel-arc-a770");
  const source = open(machine);
  await read(source, 0);
  machine.write("/sys/class/drm/card0/device/hwmon/hwmon3/energy1_input", "1000\n");
  expect((await card(source, 1000)).power_consumption).toBeNull();
  machine.write("/sys/class/drm/card0/device/hwmon/hwmon3/energy1_input", "50001000\n");
  expect((await card(source, 2000)).power_consumption).toBe(50);
});

test("without a limit there is no limit, not one of 0 W", async () => {
  using machine = openGpus("intel-arc-a770");
  machine.write("/sys/class/drm/card0/device/hwmon/hwmon3/power1_max", "0\n");
  expect((await card(open(machine), 0)).health?.power_limit_watts).toBeNull();
});

test("nobody uses the card: 0 %, which is known", async () => {
  using machine = openGpus("intel-arc-a770");
  for (const pid of [2001, 2002]) rmSync(`${machine.root}/proc/${pid}`, { recursive: true });
  const source = open(machine);
  expect((await card(source, 0)).utilization).toBeNull();
  expect(await card(source, 1000)).toMatchObject({ utilization: 0, used_memory: 0 });
});

test("nobody is seen to use it, by a kernel that does not show who does: not known", async () => {
  using machine = openGpus("intel-arc-b580");
  for (const pid of [3001, 3002]) rmSync(`${machine.root}/proc/${pid}`, { recursive: true });
  machine.write("/proc/sys/kernel/osrelease", "6.10.9-generic\n");
  const source = open(machine);
  await read(source, 0);
  expect(await card(source, 1000)).toMatchObject({ utilization: null, used_memory: 0 });
});

test.each([
  ["6.8.0-53-generic", 6.008],
  ["5.19.17", 5.019],
  ["7.0.0-rc1+", 7],
  ["6.18.44-fc", 6.018],
  ["", 0],
  ["x", 0],
])("the kernel %s", (release, kernel) => {
  expect(parseKernel(release)).toBeCloseTo(kernel, 6);
});

test("a card that goes away stays as a lost row, and comes back as itself", async () => {
  using machine = openGpus("intel-arc-b580");
  const source = open(machine);
  const before = await card(source, 0);
  const link = `${machine.root}/sys/class/drm/card1`;
  renameSync(link, `${machine.root}/away`);
  const lost = await card(source, 1000);
  expect(lost).toMatchObject({
    uuid: before.uuid,
    name: before.name,
    total_memory: before.total_memory,
    temperature: null,
    health: null,
    lost: { since: new Date(cycleAt(1000).t_ms).toISOString(), reason: "gone from /sys/class/drm" },
  });
  expect((await card(source, 2000)).lost).toEqual(lost.lost ?? null);
  renameSync(`${machine.root}/away`, link);
  const back = await card(source, 3000);
  expect(back.lost).toBeUndefined();
  expect(back).toMatchObject({ uuid: before.uuid, index: 0, temperature: 53 });
});

test("a card that is there and answers nothing but ones is lost, too", async () => {
  using machine = openGpus("intel-arc-a770");
  const source = open(machine);
  await read(source, 0);
  for (const file of ["hwmon/hwmon3", "drm/card0/gt"]) machine.write(`/sys/class/drm/card0/device/${file}`, null);
  writeFileSync(`${machine.root}/sys/class/drm/card0/device/config`, Buffer.alloc(64, 0xff));
  expect((await card(source, 1000)).lost?.reason).toBe("does not answer on the PCI bus");
});

test("no such card: nothing, and no process is looked at", async () => {
  using machine = openGpus("intel-arc-b580");
  rmSync(`${machine.root}/sys/class/drm/card1`);
  expect(await read(open(machine), 0)).toEqual({ gpus: [] });
});
