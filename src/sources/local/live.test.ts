/** The readers against the usual programs, on the machine that the tests run on. */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cycleAt, HOST } from "../../../test/fixtures/machines/cycle.ts";
import type { Cpu, Memory } from "../../frame/schema.ts";
import { cpuSource } from "./cpu.ts";
import { memorySource } from "./memory.ts";
import { storageSource } from "./storage.ts";

const run = (command: string, ...args: string[]): string =>
  spawnSync(command, args, { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } }).stdout;

const has = (command: string): boolean => Bun.which(command) !== null;

/** Everything else on the machine goes on between the two readings. */
const near = (value: number | null | undefined, expected: number, tolerance: number): void => {
  expect(Math.abs((value ?? Number.NaN) - expected)).toBeLessThanOrEqual(tolerance);
};

describe.skipIf(process.platform !== "linux")("on this machine", () => {
  test.skipIf(!has("free"))("memory is what free shows", async () => {
    const source = memorySource({ root: "", host: HOST });
    const { memory } = await source.read(cycleAt(0));
    const rows = run("free", "-b", "-w").split("\n");
    source.close?.();
    const numbers = (row: string | undefined) => (row?.match(/\d+/g) ?? []).map(Number);
    const [total = 0, used = 0, free = 0, , buffers = 0, cache = 0, available = 0] = numbers(rows[1]);
    const [swapTotal = 0, swapUsed = 0, swapFree = 0] = numbers(rows[2]);
    const ours = memory?.[0] as Memory;
    const tolerance = total * 0.02;
    expect(ours.total_bytes).toBe(total);
    near(ours.used_bytes, used, tolerance);
    near(ours.free_bytes, free, tolerance);
    near(ours.buffers_bytes, buffers, tolerance);
    near(ours.cached_bytes, cache, tolerance);
    near(ours.available_bytes, available, tolerance);
    expect(ours.swap_total_bytes).toBe(swapTotal);
    near(ours.swap_used_bytes, swapUsed, tolerance);
    near(ours.swap_free_bytes, swapFree, tolerance);
  });

  test.skipIf(!has("lscpu"))("CPUs are what lscpu shows", async () => {
    const source = cpuSource({ root: "", host: HOST, perCore: true });
    await source.read(cycleAt(0));
    // Long enough for some ticks.
    await Bun.sleep(200);
    const { cpus, errors } = await source.read(cycleAt(200));
    source.close?.();
    const shown = lscpu();
    const cpu = cpus?.[0] as Cpu;
    expect(errors).toBeUndefined();
    expect(cpu.total_threads).toBe(Number(shown.get("CPU(s)")));
    expect(cpu.architecture).toBe(shown.get("Architecture") ?? "");
    expect(cpu.cpu_model).toContain(shown.get("Model name") ?? "");
    const sockets = Number(shown.get("Socket(s)"));
    if (cpu.socket_count !== null && sockets > 0) {
      expect(cpu.socket_count).toBe(sockets);
      expect(cpu.total_cores).toBe(sockets * Number(shown.get("Core(s) per socket")));
    }
    expect(cpu.per_core_utilization).toHaveLength(cpu.total_threads ?? 0);
    for (const value of [cpu.utilization, ...cpu.per_core_utilization.map(({ utilization }) => utilization)]) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(100);
    }
    near(cpu.uptime_seconds, Number(readFileSync("/proc/uptime", "utf8").split(".")[0]), 5);
    expect(cpu.load_average).toHaveLength(3);
  });

  test("a busy CPU shows", async () => {
    const source = cpuSource({ root: "", host: HOST, perCore: true });
    await source.read(cycleAt(0));
    const end = performance.now() + 300;
    while (performance.now() < end);
    const { cpus } = await source.read(cycleAt(300));
    source.close?.();
    // One thread that spins for all of the time; where it moves, its CPUs share it.
    const busiest = (cpus?.[0]?.per_core_utilization ?? []).reduce(
      (all, { utilization }) => all + (utilization ?? 0),
      0,
    );
    expect(busiest).toBeGreaterThan(50);
  });

  test.skipIf(!has("df"))("file systems are what df shows", async () => {
    const source = storageSource({ root: "", host: HOST });
    const { storage, errors } = await source.read(cycleAt(0));
    source.close?.();
    expect(errors).toBeUndefined();
    expect(storage?.map(({ mount_point }) => mount_point)).toContain("/");
    for (const { mount_point, total_bytes, used_bytes, available_bytes } of storage ?? []) {
      const [total = 0, used = 0, available = 0] = (
        run("df", "-B1", "--output=size,used,avail", mount_point).match(/\d+/g) ?? []
      )
        .slice(-3)
        .map(Number);
      expect(total_bytes).toBe(total);
      near(used_bytes, used, total * 0.02);
      near(available_bytes, available, total * 0.02);
    }
  });
});

interface LscpuEntry {
  readonly field: string;
  readonly data?: string;
  readonly children?: readonly LscpuEntry[];
}

/** Its fields by name; newer versions nest them. */
function lscpu(): Map<string, string> {
  const fields = new Map<string, string>();
  const add = ({ field, data, children }: LscpuEntry): void => {
    fields.set(field.replace(/:$/, ""), data ?? "");
    children?.forEach(add);
  };
  (JSON.parse(run("lscpu", "-J")) as { lscpu: LscpuEntry[] }).lscpu.forEach(add);
  return fields;
}
