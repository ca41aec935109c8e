import { describe, expect, test } from "bun:test";
import { capturedCard } from "../../../../../test/nvidia_smi_capture.ts";

const MIB = 1024 ** 2;

describe("an H100 under load", () => {
  const { pci, lost, row } = capturedCard("h100", "load");

  test("has its place and its name", () => {
    expect({ pci, lost }).toEqual({ pci: "0000:00:09.0", lost: null });
    expect(row.uuid).toBe("GPU-00000000-0000-0000-0000-000000000000");
    expect(row.name).toBe("NVIDIA H100 80GB HBM3");
    expect(row.index).toBe(0);
  });

  test("has its gauges in the frame's units", () => {
    expect(row).toMatchObject({
      utilization: 100,
      temperature: 59,
      used_memory: 19_818 * MIB,
      total_memory: 81_559 * MIB,
      frequency: 1980,
      power_consumption: 631.95,
      performance_state: 0,
      fan_speed_rpm: null,
      gsp_firmware_mode: 1,
      gsp_firmware_version: "590.48.01",
    });
  });

  test("has no temperatures where the log has margins", () => {
    expect(row.temperature_threshold_shutdown).toBeNull();
    expect(row.temperature_threshold_slowdown).toBeNull();
    expect(row.temperature_threshold_max_operating).toBeNull();
  });

  test("has all of health that nvidia-smi tells, and nothing else", () => {
    expect(row.health).toEqual({
      throttle: [],
      power_limit_watts: 700,
      memory_temperature: 54,
      memory_utilization: 11,
      fan_percent: null,
      ecc: { corrected_volatile: 0, uncorrected_volatile: 0, corrected_aggregate: 0, uncorrected_aggregate: 0 },
      remapped_rows: { correctable: 0, uncorrectable: 0, pending: 0, failure: 0 },
      retired_pages: null,
      retired_pages_pending: null,
      pcie: {
        generation: 5,
        generation_max: 5,
        width: 16,
        width_max: 16,
        replays: 9,
        rx_bytes_per_second: null,
        tx_bytes_per_second: null,
      },
      clocks: { sm: 1980, sm_max: 1980, memory: 2619, memory_max: 2619, video: 1545, video_max: 1545 },
      encoder: 0,
      decoder: 0,
      jpeg: 0,
      ofa: 0,
    });
  });

  test("has no list of MIG instances", () => {
    expect(row.mig).toBeNull();
  });
});

describe("an H100 in MIG mode", () => {
  const { row } = capturedCard("h100-mig", "load");

  test("has memory, and nothing of what is the instances'", () => {
    expect(row).toMatchObject({ utilization: null, used_memory: 11_125 * MIB, total_memory: 81_559 * MIB });
    expect(row.health).toMatchObject({ memory_utilization: null, remapped_rows: null, encoder: null, ofa: null });
    expect(row.health?.ecc).toMatchObject({ corrected_volatile: 0 });
  });

  test("has its instances with profile, numbers and memory", () => {
    expect(row.mig).toEqual([
      instance(0, "3g.40gb", 2, 11_091, 40_448),
      instance(1, "2g.20gb", 3, 17, 20_096),
      instance(2, "1g.10gb", 9, 9, 9_984),
      instance(3, "1g.10gb", 10, 9, 9_984),
    ]);
  });

  function instance(number: number, profile: string, gpu_instance: number, usedMib: number, totalMib: number) {
    return {
      gpu_instance,
      compute_instance: 0,
      uuid: `MIG-0000000${number}-0000-0000-0000-00000000000${number}`,
      profile,
      used_memory: usedMib * MIB,
      total_memory: totalMib * MIB,
      utilization: null,
    };
  }
});

describe("a GeForce RTX 4080 SUPER", () => {
  test("under load has its gauges, and null where such a card has nothing", () => {
    const { pci, row } = capturedCard("rtx-4080-super", "load");
    expect(pci).toBe("0000:01:00.0");
    expect(row).toMatchObject({
      utilization: 7,
      temperature: 46,
      used_memory: 1_474 * MIB,
      total_memory: 16_376 * MIB,
      frequency: 2805,
      power_consumption: 84.24,
      performance_state: 2,
      temperature_threshold_shutdown: 101,
      temperature_threshold_slowdown: 96,
      temperature_threshold_max_operating: 90,
      temperature_threshold_acoustic: 84,
    });
    expect(row.health).toMatchObject({
      memory_temperature: null,
      memory_utilization: 2,
      fan_percent: 0,
      power_limit_watts: 320,
      ecc: null,
      remapped_rows: null,
      encoder: 72,
      pcie: { generation: 4, generation_max: 4, width: 16, width_max: 16, replays: 0 },
      clocks: { sm: 2805, sm_max: 3165, memory: 11_251, memory_max: 11_501, video: 2145, video_max: 2415 },
    });
  });

  test("idle is on a slow link, in a high performance state", () => {
    const { row } = capturedCard("rtx-4080-super", "idle");
    expect(row).toMatchObject({ performance_state: 8, frequency: 210, power_consumption: 26.2 });
    expect(row.health?.pcie?.generation).toBe(1);
    expect(row.detail["PCIe Generation"]).toBe("1");
  });
});

describe("what is not as it was captured", () => {
  const health = (values: Record<string, string>) => capturedCard("h100", "load", values).row.health;

  test.each([
    ["0x0000000000000001", []],
    ["0x0000000000000004", ["power"]],
    ["0x0000000000000060", ["thermal"]],
    ["0x0000000000000088", ["hardware", "power_brake"]],
    ["0x0000000000000008", ["hardware"]],
    ["0x0000000000000012", ["sync", "application"]],
    ["[N/A]", null],
    ["Active", null],
  ])("clocks are held down by %s: %p", (active, reasons) => {
    expect(health({ "clocks_event_reasons.active": active })?.throttle).toEqual(reasons);
  });

  test("pending and failed remappings, retired pages", () => {
    expect(
      health({
        "remapped_rows.uncorrectable": "3",
        "remapped_rows.pending": "Yes",
        "remapped_rows.failure": "Yes",
        "retired_pages.single_bit_ecc.count": "2",
        "retired_pages.double_bit.count": "1",
        "retired_pages.pending": "Yes",
      }),
    ).toMatchObject({
      remapped_rows: { correctable: 0, uncorrectable: 3, pending: 1, failure: 1 },
      retired_pages: 3,
      retired_pages_pending: 1,
    });
  });

  test.each([
    "[N/A]",
    "N/A",
    "[Not Supported]",
    "[Unknown Error]",
    "[Insufficient Permissions]",
    "",
    "ERR!",
    "-1",
    "1e3",
  ])("%p is unknown, not 0", (cell) => {
    const values = { "temperature.gpu": cell, "memory.used": cell, "power.draw": cell, "utilization.gpu": cell };
    const { row } = capturedCard("h100", "load", values);
    const { temperature, used_memory, power_consumption, utilization } = row;
    expect({ temperature, used_memory, power_consumption, utilization }).toEqual({
      temperature: null,
      used_memory: null,
      power_consumption: null,
      utilization: null,
    });
  });
});
