import { expect, test } from "bun:test";
import { cycleAt, HOST } from "../../../test/fixtures/machines/cycle.ts";
import { openMachine } from "../../../test/fixtures/machines/make.ts";
import { memorySizes, memorySource } from "./memory.ts";

test("a laptop's memory, as free shows it", () => {
  using machine = openMachine("laptop-1370p");
  expect(memorySource({ root: machine.root, host: HOST }).read(cycleAt(0))).toEqual({
    memory: [
      {
        index: 0,
        ...HOST,
        total_bytes: 32513516 * 1024,
        used_bytes: (32513516 - 21350000) * 1024,
        available_bytes: 21350000 * 1024,
        free_bytes: 11204000 * 1024,
        buffers_bytes: 612000 * 1024,
        cached_bytes: (9800000 + 700000) * 1024,
        swap_total_bytes: 8388604 * 1024,
        swap_used_bytes: 388604 * 1024,
        swap_free_bytes: 8000000 * 1024,
        utilization: 34.3,
        time: "2026-08-08 14:32:05",
      },
    ],
  });
});

test("what the kernel does not say is unknown, not 0", () => {
  expect(memorySizes("MemTotal: 100 kB\nMemFree: 40 kB\nBuffers: garbage\n")).toEqual({
    total_bytes: 102400,
    used_bytes: null,
    available_bytes: null,
    free_bytes: 40960,
    buffers_bytes: null,
    cached_bytes: null,
    swap_total_bytes: null,
    swap_used_bytes: null,
    swap_free_bytes: null,
    utilization: null,
  });
});

test("lxcfs: the host's available memory exceeds the container's total", () => {
  const sizes = memorySizes("MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 90000 kB\n");
  expect(sizes).toMatchObject({ used_bytes: 600 * 1024, available_bytes: 400 * 1024, utilization: 60 });
});

test("the open file shows what changed; without one there is no device but an error", () => {
  using machine = openMachine("container");
  const source = memorySource({ root: machine.root, host: HOST });
  expect(source.read(cycleAt(0))).toMatchObject({ memory: [{ total_bytes: 32386048 * 1024 }] });
  machine.write("/proc/meminfo", "MemTotal: 7 kB\n");
  expect(source.read(cycleAt(1))).toMatchObject({ memory: [{ total_bytes: 7168 }] });
  machine.write("/proc/meminfo", "");
  expect(source.read(cycleAt(2))).toEqual({ memory: [], errors: ["memory: /proc/meminfo: no MemTotal"] });
  source.close?.();
});
