import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { openGpus } from "../../../../test/fixtures/gpus/open.ts";
import { cycleAt, HOST, PATIENT_MS } from "../../../../test/fixtures/machines/cycle.ts";
import type { Machine } from "../../../../test/fixtures/machines/make.ts";
import type { Gpu } from "../../../frame/schema.ts";
import { fileThreads } from "../../file_threads.ts";
import { Tree } from "../../local/files.ts";
import type { Source } from "../../source.ts";
import { DrmClients } from "../drm/clients.ts";
import { CardIndexes } from "../drm/indexes.ts";
import { GpuRegistry } from "../registry.ts";
import { amdSource } from "./amd.ts";
import { LAYOUTS } from "./metrics_layouts.ts";

const CARD = "/sys/class/drm/card1/device";

interface Opened extends Disposable {
  readonly machine: Machine;
  readonly registry: GpuRegistry;
  readonly source: Source;
  /** The cards, and what could not be read. */
  read(at_ms: number, wait_ms?: number): Promise<{ gpus: readonly Gpu[]; errors: readonly string[] }>;
  /** What is read from this file does not come before all is over. */
  block(file: string): void;
}

function open(name: string): Opened {
  const machine = openGpus(name);
  const registry = new GpuRegistry();
  const blocked: string[] = [];
  const source = amdSource(
    { root: machine.root, host: HOST, registry },
    new DrmClients(machine.root),
    new CardIndexes(new Tree(machine.root)),
  );
  return {
    machine,
    registry,
    source,
    async read(at_ms, wait_ms = PATIENT_MS) {
      const { gpus = [], errors = [] } = await source.read({ ...cycleAt(at_ms), wait_ms });
      return { gpus, errors };
    },
    block(file) {
      machine.write(file, null);
      expect(Bun.spawnSync(["mkfifo", machine.root + file]).exitCode).toBe(0);
      blocked.push(machine.root + file);
    },
    [Symbol.dispose]() {
      // Lets go whoever waits for them.
      for (const path of blocked) closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
      machine[Symbol.dispose]();
    },
  };
}

const first = <T>([one]: readonly T[]): T => {
  if (one === undefined) throw new Error("none");
  return one;
};

const uses = async ({ registry }: Opened, at_ms: number) => Object.fromEntries(await registry.uses(cycleAt(at_ms)));

test("a machine without such a card: an empty section, no error, and nobody's files are looked at", async () => {
  using opened = open("amd-rx6900xt");
  opened.machine.write("/sys/class/drm/card0", null);
  expect(await opened.read(0)).toEqual({ gpus: [], errors: [] });
  expect(await uses(opened, 0)).toEqual({});
});

test("who uses it: a display server by its own file and not its seat manager, a program and not its child", async () => {
  using opened = open("amd-rx6900xt");
  await opened.read(0);
  opened.machine.later();
  await opened.read(1000);
  const card = { device_id: 0, device_uuid: "GPU-0123456789abcdef" };
  expect(await uses(opened, 1000)).toEqual({
    1780: [{ ...card, used_memory: 153708 * 1024, gpu_utilization: 3.1 }],
    2304: [{ ...card, used_memory: 402112 * 1024, gpu_utilization: 12.3 }],
  });
});

test("a program of ROCm: its memory by whichever says more, and how busy it is nobody says", async () => {
  using opened = open("amd-mi300x");
  await opened.read(0);
  const card = { device_id: 0, device_uuid: "GPU-5c88007dca2f3e01" };
  expect(await uses(opened, 0)).toEqual({
    90311: [{ ...card, used_memory: 183191680 * 1024, gpu_utilization: null }],
  });
});

test("what the kernel log says of a PCI address is the card's", async () => {
  using opened = open("amd-mi250x");
  await opened.read(0);
  expect(opened.registry.cardAt("0000:c6:00.0")).toMatchObject({ uuid: "GPU-8d5e01f4c2b3a691", index: 1 });
});

test("two dies that say the same id are two cards", async () => {
  using opened = open("amd-mi250x");
  opened.machine.write("/sys/class/drm/card2/device/unique_id", "8d5e01f4c2b3a690\n");
  expect((await opened.read(0)).gpus.map(({ uuid }) => uuid)).toEqual(["GPU-8d5e01f4c2b3a690", "0000:c6:00.0"]);
});

test("a card without its PCI ids is there, in its place, and has no name unless it says it itself", async () => {
  using opened = open("amd-mi250x");
  const { device_id: _, ...detail } = first((await opened.read(0)).gpus).detail;
  using blank = open("amd-mi250x");
  blank.machine.write(`${CARD}/device`, "");
  blank.machine.write(`${CARD}/vendor`, null);
  blank.machine.write(`${CARD}/product_name`, "");
  expect((await blank.read(0)).gpus).toMatchObject([{ index: 0, name: "" }, { index: 1 }]);
  expect(first((await blank.read(1000)).gpus).detail).toEqual(detail);
});

test("a card that is gone stays as lost, in its place and with what is known; it is found again under another name", async () => {
  using opened = open("amd-mi300x");
  const before = (await opened.read(0)).gpus;
  const folder = `${opened.machine.root}/sys/class/drm/`;
  renameSync(`${folder}card1`, `${folder}gone`);
  const lost = { since: new Date(cycleAt(3000).t_ms).toISOString(), reason: "gone from /sys/class/drm" };
  await opened.read(3000);
  const { gpus, errors } = await opened.read(6000);
  expect(errors).toEqual([]);
  expect(gpus).toEqual([
    {
      ...first(before),
      utilization: null,
      temperature: null,
      used_memory: null,
      frequency: null,
      power_consumption: null,
      health: null,
      lost,
    },
    expect.objectContaining({ index: 1, utilization: 0 }),
  ]);
  expect(gpus[1]?.lost).toBeUndefined();
  renameSync(`${folder}gone`, `${folder}card5`);
  expect((await opened.read(9000)).gpus).toMatchObject([{ index: 0, utilization: 99 }, { index: 1 }]);
  expect(first((await opened.read(12_000)).gpus).lost).toBeUndefined();
});

test("a card that is there and answers nothing but ones is lost, too", async () => {
  using opened = open("amd-mi300x");
  await opened.read(0);
  for (const file of ["gpu_metrics", "gpu_busy_percent", "hwmon/hwmon7"]) opened.machine.write(`${CARD}/${file}`, null);
  writeFileSync(`${opened.machine.root}${CARD}/config`, Buffer.alloc(64, 0xff));
  const { gpus, errors } = await opened.read(1000);
  expect(errors).toEqual([]);
  expect(first(gpus).lost?.reason).toBe("does not answer on the PCI bus");
});

test("a card that is asleep is not woken: nothing of it is read that the driver would ask it for", async () => {
  using opened = open("amd-rx7900xt");
  opened.machine.write(`${CARD}/power/runtime_status`, "suspended\n");
  for (const file of ["gpu_metrics", "gpu_busy_percent", "current_link_speed", "hwmon/hwmon8/temp1_input"]) {
    opened.block(`${CARD}/${file}`);
  }
  await opened.read(0);
  const { gpus, errors } = await opened.read(60_000);
  expect(errors).toEqual([]);
  expect(first(gpus)).toMatchObject({ name: "AMD Radeon RX 7900 XT", total_memory: 21458059264, health: null });
  expect(first(gpus)).toMatchObject({
    utilization: null,
    temperature: null,
    power_consumption: null,
    used_memory: null,
  });
  expect(first(gpus).detail.power_state).toBe("suspended");
  opened.machine.write(`${CARD}/power/runtime_status`, "active\n");
});

test("a card that hangs keeps nobody waiting: the others are read, and it is told", async () => {
  using opened = open("amd-mi300x");
  // Of the pool's threads a machine with two CPUs has only two, and nothing is written here.
  const { most } = fileThreads;
  fileThreads.most = 2;
  opened.block(`${CARD}/gpu_metrics`);
  const told = ["amd: the driver does not answer for 0000:05:00.0"];
  let seen: unknown;
  for (let at_ms = 0; at_ms < 10_000_000; at_ms += 1000) {
    const { gpus, errors } = await opened.read(at_ms, 100);
    seen = { gpus: gpus.map(({ utilization, lost }) => ({ utilization, lost })), errors };
    if (gpus[1]?.utilization === 0 && errors.length === 1 && at_ms > 5000) break;
    await Bun.sleep(5);
  }
  fileThreads.most = most;
  expect(seen).toEqual({ gpus: [{ utilization: null }, { utilization: 0 }], errors: told });
}, 60_000);

test("what may not be read is told once a cycle and card; what a card has not, is not", async () => {
  using opened = open("amd-rx7900xt");
  opened.machine.write(`${CARD}/mem_info_vram_used`, null);
  opened.machine.write(`${CARD}/mem_info_vram_used/inside`, "");
  const { gpus, errors } = await opened.read(0);
  expect(errors).toEqual([`amd: ${CARD}/mem_info_vram_used: EISDIR`]);
  expect(first(gpus)).toMatchObject({ used_memory: null, utilization: 3 });
});

test("the slot's link is shown, where the firmware does not say", async () => {
  using opened = open("amd-rx7900xt");
  opened.machine.write(`${CARD}/gpu_metrics`, null);
  const { health } = first((await opened.read(0)).gpus);
  expect(health?.pcie).toMatchObject({ generation: 3, generation_max: 4, width: 8, width_max: 16 });
});

test("a card in partitions has a row of each below it", async () => {
  using opened = open("amd-mi300x");
  const metrics = readFileSync(`${opened.machine.root}${CARD}/gpu_metrics`);
  const places = LAYOUTS.get("1.8")?.[0]?.places;
  metrics.writeUInt16LE(4, places?.get("partitions")?.offset ?? 0);
  for (const [n, busy] of [90, 10, 0].entries()) {
    const at = places?.get(`partition${n}`)?.offset ?? 0;
    metrics.writeUInt32LE(busy, at);
    metrics.writeUInt32LE(busy + 2, at + 4);
  }
  writeFileSync(`${opened.machine.root}${CARD}/gpu_metrics`, metrics);
  opened.machine.write(`${CARD}/current_compute_partition`, "QPX\n");
  const { gpus } = await opened.read(0);
  const unknown = { compute_instance: null, uuid: "", used_memory: null, total_memory: null };
  expect(gpus.map(({ mig }) => mig)).toEqual([
    [91, 11, 1, null].map((utilization, n) => ({ ...unknown, gpu_instance: n, profile: "QPX", utilization })),
    undefined,
  ]);
});

test("errors of a card, one of whose counts cannot be read, are not known", async () => {
  using opened = open("amd-mi250x");
  const ecc = async (at_ms: number) => first((await opened.read(at_ms)).gpus).health?.ecc;
  expect(await ecc(0)).toMatchObject({ corrected_volatile: 15, uncorrected_volatile: 1 });
  opened.machine.write(`${CARD}/ras/umc_err_count`, "");
  expect(await ecc(20_000)).toBeNull();
  const { detail } = first((await opened.read(21_000)).gpus);
  expect([detail.corrected_errors_in, detail.uncorrected_errors_in]).toEqual(["gfx", undefined]);
});
