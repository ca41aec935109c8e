import { afterAll, describe, expect, test } from "bun:test";
import type { Frame } from "../../src/frame/frame.ts";
import type { Cpu } from "../../src/frame/schema.ts";
import { mayHaveCards } from "../../src/sources/gpu/nvidia/presence.ts";
import { closeHosts, exporter } from "../hosts.ts";
import { fakeNvidiaSmi } from "../nvidia_smi.ts";
import { machineIn } from "./host_root.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();
afterAll(closeHosts);

async function frameOf(command: readonly string[]): Promise<Frame> {
  const { out, code } = await start(command).ended;
  expect(code).toBe(0);
  return JSON.parse(out);
}

const snapshot = (root: string, ...options: string[]): Promise<Frame> =>
  frameOf([...PROGRAM, "snapshot", "--host-root", root, ...options]);

describe("a card's name is what people call it", () => {
  const CARD = "sys/devices/pci0000:00/0000:03:00.0";
  const nameOf = async (
    driver: string,
    ids: Readonly<Record<string, string>>,
    more = {},
  ): Promise<string | undefined> => {
    const root = machineIn(folder, {
      "sys/class/drm/card0/device": "-> ../../../devices/pci0000:00/0000:03:00.0",
      [`${CARD}/driver`]: `-> ../../../bus/pci/drivers/${driver}`,
      ...Object.fromEntries(Object.entries(ids).map(([file, text]) => [`${CARD}/${file}`, text])),
      ...more,
    });
    return (await snapshot(root, "--include", "gpu")).gpus?.[0]?.name;
  };
  const database = {
    "usr/share/misc/pci.ids":
      "1002  Advanced Micro Devices, Inc. [AMD/ATI]\n\t73bf  Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]\n" +
      "10de  NVIDIA Corporation\n\t2330  GH100 [H100 SXM5 80GB]\n8086  Intel Corporation\n\t46a6  Alder Lake-P [Iris Xe Graphics]\n",
  };

  test("where AMD's firmware has the number of a part in the name's place", async () => {
    const ids = { vendor: "0x1002", device: "0x74a1", product_name: "102-G30211-00", product_number: "102-G30211-00" };
    expect(await nameOf("amdgpu", ids)).toBe("AMD Instinct MI300X");
    expect(await nameOf("amdgpu", { ...ids, product_name: "Instinct MI300X OAM" })).toBe("Instinct MI300X OAM");
    expect(await nameOf("amdgpu", { vendor: "0x1002", device: "0x73bf", product_name: "D41205" }, database)).toBe(
      "AMD Radeon RX 6800/6800 XT / 6900 XT",
    );
  });

  test("of Intel's GPUs by the machine's PCI database", async () => {
    const ids = { vendor: "0x8086", device: "0x46a6" };
    expect(await nameOf("i915", ids, database)).toBe("Intel Iris Xe Graphics");
    expect(await nameOf("xe", { vendor: "0x8086", device: "0xe212" })).toBe("Intel Arc Pro B50");
  });

  test.skipIf(mayHaveCards(""))("of a card that NVIDIA's driver is older than, by the same", async () => {
    using fake = fakeNvidiaSmi({ capture: "h100", moment: "load", values: { name: "NVIDIA PG506-230" } });
    const known = machineIn(folder, {
      "dev/nvidiactl": "",
      "sys/bus/pci/devices/0000:00:09.0/device": "0x2330",
      ...database,
    });
    const command = (root: string) => [
      ...["env", `PATH=${fake.path}:${process.env.PATH}`, "ALL_SMI_NVML=/nonexistent"],
      ...[...PROGRAM, "snapshot", "--include", "gpu", "--host-root", root],
    ];
    const { gpus } = await frameOf(command(known));
    expect(gpus?.[0]).toMatchObject({ name: "NVIDIA H100 SXM5 80GB", detail: { part_number: "NVIDIA PG506-230" } });
    const unknown = await frameOf(command(machineIn(folder, { "dev/nvidiactl": "" })));
    expect(unknown.gpus?.[0]?.name).toBe("NVIDIA GPU");
  });

  test("of exporters' labels the one that holds a name", async () => {
    const amd = (id: number, series: string, model: string): string =>
      `gpu_gfx_activity{gpu_id="${id}",gpu_uuid="u${id}",card_series="${series}",card_model="${model}"} 7\n`;
    const dcgm = 'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",modelName="P1001-B01"} 5\n';
    const page =
      amd(0, "Instinct MI300X", "102-G30211-00") +
      amd(1, "", "Navi 31 [Radeon Pro W7900]") +
      amd(2, "0x74a1", "102-G30211-0C");
    const told = async (text: string) => {
      const host = await exporter(() => new TextEncoder().encode(text));
      return (await frameOf([...PROGRAM, "snapshot", "--source", "remote", "--hosts", host.id])).gpus ?? [];
    };
    expect((await told(page)).map(({ name }) => name)).toEqual(["Instinct MI300X", "Radeon Pro W7900", "AMD GPU"]);
    const [card] = await told(dcgm);
    expect(card).toMatchObject({ name: "NVIDIA GPU", detail: { part_number: "P1001-B01" } });
  });
});

/** CPUs of ARM by their parts, with what files say of each beside their topology. */
async function cpuOf(
  parts: readonly string[],
  files: (cpu: number) => Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): Promise<Cpu> {
  const blocks = parts.map((part, cpu) => `processor : ${cpu}\nCPU implementer : 0x41\nCPU part : ${part}\n`);
  const line = (name: string): string => `${name} 1 0 1 10 0 0 0 0 0 0\n`;
  const sys = parts.flatMap((_, cpu) =>
    Object.entries({ "topology/core_cpus_list": `${cpu}`, "topology/physical_package_id": "0", ...files(cpu) }).map(
      ([file, text]) => [`sys/devices/system/cpu/cpu${cpu}/${file}`, text],
    ),
  );
  const root = machineIn(folder, {
    "proc/stat": line("cpu ") + parts.map((_, cpu) => line(`cpu${cpu}`)).join(""),
    "proc/cpuinfo": blocks.join("\n"),
    ...Object.fromEntries(sys),
    ...more,
  });
  const [cpu] = (await snapshot(root, "--include", "cpu")).cpus ?? [];
  if (cpu === undefined) throw new Error("no CPU");
  return cpu;
}

const letters = ({ per_core_utilization }: Cpu): string =>
  per_core_utilization.map(({ core_type }) => core_type[0]).join("");

describe("sockets are sockets", () => {
  const A78 = Array<string>(4).fill("0xd42");
  const inTwo = (cpu: number) => ({ "topology/physical_package_id": `${cpu >> 1}` });
  const model = { "proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0" };

  test("the clusters of a device tree are none", async () => {
    const cpu = await cpuOf(A78, inTwo, model);
    expect(cpu).toMatchObject({ socket_count: 1, total_cores: 4, total_threads: 4 });
    expect(cpu.per_socket_info).toHaveLength(1);
  });

  test("those of ACPI's table are, and those of a device tree's own map", async () => {
    expect((await cpuOf(A78, inTwo, { ...model, "sys/firmware/acpi/tables/PPTT": "x" })).socket_count).toBe(2);
    const map = { "proc/device-tree/cpus/cpu-map/socket0/x": "", "proc/device-tree/cpus/cpu-map/socket1/x": "" };
    expect((await cpuOf(A78, inTwo, { ...model, ...map })).socket_count).toBe(2);
    expect((await cpuOf(A78, inTwo)).socket_count).toBe(2);
    // A container may have the tree's folder and not the link to it; firmware may have tables, and none of the cores.
    const inSys = { "sys/firmware/devicetree/base/model": "NVIDIA Jetson AGX Orin Developer Kit\0" };
    expect((await cpuOf(A78, inTwo, inSys)).socket_count).toBe(1);
    expect((await cpuOf(A78, inTwo, { "sys/firmware/acpi/tables/DSDT": "x" })).socket_count).toBe(1);
  });
});

describe("kinds of cores go by their rank", () => {
  const capacity = (values: readonly number[]) => (cpu: number) => ({ cpu_capacity: `${values[cpu]}` });

  test("a GB10's two are two, as close as they are; favoured ones are none", async () => {
    const parts = ["0xd87", "0xd87", "0xd85", "0xd85"];
    expect(letters(await cpuOf(parts, capacity([740, 740, 1000, 1024])))).toBe("EEPP");
    // Nothing but their numbers.
    expect(letters(await cpuOf(parts, () => ({})))).toBe("EEPP");
    expect(letters(await cpuOf(["0xd85", "0xd85"], capacity([990, 1024])))).toBe("SS");
  });

  test("without numbers of their own, by capacity, or by clock", async () => {
    expect(letters(await cpuOf(["0xd4f", "0xd4f"], capacity([800, 1024])))).toBe("EP");
    const clocked = (values: readonly number[]) => (cpu: number) => ({ "cpufreq/cpuinfo_max_freq": `${values[cpu]}` });
    expect(letters(await cpuOf(["0xd4f", "0xd4f"], clocked([3_300_000, 5_100_000])))).toBe("EP");
    expect(letters(await cpuOf(["0xd4f", "0xd4f"], clocked([5_500_000, 5_750_000])))).toBe("SS");
  });

  test("of three the weakest is the efficient one", async () => {
    const parts = ["0xd46", "0xd47", "0xd48"];
    expect(letters(await cpuOf(parts, capacity([250, 760, 1024])))).toBe("EPP");
  });
});
