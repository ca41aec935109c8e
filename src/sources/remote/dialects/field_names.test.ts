import { describe, expect, test } from "bun:test";
import { readPage, toldBy } from "../../../../test/exporter_pages.ts";
import type { FrameEvent, Gpu } from "../../../frame/schema.ts";
import type { History, Told } from "./dialect.ts";

/** Old and new names of the same thing, and what of a part of a card is none of the card. */

const gpusOf = (text: string): readonly Gpu[] => (readPage(text) as Told).sections.gpus ?? [];

function gpuOf(text: string): Gpu {
  const [gpu] = gpusOf(text);
  if (gpu === undefined) throw new Error("there is no GPU");
  return gpu;
}

/** The texts of the events in a row of pages. */
function heard(...pages: string[]): string[][] {
  const history: History = {};
  return pages.map((page) => ((readPage(page, { history }) as Told).events ?? []).map(({ text }: FrameEvent) => text));
}

describe("nvidia_gpu_exporter", () => {
  const line = (name: string, value: number, labels = "") => `nvidia_smi_${name}{uuid="a"${labels}} ${value}\n`;

  test("throttle reasons of every generation, one by one or as a mask", () => {
    const throttle = (name: string, value = 1) => gpuOf(line(name, value)).health?.throttle;
    expect(throttle("clocks_throttle_reasons_sw_power_cap")).toEqual(["power"]);
    expect(throttle("clocks_event_reasons_hw_thermal_slowdown")).toEqual(["thermal"]);
    expect(throttle("clocks_throttle_reasons_clocks_throttle_reason_hw_slowdown")).toEqual(["hardware"]);
    expect(throttle("clocks_event_reasons_clocks_event_reason_sync_boost", 0)).toEqual([]);
    expect(throttle("clocks_throttle_reasons_active", 0x84)).toEqual(["power", "power_brake"]);
    expect(throttle("clocks_event_reasons_active", 1)).toEqual([]);
    expect(gpusOf(line("clocks_event_reasons_counters_sw_power_cap_seconds", 1))).toEqual([]);
  });

  test("memory, fans, retired pages, limits, the firmware's mode", () => {
    const text =
      line("utilization_memory_ratio", 0.4) +
      line("fan_speed_ratio", 0.38) +
      line("retired_pages_single_bit_ecc_count", 3) +
      line("retired_pages_double_bit_count", 1) +
      line("retired_pages_pending", 1) +
      line("power_default_limit_watts", 350) +
      line("gsp_mode_current", 1);
    expect(gpuOf(text)).toMatchObject({
      gsp_firmware_mode: 1,
      detail: { power_limit_default: "350.00" },
      health: { memory_utilization: 40, fan_percent: 38, retired_pages: 4, retired_pages_pending: 1 },
    });
    expect(gpuOf(line("retired_pages_dbe", 1)).health?.retired_pages).toBeUndefined();
  });

  test("where the enforced limit and the usual reading of the power are missing, the next best; never over them", () => {
    expect(gpuOf(line("power_draw_instant_watts", 90) + line("power_limit_watts", 300))).toMatchObject({
      power_consumption: 90,
      health: { power_limit_watts: 300 },
    });
    const all = line("power_draw_watts", 80) + line("power_draw_instant_watts", 90);
    expect(gpuOf(all).power_consumption).toBe(80);
    expect(gpuOf(`${all.split("\n").reverse().join("\n")}\n`).power_consumption).toBe(80);
  });

  test("MIG instances have what is told of them, whatever comes first", () => {
    const instance = ',gpu_instance_id="7"';
    const text =
      line("memory_used_bytes", 1000) +
      line("mig_memory_used_bytes", 5, instance) +
      line("mig_info", 1, ',mig_uuid="MIG-1",gpu_instance_id="7",compute_instance_id="0",profile="1g.10gb"') +
      line("mig_graphics_activity_ratio", 0.5, instance) +
      line("mig_mode_current", 1);
    expect(gpuOf(text)).toMatchObject({
      used_memory: 1000,
      utilization: null,
      detail: { mig_mode_current: "1" },
      mig: [
        { uuid: "MIG-1", gpu_instance: 7, compute_instance: 0, profile: "1g.10gb", used_memory: 5, utilization: 50 },
      ],
    });
  });

  test("XIDs that are only counted are events when they are counted", () => {
    const counted = (n: number) => line("xid_errors_total", n, ',xid="31"');
    expect(heard(line("temperature_gpu", 40), counted(1), counted(1), counted(3))).toEqual([
      [],
      ["XID 31: GPU memory page fault"],
      [],
      ["XID 31: GPU memory page fault"],
    ]);
    const timed = (at: number) => line("xid_last_timestamp_seconds", at, ',xid="31"');
    expect(heard(counted(1) + timed(1), counted(2) + timed(2))).toEqual([[], ["XID 31: GPU memory page fault"]]);
  });
});

describe("dcgm-exporter", () => {
  const line = (name: string, value: number, labels = "") => `${name}{gpu="0",UUID="a"${labels}} ${value}\n`;
  const instance = ',GPU_I_PROFILE="1g.10gb",GPU_I_ID="7"';

  test("the mask of reasons, under each of its names", () => {
    for (const name of ["CLOCK_THROTTLE_REASONS", "CLOCKS_EVENT_REASONS"]) {
      const throttle = (mask: number) => gpuOf(line(`DCGM_FI_DEV_${name}`, mask)).health?.throttle;
      expect(throttle(96)).toEqual(["thermal"]);
      expect(throttle(1)).toEqual([]);
      expect(throttle(4 + 8 + 16)).toEqual(["power", "hardware", "sync"]);
    }
  });

  test("what operators add has its place", () => {
    const text =
      line("DCGM_FI_DEV_GPU_MAX_OP_TEMP", 87) +
      line("DCGM_FI_DEV_POWER_MGMT_LIMIT", 350) +
      line("DCGM_FI_DEV_POWER_MGMT_LIMIT_DEF", 400) +
      line("DCGM_FI_DEV_RETIRED_PENDING", 1) +
      line("DCGM_FI_DEV_PCIE_RX_THROUGHPUT", 1000) +
      line("DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_L3", 2) +
      line("DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_L3", 9) +
      line("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.25, ',DCGM_FI_DEV_SERIAL="1653",DCGM_FI_DEV_VBIOS_VERSION="96.00"');
    expect(gpuOf(text)).toMatchObject({
      utilization: 25,
      temperature_threshold_max_operating: 87,
      detail: { power_limit_default: "400.00" },
      health: {
        power_limit_watts: 350,
        retired_pages_pending: 1,
        pcie: { rx_bytes_per_second: 1_000_000 },
        nvlink: [{ link_index: 3, state: null, crc_errors: 9, replay_errors: 2, recovery_errors: null }],
      },
    });
  });

  test("names of its first version", () => {
    const text =
      'dcgm_gpu_utilization{gpu="0",uuid="GPU-1"} 7\ndcgm_fb_used{gpu="0",uuid="GPU-1"} 3\n' +
      'dcgm_power_usage{gpu="0",uuid="GPU-1"} 55.5\n';
    expect(gpuOf(text)).toMatchObject({ utilization: 7, used_memory: 3 * 2 ** 20, power_consumption: 55.5 });
  });

  test("an instance's series never overwrite the card's, in either order; they count where the card says nothing", () => {
    const card =
      line("DCGM_FI_DEV_GPU_TEMP", 60) +
      line("DCGM_FI_DEV_POWER_USAGE", 400) +
      line("DCGM_FI_DEV_MEM_COPY_UTIL", 50) +
      line("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", 4) +
      line("DCGM_FI_DEV_RETIRED_SBE", 1) +
      line("DCGM_FI_DEV_RETIRED_DBE", 1) +
      line("DCGM_FI_DEV_FB_USED", 900);
    const part =
      line("DCGM_FI_DEV_GPU_TEMP", 1, instance) +
      line("DCGM_FI_DEV_POWER_USAGE", 2, instance) +
      line("DCGM_FI_DEV_MEM_COPY_UTIL", 3, instance) +
      line("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", 0x40, instance) +
      line("DCGM_FI_DEV_RETIRED_SBE", 5, instance) +
      line("DCGM_FI_DEV_RETIRED_DBE", 5, instance) +
      line("DCGM_FI_DEV_FB_USED", 7, instance) +
      line("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.5, instance);
    for (const text of [card + part, part + card]) {
      expect(gpuOf(text)).toMatchObject({
        temperature: 60,
        power_consumption: 400,
        utilization: null,
        used_memory: 900 * 2 ** 20,
        mig: [{ used_memory: 7 * 2 ** 20, utilization: 50 }],
        health: { memory_utilization: 50, throttle: ["power"], retired_pages: 2 },
      });
    }
    expect(gpuOf(part)).toMatchObject({ temperature: 1, power_consumption: 2, utilization: null, used_memory: null });
    expect(gpuOf(part).health).toMatchObject({ throttle: ["thermal"], retired_pages: 10 });
    expect(gpuOf(part).health?.memory_utilization).toBeUndefined();
  });

  test("an instance without an XID does not hide the card's", () => {
    const xid = (value: number, labels = "") => line("DCGM_FI_DEV_XID_ERRORS", value, labels);
    expect(heard(xid(0), xid(79) + xid(0, instance))).toEqual([[], ["XID 79: GPU has fallen off the bus"]]);
    expect(heard(xid(0, instance), xid(79, instance) + xid(0, ',GPU_I_ID="8"'))).toEqual([
      [],
      ["XID 79: GPU has fallen off the bus"],
    ]);
  });

  test("XIDs counted in a window: one that is counted again is one again, one that leaves the window is none", () => {
    const counted = (n: number) => line("DCGM_EXP_XID_ERRORS_COUNT", n, ',xid="94",window_size_in_ms="300000"');
    const last = line("DCGM_FI_DEV_XID_ERRORS", 94, ',err_code="94",err_msg="Contained"');
    expect(heard(counted(0), counted(2), counted(2), counted(1), counted(2))).toEqual([
      [],
      ["XID 94: contained ECC error"],
      [],
      [],
      ["XID 94: contained ECC error"],
    ]);
    expect(heard(line("DCGM_FI_DEV_XID_ERRORS", 0) + counted(0), last + counted(1), last + counted(2))).toEqual([
      [],
      ["XID 94: Contained"],
      ["XID 94: contained ECC error"],
    ]);
  });

  test("a link's and a pod's series are not the card's", () => {
    const text =
      line("DCGM_FI_DEV_GPU_UTIL", 90) +
      line("DCGM_FI_DEV_GPU_UTIL", 5, ',pod="train-0"') +
      'DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL{nvlink="0",gpu="0",gpu_uuid="a",pci_bus_id="00000000:06:00.0"} 5\n' +
      'DCGM_FI_DEV_GPU_TEMP{nvswitch="0",gpu="5"} 5\n';
    expect(gpusOf(text)).toMatchObject([{ uuid: "a", utilization: 90 }]);
    expect(gpusOf(text)).toHaveLength(1);
  });
});

describe("device-metrics-exporter", () => {
  const line = (name: string, value: number, labels: string) => `${name}{gpu_id="0",${labels}} ${value}\n`;

  test("in a guest: no serial number, no partition, no card model, whatever the prefix", () => {
    const told = toldBy("amd_exporter_vf");
    expect(told.hostname).toBe("gpuvm-1");
    expect(told.sections.gpus).toMatchObject([
      { index: 0, name: "Instinct MI300X VF", utilization: 70, temperature: 40, power_consumption: 180 },
      { index: 1, name: "Instinct MI300X VF", utilization: 71, temperature: 41, power_consumption: 181 },
    ]);
    for (const labels of ['card_vendor="AMD"', 'gpu_partition_id="65535"', 'serial_number="",gpu_partition_id="NA"']) {
      for (const name of [
        "gpu_gfx_activity",
        "site_gpu_gfx_activity",
        "GPU_GFX_ACTIVITY",
        "gpu_pre_gpu_gfx_activity",
      ]) {
        expect(gpuOf(line(name, 5, labels)).utilization).toBe(5);
      }
    }
  });

  test("a guest that has a later partition alone is told of; beside the first it says nothing, in either order", () => {
    const partition = (n: number, value: number) =>
      line("gpu_gfx_activity", value, `serial_number="s",gpu_partition_id="${n}"`);
    expect(gpuOf(partition(3, 7)).utilization).toBe(7);
    expect(gpuOf(partition(0, 9) + partition(3, 7)).utilization).toBe(9);
    expect(gpuOf(partition(3, 7) + partition(0, 9)).utilization).toBe(9);
    expect(
      gpuOf(partition(3, 7) + line("gpu_total_vram", 5, 'serial_number="s",gpu_partition_id="0"')).utilization,
    ).toBeNull();
  });

  test("memory's activity and temperature, free memory, hot spot, what holds the clocks down", () => {
    const labels = 'serial_number="s"';
    const text =
      line("gpu_umc_activity", 33, labels) +
      line("gpu_junction_temperature", 80, labels) +
      line("gpu_hbm_temperature", 60, `${labels},hbm_index="0"`) +
      line("gpu_hbm_temperature", 62, `${labels},hbm_index="1"`) +
      line("gpu_used_vram", 100, labels) +
      line("gpu_free_vram", 300, labels) +
      line("gpu_violation_gfx_clock_below_host_limit_thermal_percentage", 3, labels) +
      line("gpu_violation_ppt_residency_percentage", 65535, labels);
    expect(gpuOf(text)).toMatchObject({
      used_memory: 100 * 2 ** 20,
      total_memory: 400 * 2 ** 20,
      temperature: 80,
      health: { memory_utilization: 33, hotspot_temperature: 80, memory_temperature: 62, throttle: ["thermal"] },
    });
  });
});

test("amd_smi_exporter: the library's own units, numbered by a label of the family's name", () => {
  const line = (name: string, value: number) => `amd_${name}{${name}="1",productname="Instinct MI210"} ${value}\n`;
  const text =
    line("gpu_current_temperature", 41_000) +
    line("gpu_power", 90_000_000) +
    line("gpu_power_cap", 300_000_000) +
    line("gpu_SCLK", 1_700_000_000) +
    line("gpu_use_percent", 55) +
    line("gpu_memory_use_percent", 12) +
    'amd_num_gpus{num_gpus=""} 1\n';
  expect(gpusOf(text)).toMatchObject([
    {
      index: 1,
      name: "Instinct MI210",
      temperature: 41,
      power_consumption: 90,
      frequency: 1700,
      utilization: 55,
      health: { power_limit_watts: 300, memory_utilization: 12, clocks: { sm: 1700 } },
    },
  ]);
});
