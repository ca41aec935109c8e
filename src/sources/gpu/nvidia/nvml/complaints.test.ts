import { expect, test } from "bun:test";
import { Bench, until } from "../../../../../test/nvml.ts";
import { Complaints } from "./complaints.ts";

test("of each code, how many calls and which one was the first", () => {
  const complaints = new Complaints("GPU 2");
  complaints.failed("nvmlDeviceGetPowerUsage", 999);
  complaints.failed("nvmlDeviceGetTemperature", 999);
  complaints.failed("nvmlDeviceGetName", 10);
  expect(complaints.take(0)).toBe(
    "GPU 2: unknown error (2 calls, nvmlDeviceGetPowerUsage first); timed out (nvmlDeviceGetName)",
  );
  expect(complaints.take(1)).toBeNull();
  expect(complaints.count).toBe(3);
});

test("what is denied from the start is told for some seconds", () => {
  const complaints = new Complaints("GPU 0");
  complaints.denied("nvmlDeviceGetPowerUsage");
  const words = "GPU 0: no permission (nvmlDeviceGetPowerUsage)";
  expect([1000, 11_000].map((at_ms) => complaints.take(at_ms))).toEqual([words, words]);
  complaints.failed("nvmlDeviceGetTemperature", 4);
  expect([11_000, 11_001].map((at_ms) => complaints.take(at_ms))).toEqual([
    "GPU 0: no permission (nvmlDeviceGetTemperature)",
    null,
  ]);
});

test("a card that fails at every call is one sentence, and hides no other", () => {
  const bad = ["0", "2", "3", "6"];
  using bench = new Bench(
    "h100_x8",
    ...bad.flatMap((n) => [`${n} returns * 999`, `${n} returns nvmlDeviceGetHandleByIndex_v2 0`]),
  );
  const { cards, errors } = bench.read();
  expect(cards).toHaveLength(8);
  expect(errors.map((words) => words.replace(/\d+ calls/, "N calls"))).toEqual(
    bad.map((n) => `GPU ${n}: unknown error (N calls, nvmlDeviceGetUUID first)`),
  );
  expect(cards[2]).toMatchObject({ lost: null, row: { utilization: null, temperature: null } });
  expect(cards[1]?.row.utilization).toBe(100);
});

test("what is not permitted any more is told in each cycle, and asked for again", async () => {
  using bench = new Bench("h100");
  bench.read();
  bench.scenario.say("0 returns nvmlDeviceGetPowerUsage 4");
  const words = "GPU 0: no permission (nvmlDeviceGetPowerUsage)";
  await until(
    () => bench.read().errors,
    (errors) => errors.includes(words),
  );
  bench.now_ms += 60_000;
  const { cards, errors } = bench.read();
  expect([errors, cards[0]?.row.power_consumption]).toEqual([[words], null]);
  bench.scenario.say();
  const again = await until(
    () => bench.read(),
    (reading) => reading.errors.length === 0,
  );
  expect(again.cards[0]?.row.power_consumption).toBe(631.95);
});

test("what was never permitted is told at the start, and not asked for again", () => {
  using bench = new Bench("h100", "0 returns nvmlDeviceGetPowerUsage 4", "0 returns nvmlGpmSampleGet 4");
  const words = "GPU 0: no permission (2 calls, nvmlGpmSampleGet first)";
  expect(bench.read().errors).toEqual([words]);
  expect(bench.read().errors).toEqual([words]);
  expect(bench.calls.some((call) => call.startsWith("nvmlDeviceGetPowerUsage"))).toBe(false);
  bench.now_ms += 60_000;
  expect(bench.read().errors).toEqual([]);
});

test("cards that may not be opened are told at the start", () => {
  using bench = new Bench("h100_x8", ...["1", "5"].map((n) => `${n} returns nvmlDeviceGetHandleByIndex_v2 4`));
  const { cards, errors } = bench.read();
  expect(cards.map(({ row }) => row.index)).toEqual([0, 2, 3, 4, 6, 7]);
  expect(errors).toEqual(["GPU 1 may not be opened: no permission", "GPU 5 may not be opened: no permission"]);
  bench.now_ms += 60_000;
  expect(bench.read().errors).toEqual([]);
});
