import { expect, test } from "bun:test";
import { Bench, until } from "../../../../../test/nvml.ts";

const MIB = 1024 ** 2;

test("an H100 with all there is to know", () => {
  using bench = new Bench("h100");
  bench.read();
  const { cards, processes, xids, errors } = bench.read();
  expect(cards).toHaveLength(1);
  const { nvlink, ...health } = cards[0]?.row.health ?? {};
  expect(cards[0]).toMatchObject({
    pci: "0000:00:09.0",
    lost: null,
    row: {
      uuid: "GPU-00000000-0000-0000-0000-000000000000",
      name: "NVIDIA H100 80GB HBM3",
      index: 0,
      utilization: 100,
      tensorcore_utilization: 41,
      temperature: 59,
      used_memory: 19818 * MIB,
      total_memory: 81559 * MIB,
      frequency: 1980,
      power_consumption: 631.95,
      gpu_core_count: 16896,
      performance_state: 0,
      fan_speed_rpm: null,
      numa_node_id: 0,
      gsp_firmware_mode: 1,
      gsp_firmware_version: "590.48.01",
      gpm_metrics: { sm_occupancy: 0.62, memory_bandwidth_utilization: 0.37 },
      mig: null,
    },
  });
  expect(health).toEqual({
    throttle: [],
    power_limit_watts: 700,
    memory_temperature: 54,
    hotspot_temperature: null,
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
      rx_bytes_per_second: 6_498_304,
      tx_bytes_per_second: 3_166_208,
    },
    clocks: { sm: 1980, sm_max: 1980, memory: 2619, memory_max: 2619, video: 1545, video_max: 1545 },
    encoder: 0,
    decoder: 0,
    jpeg: 0,
    ofa: 0,
  });
  expect(nvlink).toHaveLength(18);
  expect(nvlink?.[17]).toEqual({
    link_index: 17,
    state: "active",
    crc_errors: 0,
    replay_errors: 0,
    recovery_errors: 0,
  });
  expect(cards[0]?.row.nvlink_remote_devices[17]).toEqual({
    link_index: 17,
    remote_type: "switch",
    bandwidth_mb_s: 26562,
  });
  expect(processes).toEqual(
    [
      { pid: 11327, used_memory: 2566 * MIB, utilization: 0 },
      { pid: 11328, used_memory: 1542 * MIB, utilization: 0 },
      { pid: 11345, used_memory: 15690 * MIB, utilization: 99 },
    ].map((one) => ({ ...one, uuid: "GPU-00000000-0000-0000-0000-000000000000" })),
  );
  expect({ xids, errors }).toEqual({ xids: [], errors: [] });
});

test("its detail is worded as in other frames, without its serial number", () => {
  using bench = new Bench("h100", "* ecc_mode_pending 0");
  expect(bench.row().detail).toEqual({
    "Driver Version": "590.48.01",
    "CUDA Version": "13.1",
    lib_name: "CUDA",
    lib_version: "13.1",
    confidential_compute: "Disabled",
    Brand: "Nvidia",
    architecture: "Hopper",
    compute_capability: "9.0",
    clock_graphics_max: "1980",
    clock_memory_max: "2619",
    vbios_version: "96.00.A5.00.01",
    "PCIe Generation": "5",
    "PCIe Width": "x16",
    pcie_gen_max: "5",
    pcie_width_max: "16",
    compute_mode: "Default",
    persistence_mode: "Enabled",
    power_limit_current: "700.00",
    power_limit_default: "700.00",
    power_limit_min: "200.00",
    power_limit_max: "700.00",
    ecc_mode_current: "Enabled",
    ecc_mode_pending: "Disabled",
    mig_mode_current: "0",
  });
});

test("a consumer card: fans, thresholds, and a process that computes and draws is one", () => {
  using bench = new Bench("rtx_4080", "* throttle 0x6c", "* fan_percent 104", "* fan_rpm 2310");
  const { cards, processes } = bench.read();
  expect(cards[0]?.row).toMatchObject({
    temperature_threshold_shutdown: 101,
    temperature_threshold_slowdown: 96,
    temperature_threshold_max_operating: 90,
    temperature_threshold_acoustic: 84,
    fan_speed_rpm: 2310,
    nvlink_remote_devices: [],
    gpm_metrics: null,
    health: {
      fan_percent: 104,
      throttle: ["power", "thermal", "hardware"],
      ecc: null,
      remapped_rows: null,
      nvlink: null,
      memory_temperature: null,
      encoder: 72,
    },
  });
  expect(processes.map(({ pid }) => pid).sort()).toEqual([2165, 2496, 2620, 2954, 3527, 5021, 5022]);
  expect(processes.find(({ pid }) => pid === 5022)?.utilization).toBe(5);
});

test("eight cards are in the order of their indices", () => {
  using bench = new Bench("h100_x8");
  const { cards, errors } = bench.read();
  expect(cards.map(({ row }) => row.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(new Set(cards.map(({ row }) => row.uuid)).size).toBe(8);
  expect(cards[7]?.pci).toBe("0000:7a:00.0");
  expect(cards.map(({ row }) => row.numa_node_id)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(errors).toEqual([]);
});

test("what changes seldom is read at a slower beat", async () => {
  using bench = new Bench("h100");
  bench.read();
  bench.read();
  expect(bench.calls.some((call) => call.startsWith("nvmlDeviceGetRemappedRows"))).toBe(false);
  bench.scenario.say("* remapped_pending 1", "* remapped_uncorrectable 2");
  const row = await until(
    () => {
      bench.now_ms += 10_000;
      return bench.row();
    },
    ({ health }) => health?.remapped_rows?.pending === 1,
  );
  expect(row.health?.remapped_rows).toEqual({ correctable: 0, uncorrectable: 2, pending: 1, failure: 0 });
});

test("a counter of bytes that wraps gives no nonsense", () => {
  using bench = new Bench(
    "h100",
    "* pcie_generation_max 1",
    "* pcie_width_max 1",
    "* pcie_counter_bits 32",
    "* pcie_rx_bytes 4294960000+5000",
    "* pcie_tx_bytes 100+1000",
  );
  bench.read();
  expect(bench.row().health?.pcie?.rx_bytes_per_second).toBe(5000);
  const wrapped = bench.row().health?.pcie;
  expect(wrapped?.rx_bytes_per_second).toBe(5000);
  expect(wrapped?.tx_bytes_per_second).toBe(1000);
});

test("of a chip without memory of its own, nothing is said about memory", () => {
  using bench = new Bench("h100", "* memory_total_mib -", "* memory_utilization 0");
  const row = bench.row();
  expect([row.used_memory, row.total_memory, row.health?.memory_utilization]).toEqual([null, null, null]);
  expect(row.utilization).toBe(100);
});

test("MIG: instances with memory and activity, processes from within them, the card's own utilization unknown", async () => {
  using bench = new Bench("h100_mig", "* process 21181 G 100 - 1");
  bench.read();
  const { cards, processes } = bench.read();
  const row = cards[0]?.row;
  expect(row?.utilization).toBeNull();
  expect(row?.health?.memory_utilization).toBeNull();
  expect(row?.mig).toHaveLength(4);
  expect(row?.mig?.slice(0, 2)).toEqual([
    {
      gpu_instance: 2,
      compute_instance: 0,
      uuid: "MIG-00000000-0000-0000-0000-000000000000",
      profile: "3g.40gb",
      used_memory: 11091 * MIB,
      total_memory: 40448 * MIB,
      utilization: 97,
    },
    {
      gpu_instance: 3,
      compute_instance: 0,
      uuid: "MIG-00000001-0000-0000-0000-000000000001",
      profile: "2g.20gb",
      used_memory: 17 * MIB,
      total_memory: 20096 * MIB,
      utilization: 0,
    },
  ]);
  expect(processes.map(({ pid, used_memory }) => [pid, used_memory])).toEqual([
    [21180, 2296 * MIB],
    [21181, 1372 * MIB],
    [21198, 7484 * MIB],
  ]);
  bench.scenario.say("* mig_mode 0", "* utilization 12", "* nvlink_count 18");
  const whole = await until(
    () => {
      bench.now_ms += 10_000;
      return bench.row();
    },
    ({ mig, health }) => mig === null && health?.nvlink !== null,
  );
  expect(whole.utilization).toBe(12);
});
