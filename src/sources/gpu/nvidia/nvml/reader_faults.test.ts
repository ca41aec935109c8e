import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Bench, START_MS, until } from "../../../../../test/nvml.ts";
import { STUB } from "../../../../../test/nvml_stub.ts";
import { NvmlUnavailable } from "./library.ts";
import { unknownRow } from "./row.ts";

const MIB = 1024 ** 2;
const NARROW = "0xffffffff";
const WIDE = "0xffffffffffffffff";

const NOTHING_SUPPORTED = [
  "* returns * 3",
  "* returns nvmlDeviceGetHandleByIndex_v2 0",
  "* returns nvmlDeviceGetUUID 0",
];

test("of a card that supports nothing everything is unknown, and nothing is asked for again", () => {
  using bench = new Bench("h100", ...NOTHING_SUPPORTED);
  bench.read();
  const { cards, processes, errors } = bench.read();
  const { detail, health, ...row } = cards[0]?.row ?? unknownRow("", null);
  const { detail: _, health: __, ...unknown } = unknownRow("GPU-00000000-0000-0000-0000-000000000000", 0);
  expect(row).toEqual(unknown);
  expect(detail["Driver Version"]).toBe("590.48.01");
  const { pcie, clocks, ...rest } = health ?? {};
  const values = [...Object.values(rest), ...Object.values(pcie ?? {}), ...Object.values(clocks ?? {})];
  expect(new Set(values)).toEqual(new Set([null]));
  expect({ processes, errors }).toEqual({ processes: [], errors: [] });
  expect(bench.calls.filter((call) => call.includes("GPU-"))).toEqual([]);
});

const OLD_FAULTS = ["* retired_corrected 3", "* retired_uncorrected 2", "* retired_pending 1", "* link 0 1 12 3 1"];

test("all bits set is no value, of whatever there is a number", () => {
  const text = readFileSync(join(dirname(STUB), "h100.txt"), "utf8");
  const keys = [...text.matchAll(/^\* (\w+) \d+(?:\+\d+)?$/gm)].map(([, key = ""]) => key);
  const isWide = (key: string) => /^ecc_\w+(volatile|aggregate)$|_bytes$|_replays$/.test(key);
  const lines = keys.filter((key) => !/mib$|^gpm/.test(key)).map((key) => `* ${key} ${isWide(key) ? WIDE : NARROW}`);
  expect(lines.length).toBeGreaterThan(40);
  using bench = new Bench("h100", ...lines);
  bench.read();
  const { cards } = bench.read();
  expect(JSON.stringify(cards)).not.toMatch(/42949\d\d\.?\d{3}|1844674407/);
  expect(cards[0]).toMatchObject({
    lost: null,
    row: { temperature: null, power_consumption: null, utilization: null },
  });
});

test("values that there are no names for are unknown", () => {
  using bench = new Bench("h100", "* performance_state 77", "* gsp_mode 7", "* brand 9999", "* architecture 77");
  expect(bench.row()).toMatchObject({ performance_state: null, gsp_firmware_mode: null });
});

test("a card that the library does not find any more is lost, at once and in the same words", async () => {
  using bench = new Bench("h100_x8");
  bench.read();
  bench.scenario.say("3 returns * 28");
  await until(
    () => bench.read(),
    ({ cards }) => cards[3]?.lost !== null,
  );
  for (let n = 0; n < 3; n++)
    expect(bench.read()).toMatchObject({ cards: { 3: { lost: "GPU not found" } }, errors: [] });
});

test("an old driver's functions stand in for those that it lacks", () => {
  const missing = [
    "nvmlDeviceGetMemoryInfo_v2",
    "nvmlDeviceGetCurrentClocksEventReasons",
    "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetFanSpeedRPM",
    "nvmlDeviceGetEnforcedPowerLimit",
    "nvmlDeviceGetJpgUtilization",
    "nvmlGpmQueryDeviceSupport",
    ...["Compute", "Graphics", "MPSCompute"].flatMap((kind) => [
      `nvmlDeviceGet${kind}RunningProcesses_v3`,
      `nvmlDeviceGet${kind}RunningProcesses_v2`,
    ]),
  ];
  using bench = new Bench("h100", ...missing.map((name) => `without ${name}`), "* throttle 4", ...OLD_FAULTS);
  bench.read();
  const { cards, processes, errors } = bench.read();
  const row = cards[0]?.row;
  expect(row?.used_memory).toBe((19818 + 479) * MIB);
  expect(row?.gpm_metrics).toBeNull();
  expect(row?.health).toMatchObject({
    throttle: ["power"],
    power_limit_watts: 700,
    retired_pages: 5,
    retired_pages_pending: 1,
    jpeg: null,
    memory_temperature: null,
    ecc: { corrected_volatile: 0, uncorrected_aggregate: 0 },
    pcie: { replays: 9, rx_bytes_per_second: 6346 * 1024, tx_bytes_per_second: 3092 * 1024 },
  });
  expect(row?.health?.nvlink).toHaveLength(18);
  expect(row?.health?.nvlink?.[0]).toEqual({
    link_index: 0,
    state: "active",
    crc_errors: 12,
    replay_errors: 3,
    recovery_errors: 1,
  });
  expect(processes.map(({ pid, used_memory }) => [pid, used_memory])).toEqual([
    [11327, 2566 * MIB],
    [11328, 1542 * MIB],
    [11345, 15690 * MIB],
  ]);
  expect(errors).toEqual([]);
});

test("a newer driver without nvmlDeviceGetTemperature is asked by its successor", () => {
  using bench = new Bench("h100", "without nvmlDeviceGetTemperature");
  expect(bench.row().temperature).toBe(59);
});

test("a card that is lost keeps what is known of it, and is back after a reset", async () => {
  using bench = new Bench("h100_x8");
  const before = bench.read().cards[3];
  bench.scenario.say("3 lost");
  const { cards, errors } = await until(
    () => bench.read(),
    (reading) => reading.cards[3]?.lost !== null,
  );
  expect(cards.map(({ lost }) => lost)).toEqual([null, null, null, "GPU is lost", null, null, null, null]);
  const lost = cards[3];
  expect(lost?.pci).toBe("0000:3a:00.0");
  expect(lost?.row).toMatchObject({
    uuid: before?.row.uuid ?? "",
    index: 3,
    name: "NVIDIA H100 80GB HBM3",
    total_memory: 81559 * MIB,
    utilization: null,
    used_memory: null,
    temperature: null,
    health: null,
  });
  expect(errors).toEqual([]);
  bench.now_ms += 60_000;
  expect(bench.read().cards[3]).toMatchObject({ lost: "GPU is lost", row: { uuid: before?.row.uuid ?? "" } });
  bench.scenario.say();
  const back = await until(
    () => {
      bench.now_ms += 600_000;
      return bench.read();
    },
    (reading) => reading.cards[3]?.lost === null,
  );
  expect(back.cards).toHaveLength(8);
  expect(back.cards[3]?.row.utilization).toBe(100);
});

test("cards that were numbered anew are told by their UUIDs", async () => {
  using bench = new Bench("h100_x8");
  const uuids = bench.read().cards.map(({ row }) => row.uuid);
  bench.scenario.say("7 lost");
  await until(
    () => bench.read(),
    ({ cards }) => cards[7]?.lost !== null,
  );
  bench.scenario.say("cards 7", ...Array.from({ length: 7 }, (_, n) => `${n} uuid ${uuids[6 - n]}`));
  const { cards } = await until(
    () => {
      bench.now_ms += 600_000;
      return bench.read();
    },
    (reading) => reading.cards[0]?.row.uuid === uuids[6],
  );
  expect(cards.find(({ row }) => row.uuid === uuids[7])?.lost).toBe("GPU is not there any more");
  expect(cards.filter(({ lost }) => lost === null).map(({ row }) => row.uuid)).toEqual(uuids.slice(0, 7).reverse());
});

test("a card that gives no handle from the beginning is a row all the same; one that is not ours is none", () => {
  using bench = new Bench(
    "h100_x8",
    "2 returns nvmlDeviceGetHandleByIndex_v2 15",
    "5 returns nvmlDeviceGetHandleByIndex_v2 4",
  );
  const { cards } = bench.read();
  expect(cards.map(({ row }) => row.index)).toEqual([0, 1, 2, 3, 4, 6, 7]);
  expect(cards[2]).toMatchObject({ pci: "", lost: "GPU is lost", row: { uuid: "GPU 2", utilization: null } });
});

test("an XID is heard of once, and what is read seldom is read again at once", async () => {
  using bench = new Bench("h100_x8");
  expect(bench.row(4).health?.nvlink?.[7]?.state).toBe("active");
  bench.scenario.say("4 link 7 0 12 3 1", "4 xid 74", "1 xid 999");
  const { xids, cards } = await until(
    () => {
      bench.now_ms = START_MS;
      return bench.read();
    },
    (reading) => reading.xids.length > 0,
  );
  const uuid = "GPU-00000004-0000-4000-8000-000000000004";
  expect(xids.map((xid) => [xid.uuid, xid.code])).toEqual([
    [uuid, 74],
    ["GPU-00000001-0000-4000-8000-000000000001", null],
  ]);
  expect(Math.abs((xids[0]?.t_ms ?? 0) - Date.now())).toBeLessThan(60_000);
  expect(cards[4]?.row.health?.nvlink?.[7]).toEqual({
    link_index: 7,
    state: "inactive",
    crc_errors: 12,
    replay_errors: 3,
    recovery_errors: 1,
  });
  expect(bench.read().xids).toEqual([]);
});

test("a function that fails is told, and tried again", async () => {
  using bench = new Bench("h100", "0 returns nvmlDeviceGetPowerUsage 999");
  const { cards, errors } = bench.read();
  expect(errors).toEqual(["GPU 0: unknown error (nvmlDeviceGetPowerUsage)"]);
  expect(cards[0]?.row.power_consumption).toBeNull();
  expect(cards[0]?.row.temperature).toBe(59);
  bench.scenario.say();
  const again = await until(
    () => bench.read(),
    (reading) => reading.errors.length === 0,
  );
  expect(again.cards[0]?.row.power_consumption).toBe(631.95);
});

test("once the driver is gone there is no reading", async () => {
  using bench = new Bench("h100");
  bench.read();
  bench.scenario.say("* returns nvmlDeviceGetTemperature 9");
  const failed = () => {
    try {
      bench.read();
      return null;
    } catch (error) {
      return error;
    }
  };
  const error = await until(failed, (seen) => seen !== null);
  expect(error).toBeInstanceOf(NvmlUnavailable);
  expect(error).toMatchObject({
    kind: "no_driver",
    message: "nvmlDeviceGetTemperature: the NVIDIA driver is not loaded",
  });
});
