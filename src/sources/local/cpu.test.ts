import { describe, expect, test } from "bun:test";
import { cycleAt, HOST, patientCycleAt } from "../../../test/fixtures/machines/cycle.ts";
import { type Machine, type MachineName, openMachine } from "../../../test/fixtures/machines/make.ts";
import type { Cpu } from "../../frame/schema.ts";
import type { Source } from "../source.ts";
import { cpuSource } from "./cpu.ts";

const open = (machine: Machine, perCore = true): Source => cpuSource({ root: machine.root, host: HOST, perCore });

async function readAt(source: Source, monotonic_ms: number): Promise<Cpu> {
  const { cpus, errors } = await source.read(patientCycleAt(monotonic_ms));
  expect(errors).toBeUndefined();
  expect(cpus).toHaveLength(1);
  return cpus?.[0] as Cpu;
}

/** The second of two readings, 3 s apart. */
async function readTwice(name: MachineName): Promise<Cpu> {
  using machine = openMachine(name);
  const source = open(machine);
  await readAt(source, 0);
  machine.later();
  const cpu = await readAt(source, 3000);
  source.close?.();
  return cpu;
}

const withoutCores = ({ per_core_utilization: _, ...rest }: Cpu) => rest;

describe("a machine's CPUs", () => {
  test("two-socket Xeon", async () => {
    const cpu = await readTwice("dgx-h100");
    expect(withoutCores(cpu)).toEqual({
      index: 0,
      ...HOST,
      cpu_model: "Intel(R) Xeon(R) Platinum 8480C",
      architecture: "x86_64",
      platform_type: "Intel",
      socket_count: 2,
      total_cores: 112,
      total_threads: 224,
      base_frequency_mhz: 2000,
      max_frequency_mhz: 3800,
      cache_size_mb: 210,
      utilization: 9.3,
      temperature: 48,
      // 190.5 W over a counter that wrapped, and 150 W.
      power_consumption: 340.5,
      per_socket_info: [
        { socket_id: 0, utilization: 15.6, cores: 56, threads: 112, temperature: 48, frequency_mhz: 3000 },
        { socket_id: 1, utilization: 3, cores: 56, threads: 112, temperature: 43, frequency_mhz: 2000 },
      ],
      apple_silicon_info: null,
      time: "2026-08-08 14:32:05",
      load_average: [12.34, 10.2, 8.01],
      uptime_seconds: 864123,
    });
    const cores = cpu.per_core_utilization;
    expect(cores.map(({ core_id }) => core_id)).toEqual(Array.from({ length: 224 }, (_, i) => i));
    expect([0, 1, 55, 56, 112, 168].map((id) => cores[id]?.utilization)).toEqual([100, 30, 30, 5, 0, 1]);
    expect(new Set(cores.map(({ core_type }) => core_type))).toEqual(new Set(["Standard"]));
  });

  test("two-socket EPYC", async () => {
    const cpu = await readTwice("epyc-9654");
    expect(cpu).toMatchObject({
      cpu_model: "AMD EPYC 9654 96-Core Processor",
      platform_type: "Amd",
      socket_count: 2,
      total_cores: 192,
      total_threads: 384,
      base_frequency_mhz: 2400,
      max_frequency_mhz: 3708,
      cache_size_mb: 768,
      utilization: 30,
      temperature: 55,
      power_consumption: 470,
      per_socket_info: [
        { utilization: 50, cores: 96, threads: 192, temperature: 55, frequency_mhz: 3549 },
        { utilization: 10, cores: 96, threads: 192, temperature: 50, frequency_mhz: 3549 },
      ],
    });
  });

  test("ARM server: names of cores, power by the Grace socket's own meter", async () => {
    const cpu = await readTwice("grace-hopper");
    expect(cpu).toMatchObject({
      cpu_model: "Neoverse-V2",
      architecture: "aarch64",
      platform_type: "Arm",
      socket_count: 1,
      total_cores: 72,
      total_threads: 72,
      base_frequency_mhz: null,
      max_frequency_mhz: 3474,
      cache_size_mb: 114,
      utilization: 12.5,
      temperature: null,
      power_consumption: 162.5,
      per_socket_info: [{ socket_id: 0, utilization: 12.5, temperature: null, frequency_mhz: 3402 }],
    });
  });

  test("hybrid laptop: kinds of core, one of three power domains, iowait that goes backwards", async () => {
    const cpu = await readTwice("laptop-1370p");
    expect(cpu).toMatchObject({
      cpu_model: "13th Gen Intel(R) Core(TM) i7-1370P",
      socket_count: 1,
      total_cores: 14,
      total_threads: 20,
      base_frequency_mhz: 1900,
      max_frequency_mhz: 5200,
      cache_size_mb: 24,
      temperature: 62,
      power_consumption: 8.5,
      per_socket_info: [{ cores: 14, threads: 20, frequency_mhz: 1800 }],
    });
    const kinds = cpu.per_core_utilization.map(({ core_type }) => core_type);
    expect(kinds).toEqual([...Array(12).fill("Performance"), ...Array(8).fill("Efficiency")]);
    expect([0, 2, 12].map((id) => cpu.per_core_utilization[id]?.utilization)).toEqual([80, 9.1, 4]);
    expect(cpu.cgroup).toBeUndefined();
  });

  test("container: its own limits beside the machine's totals", async () => {
    const cpu = await readTwice("container");
    expect(cpu).toMatchObject({
      cpu_model: "AMD EPYC 7R13 Processor",
      total_cores: 4,
      total_threads: 8,
      base_frequency_mhz: 2650,
      max_frequency_mhz: null,
      cache_size_mb: 16,
      utilization: 25,
      temperature: null,
      power_consumption: null,
      per_socket_info: [{ frequency_mhz: 2650 }],
      cgroup: {
        cpu_limit_cores: 2.5,
        cpu_used_cores: 2.1,
        cpu_throttled: 40,
        memory_limit_bytes: 4294967296,
        memory_used_bytes: 2147483648,
      },
    });
  });
});

describe("between readings", () => {
  test("rates are unknown in the first one, and where no tick passed", async () => {
    using machine = openMachine("container");
    const source = open(machine);
    for (const at of [0, 3000]) {
      const cpu = await readAt(source, at);
      expect(cpu.utilization).toBeNull();
      expect(cpu.per_socket_info[0]?.utilization).toBeNull();
      expect(cpu.per_core_utilization.map(({ utilization }) => utilization)).toEqual(Array(8).fill(null));
    }
    source.close?.();
  });

  test("CPUs come and go", async () => {
    using machine = openMachine("container");
    const source = open(machine);
    const row = (cpu: string, busy: number) => `${cpu} ${busy} 0 0 ${1000 - busy} 0 0 0 0 0 0\n`;
    machine.write("/proc/stat", row("cpu ", 0) + row("cpu0", 0) + row("cpu1", 0) + row("cpu3", 0));
    expect((await readAt(source, 0)).total_threads).toBe(3);
    machine.write(
      "/proc/stat",
      `cpu  150 0 0 1050 0 0 0 0\ncpu0 50 0 0 1050 0 0 0 0\n${row("cpu2", 7)}cpu3 100 0 0 1000 0 0 0 0\n`,
    );
    const cpu = await readAt(source, 3000);
    expect(cpu.total_threads).toBe(3);
    // Threads 2 and 3 are one core, of which 3 alone was there before.
    expect(cpu.total_cores).toBe(2);
    expect(cpu.per_core_utilization).toEqual([
      { core_id: 0, core_type: "Standard", utilization: 50 },
      { core_id: 2, core_type: "Standard", utilization: null },
      { core_id: 3, core_type: "Standard", utilization: 100 },
    ]);
    source.close?.();
  });

  test("power goes on when the facts are read again", async () => {
    using machine = openMachine("laptop-1370p");
    const source = open(machine);
    const energy = (microjoules: string) =>
      machine.write("/sys/class/powercap/intel-rapl:0/energy_uj", `${microjoules}\n`);
    await readAt(source, 0);
    energy("8000000000");
    expect((await readAt(source, 300_000)).power_consumption).toBe(10);
    energy("8020000000");
    expect((await readAt(source, 301_000)).power_consumption).toBe(20);
    source.close?.();
  });
});

describe("what is missing or broken", () => {
  test("no cores of their own unless asked for", async () => {
    using machine = openMachine("container");
    expect((await readAt(open(machine, false), 0)).per_core_utilization).toEqual([]);
  });

  test("nothing there at all is a device that knows nothing, and is told", async () => {
    using machine = openMachine(null);
    const { cpus, errors } = await open(machine).read(cycleAt(0));
    expect(errors).toEqual(["cpu: /proc/stat: ENOENT"]);
    expect(cpus?.[0]).toMatchObject({
      cpu_model: "",
      socket_count: null,
      total_cores: null,
      total_threads: null,
      base_frequency_mhz: null,
      cache_size_mb: null,
      utilization: null,
      per_socket_info: [],
      load_average: null,
      uptime_seconds: null,
    });
  });

  test("without sysfs the topology is that of /proc/cpuinfo", async () => {
    using machine = openMachine("container");
    machine.write("/sys", null);
    const block = (cpu: number) =>
      `processor\t: ${cpu}\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.20GHz\ncpu MHz\t\t: 2199.998\nphysical id\t: ${cpu >> 2}\ncore id\t\t: ${(cpu >> 1) & 1}\n`;
    machine.write("/proc/cpuinfo", Array.from({ length: 8 }, (_, cpu) => block(cpu)).join("\n"));
    expect(await readAt(open(machine), 0)).toMatchObject({
      platform_type: "Intel",
      socket_count: 2,
      total_cores: 4,
      total_threads: 8,
      base_frequency_mhz: 2200,
      cache_size_mb: null,
    });
  });

  test("a file that is there and cannot be read is told once, and costs only its own value", async () => {
    using machine = openMachine("laptop-1370p");
    for (const sensor of ["temp1_input", "temp2_input"]) {
      machine.write(`/sys/class/hwmon/hwmon3/${sensor}`, null);
      machine.write(`/sys/class/hwmon/hwmon3/${sensor}/x`, "");
    }
    const { cpus, errors } = await open(machine).read(cycleAt(0));
    expect(errors).toEqual(["cpu: /sys/class/hwmon/hwmon3/temp1_input: EISDIR"]);
    expect(cpus?.[0]).toMatchObject({ temperature: null, total_cores: 14 });
  });
});
