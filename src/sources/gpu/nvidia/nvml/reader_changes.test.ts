import { expect, test } from "bun:test";
import { Bench, START_MS, until } from "../../../../../test/nvml.ts";
import { Beat } from "./beat.ts";
import { NvmlUnavailable } from "./library.ts";

const MIB = 1024 ** 2;

function failure(read: () => unknown): unknown {
  try {
    read();
    return null;
  } catch (error) {
    return error;
  }
}

test("cards that cannot be counted are a driver that is out of order, not cards that are gone", () => {
  using bench = new Bench("h100_x8", "- returns nvmlDeviceGetCount_v2 999");
  const error = failure(() => bench.read());
  expect(error).toBeInstanceOf(NvmlUnavailable);
  expect(error).toMatchObject({ kind: "failed", message: "nvmlDeviceGetCount_v2: unknown error" });
});

test("so they are when they are counted again for one that is lost", async () => {
  using bench = new Bench("h100_x8");
  bench.read();
  bench.scenario.say("7 lost", "- returns nvmlDeviceGetCount_v2 999");
  const error = await until(
    () => {
      bench.now_ms += 600_000;
      return failure(() => bench.read());
    },
    (seen) => seen !== null,
  );
  expect(error).toMatchObject({ kind: "failed" });
});

test("where no card is, one may come", async () => {
  using bench = new Bench("h100_x8", "cards 0");
  expect(bench.read()).toMatchObject({ cards: [], errors: [] });
  bench.scenario.say("cards 2");
  const { cards } = await until(
    () => {
      bench.now_ms += 600_000;
      return bench.read();
    },
    (reading) => reading.cards.length > 0,
  );
  expect(cards.map(({ row }) => row.utilization)).toEqual([100, 100]);
});

test("a card whose UUID cannot be read is called by its place, until it can", async () => {
  using bench = new Bench("h100_x8", "3 returns nvmlDeviceGetUUID 999");
  const { cards, errors } = bench.read();
  expect(cards[3]).toMatchObject({
    pci: "0000:3a:00.0",
    lost: null,
    row: { uuid: "PCI-0000:3a:00.0", utilization: 100 },
  });
  expect(errors).toEqual(["GPU 3: unknown error (2 calls, nvmlDeviceGetUUID first)"]);
  bench.scenario.say();
  const named = await until(
    () => bench.read(),
    (reading) => reading.errors.length === 0,
  );
  expect(named.cards[3]?.row.uuid).toBe("GPU-00000003-0000-4000-8000-000000000003");
});

test("without a place in the machine it is called by its number", () => {
  using bench = new Bench("h100", "0 returns nvmlDeviceGetUUID 999", "0 returns nvmlDeviceGetPciInfo_v3 3");
  expect(bench.read().cards[0]).toMatchObject({ pci: "", lost: null, row: { uuid: "GPU 0", utilization: 100 } });
});

test("a card that is found again without its UUID is the one that was in its place", async () => {
  using bench = new Bench("h100_x8");
  const before = bench.read().cards.map(({ row }) => row.uuid);
  bench.scenario.say("7 lost", "3 returns nvmlDeviceGetUUID 999");
  const { cards } = await until(
    () => {
      bench.now_ms += 600_000;
      return bench.read();
    },
    ({ errors }) => errors.length > 0,
  );
  expect(cards.map(({ row }) => row.uuid)).toEqual(before);
  expect(cards[3]?.lost).toBeNull();
});

test("what a card is is asked again where not all could be read", async () => {
  using bench = new Bench("h100", "0 returns nvmlDeviceGetName 999", "0 returns nvmlDeviceGetFieldValues 999");
  expect(bench.row().name).toBe("");
  bench.scenario.say();
  const row = await until(
    () => {
      bench.now_ms += 10_000;
      return bench.row();
    },
    ({ name }) => name !== "",
  );
  expect(row.name).toBe("NVIDIA H100 80GB HBM3");
  expect(row.health?.nvlink).toHaveLength(18);
});

test("what changes slowly is read once a second, however short the cycles are", () => {
  using bench = new Bench("h100", "* encoder 7");
  const readAfter = (pause_ms: number) => {
    bench.now_ms += pause_ms - 1000;
    return bench.row();
  };
  const isAsked = (name: string) => bench.calls.some((call) => call.startsWith(name));
  const SLOW = ["nvmlDeviceGetEncoderUtilization", "nvmlDeviceGetProcessUtilization", "nvmlGpmSampleGet"];
  const asked = () => ["nvmlDeviceGetPowerUsage", ...SLOW].map(isAsked);
  const isKnown = () => readAfter(100).gpm_metrics?.sm_occupancy != null;
  expect([isKnown(), isKnown()]).toEqual([false, true]);
  for (const pause_ms of [100, 100, 500]) {
    expect(readAfter(pause_ms).health?.encoder).toBe(7);
    expect(asked()).toEqual([true, false, false, false]);
  }
  readAfter(100);
  expect(asked()).toEqual([true, true, true, true]);
  readAfter(1000);
  expect(asked()).toEqual([true, true, true, true]);
});

test("MIG that is switched off or on is seen in the same cycle", async () => {
  using bench = new Bench("h100_mig", "* utilization 12");
  expect(bench.row().mig).toHaveLength(4);
  const still = () => {
    bench.now_ms = START_MS;
    return bench.row();
  };
  bench.scenario.say("* mig_mode 0", "* utilization 12");
  const whole = await until(still, ({ mig }) => mig === null);
  expect([whole.utilization, whole.detail.mig_mode_current]).toEqual([12, "0"]);
  bench.scenario.say("* mig_mode 1");
  const parted = await until(still, ({ mig }) => mig !== null);
  expect([parted.mig?.length, parted.utilization, parted.detail.mig_mode_current]).toEqual([4, null, "1"]);
});

test("an instance that is gone is none in the same cycle", async () => {
  using bench = new Bench("h100_mig");
  expect(bench.row().mig).toHaveLength(4);
  const uuids = (n: number) => `MIG-0000000${n}-0000-0000-0000-00000000000${n}`;
  bench.scenario.say(
    "0 returns nvmlDeviceGetMemoryInfo_v2 2",
    "0 returns nvmlDeviceGetMemoryInfo 2",
    `* mig 3 11 0 1g.10gb ${uuids(9)} 9 9984 0`,
  );
  const row = await until(
    () => {
      bench.now_ms = START_MS;
      return bench.row();
    },
    ({ mig }) => mig?.some(({ uuid }) => uuid === uuids(9)) ?? false,
  );
  expect(row.mig?.map(({ uuid }) => uuid)).toEqual([uuids(0), uuids(1), uuids(2), uuids(9)]);
});

test("where instances do not list processes, the card does", () => {
  using bench = new Bench("h100_mig", "* instances_without_lists 1", "* process 77 C 300 -");
  expect(bench.read().processes.map(({ pid, used_memory }) => [pid, used_memory])).toContainEqual([77, 300 * MIB]);
});

test("links and bad memory are looked at every two seconds, settings every ten", () => {
  using bench = new Bench("h100");
  bench.read();
  const looksAt = (...names: readonly string[]) =>
    names.map((name) => bench.calls.filter((call) => call.startsWith(name)).length);
  bench.read();
  expect(looksAt("nvmlDeviceGetRemappedRows", "nvmlDeviceGetComputeMode")).toEqual([0, 0]);
  bench.read();
  expect(looksAt("nvmlDeviceGetRemappedRows", "nvmlDeviceGetComputeMode")).toEqual([1, 0]);
  bench.now_ms += 7000;
  bench.read();
  expect(looksAt("nvmlDeviceGetRemappedRows", "nvmlDeviceGetComputeMode")).toEqual([1, 1]);
});

test("what did not change keeps its identity", () => {
  using bench = new Bench("h100");
  const before = bench.row();
  bench.now_ms += 10_000;
  const after = bench.row();
  expect(after.health?.nvlink).toBe(before.health?.nvlink);
  expect(after.health?.remapped_rows).toBe(before.health?.remapped_rows);
  expect(after.nvlink_remote_devices).toBe(before.nvlink_remote_devices);
  expect(after.detail).toBe(before.detail);
});

test("beats of several cards lie apart", () => {
  const times = [0, 1, 2, 3].map((n) => {
    const beat = new Beat(1000, n, 4);
    return Array.from({ length: 25 }, (_, i) => i * 100).filter((t_ms) => beat.comes(t_ms, false));
  });
  expect(times).toEqual([
    [0, 1000, 2000],
    [0, 800, 1800],
    [0, 500, 1500],
    [0, 300, 1300, 2300],
  ]);
});
