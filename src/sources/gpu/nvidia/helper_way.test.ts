import { afterAll, expect, setDefaultTimeout } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { driverTest as test } from "../../../../test/driver_test.ts";
import { StubDriver } from "../../../../test/nvml_stub.ts";
import { HELPER, HelperWay } from "./helper_way.ts";

/** A hang is known as one after two seconds; all else takes as long as a busy machine takes. */
setDefaultTimeout(180_000);

const folder = mkdtempSync(join(tmpdir(), "all-smi-helper-"));
const ways: HelperWay[] = [];
afterAll(() => {
  for (const way of ways) way.close();
  rmSync(folder, { recursive: true });
});

const CYCLE_MS = 200;
const STARTING = "the driver is being initialized";

interface Options {
  readonly command?: readonly string[];
  readonly isLibraryNamed?: boolean;
  readonly isExpected?: boolean;
  readonly hasStandIn?: boolean;
}

function opened({ command = HELPER, isLibraryNamed = true, isExpected = true, hasStandIn = false }: Options = {}) {
  const way = new HelperWay({ command, isLibraryNamed, isExpected: () => isExpected, hasStandIn: () => hasStandIn });
  ways.push(way);
  /** One cycle: what it read, or the words with which it could not. */
  const read = async () => {
    const began_ms = performance.now();
    const signal = new AbortController().signal;
    const cycle = { t_ms: Date.now(), time: "2026-04-18 14:31:58", monotonic_ms: began_ms, wait_ms: CYCLE_MS, signal };
    try {
      return await way.read(cycle);
    } catch (error) {
      return (error as Error).message;
    } finally {
      await Bun.sleep(Math.max(0, began_ms + CYCLE_MS - performance.now()));
    }
  };
  type Result = Awaited<ReturnType<typeof read>>;
  /** Cycle after cycle, until one is as wanted; with what came before it, each thing once. */
  const until = async (isSo: (result: Result) => boolean) => {
    const before = new Set<string>();
    for (;;) {
      const result = await read();
      if (isSo(result)) return { result, before: [...before] };
      before.add(typeof result === "string" ? result : "a reading");
      for (const error of errorsOf(result)) before.add(error);
    }
  };
  const untilRead = () => until((result) => typeof result === "object" && (result?.cards.length ?? 0) > 0);
  return { way, read, until, untilRead };
}

type Opened = ReturnType<typeof opened>;
type Result = Awaited<ReturnType<Opened["read"]>>;

/** The cards of a reading. */
function cardsOf(result: Result) {
  if (result === null || typeof result === "string") throw new Error(`no reading: ${result}`);
  return result.cards;
}

const errorsOf = (result: Result): readonly string[] =>
  result === null || typeof result === "string" ? [] : result.errors;

const xidsOf = (result: Result) => (result === null || typeof result === "string" ? [] : result.xids);

const isRead = (result: Result): boolean => typeof result === "object";

const isLate = (result: Result): boolean =>
  typeof result === "string" && result.startsWith("no answer from the driver");

/** Without what a busy machine may say at any time. */
const told = (words: readonly string[]) => words.filter((word) => !isLate(word));

test("cards are read in full, each cycle anew", async () => {
  const driver = new StubDriver(folder, "h100_x8");
  const { untilRead, until } = opened({ command: driver.with(HELPER) });
  const { result, before } = await untilRead();
  expect(cardsOf(result).map(({ row }) => row.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(before.filter((word) => word !== STARTING && told([word]).length > 0)).toEqual([]);
  driver.say("3 temperature 71");
  const next = await until((result) => isRead(result) && cardsOf(result)[3]?.row.temperature === 71);
  expect(cardsOf(next.result)[3]?.row).toMatchObject({ name: "NVIDIA H100 80GB HBM3", power_consumption: 631.95 });
  expect(cardsOf(next.result)[3]?.row.health?.ecc?.corrected_volatile).toBe(3);
});

test("a driver that takes its time to be initialized is waited for", async () => {
  const driver = new StubDriver(folder, "h100", "- hangs nvmlInit_v2 3");
  const { untilRead } = opened({ command: driver.with(HELPER) });
  const { before } = await untilRead();
  expect(told(before)).toEqual([STARTING]);
});

const FAULTS = [
  {
    line: "1 crashes nvmlDeviceGetPowerUsage 0",
    fault: "crashed",
    said: "the driver's library crashed (signal SIGSEGV)",
  },
  {
    line: "1 exits nvmlDeviceGetPowerUsage 3",
    fault: "crashed",
    said: "the process that reads it ended with status 3",
  },
  { line: "1 hangs nvmlDeviceGetPowerUsage 60", fault: "hung", said: "the driver's library has not answered for 2 s" },
] as const;
test.each(FAULTS)("$line: it is found and not asked any more, and all the rest is", async ({ line, fault, said }) => {
  const driver = new StubDriver(folder, "h100_x8");
  const { way, untilRead, until } = opened({ command: driver.with(HELPER) });
  await untilRead();
  expect(way.takeGivenUp()).toEqual([]);
  driver.say(line);
  const { result, before } = await until(
    (result) => isRead(result) && cardsOf(result)[1]?.row.power_consumption === null,
  );
  const words = told([...new Set([...before, ...errorsOf(result)])]);
  expect(words.filter((word) => word !== STARTING && word !== "a reading")).toEqual([said]);
  const [, card] = cardsOf(result);
  const functions = ["nvmlDeviceGetPowerUsage"];
  expect(way.takeGivenUp()).toEqual([{ fault, functions, card: card?.row.uuid ?? "", place: "GPU 1", extent: "call" }]);
  const verb = fault === "hung" ? "hangs" : "crashes";
  expect(
    cardsOf(result).map(({ row, lost }) => [row.power_consumption, row.temperature, row.detail["not asked"], lost]),
  ).toEqual(
    Array.from({ length: 8 }, (_, n) =>
      n === 1 ? [null, 59, `nvmlDeviceGetPowerUsage (${verb})`, null] : [631.95, 59, undefined, null],
    ),
  );
});

test("a driver that is slow to start a card: which call it is", async () => {
  const driver = new StubDriver(folder, "h100_x8", "2 hangs nvmlDeviceGetHandleByIndex_v2 3");
  const { untilRead } = opened({ command: driver.with(HELPER) });
  const { before } = await untilRead();
  expect(before.join("\n")).toMatch(/asked at \d\d:\d\d:\d\d \(nvmlDeviceGetHandleByIndex_v2 of GPU 2\)/);
});

test("what crashes from the start on is found in the first reading", async () => {
  const driver = new StubDriver(folder, "h100_x8", "1 crashes nvmlDeviceGetPowerUsage 0");
  const { way, untilRead } = opened({ command: driver.with(HELPER) });
  const { result, before } = await untilRead();
  const words = new Set(told([...before, ...errorsOf(result)]));
  expect([...words].filter((word) => word !== STARTING)).toEqual(["the driver's library crashed (signal SIGSEGV)"]);
  expect(way.takeGivenUp().map(({ functions, place, extent }) => [functions, place, extent])).toEqual([
    [["nvmlDeviceGetPowerUsage"], "GPU 1", "call"],
  ]);
  expect(cardsOf(result)[0]?.row.power_consumption).toBe(631.95);
});

test("MIG instances that cannot even be named are left out, and the card is read", async () => {
  const driver = new StubDriver(folder, "h100_mig", "0 crashes nvmlDeviceGetUUID 0 1");
  const { way, untilRead } = opened({ command: driver.with(HELPER) });
  const { result } = await untilRead();
  expect(cardsOf(result).map(({ lost, row }) => [lost, row.temperature, row.mig, row.detail["not asked"]])).toEqual([
    [null, 53, [], "nvmlDeviceGetUUID of any MIG instance (crashes)"],
  ]);
  expect(way.takeGivenUp().map(({ functions, place, extent }) => [functions, place, extent])).toEqual([
    [["nvmlDeviceGetUUID"], "GPU 0 MIG 0", "call"],
    [["nvmlDeviceGetUUID"], "GPU 0 MIG 1", "all instances"],
  ]);
});

test("a card of which every call crashes is given up, and the others are read", async () => {
  const driver = new StubDriver(folder, "h100_x8");
  const { untilRead, until } = opened({ command: driver.with(HELPER) });
  await untilRead();
  driver.say("2 crashes * 0");
  const { result } = await until((result) => isRead(result) && cardsOf(result)[2]?.lost !== null);
  expect(cardsOf(result).map(({ lost }) => lost)).toEqual(
    Array.from({ length: 8 }, (_, n) => (n === 2 ? "calls for it crash or hang" : null)),
  );
  expect(cardsOf(result)[2]?.row.detail["not asked"]).toMatch(/^everything: nvml\w+ \(crashes\)/);
  expect(cardsOf(result)[7]?.row.temperature).toBe(59);
});

test("a driver that is exchanged is said to be, and read again when it is whole", async () => {
  const driver = new StubDriver(folder, "h100");
  const { untilRead, until } = opened({ command: driver.with(HELPER) });
  await untilRead();
  driver.say("- returns * 18");
  const { result } = await until((result) => typeof result === "string" && told([result]).length > 0);
  expect(result).toContain("version");
  driver.say();
  expect(cardsOf((await untilRead()).result).length).toBe(1);
});

test("XIDs of a reading that came too late for its cycle are told in the next", async () => {
  const driver = new StubDriver(folder, "h100");
  const { untilRead, until, read } = opened({ command: driver.with(HELPER) });
  await untilRead();
  driver.say("0 hangs nvmlDeviceGetTemperature 0.5", "0 xid 31");
  await until(isLate);
  driver.say("0 xid 31");
  await Bun.sleep(1000);
  const { result } = await until((result) => isRead(result) && xidsOf(result).length > 0);
  expect(xidsOf(result).map(({ code }) => code)).toEqual([31]);
  expect(xidsOf(await read())).toEqual([]);
});

test("without a library there is nothing by this way; one that was named is missed aloud", async () => {
  const missing = ["env", "ALL_SMI_NVML=/does/not/exist.so", ...HELPER];
  const { until } = opened({ command: missing, isLibraryNamed: false });
  expect((await until((result) => result === null)).before).not.toContain("a reading");
  const named = opened({ command: missing });
  const { result } = await named.until((result) => result !== STARTING);
  expect(result).toStartWith("ALL_SMI_NVML: ");
});

test("where something else can be asked in place of a named library, it is, and is told why", async () => {
  const missing = ["env", "ALL_SMI_NVML=/does/not/exist.so", ...HELPER];
  const { until, way } = opened({ command: missing, hasStandIn: true });
  await until((result) => result === null);
  expect(way.unmet).toStartWith("ALL_SMI_NVML: ");
});

test("a library without a driver is no error on a machine without cards, and one on a machine with them", async () => {
  const driver = new StubDriver(folder, "h100", "- returns nvmlInit_v2 9");
  const without = opened({ command: driver.with(HELPER), isLibraryNamed: false, isExpected: false });
  const { result } = await without.until((result) => result !== STARTING);
  expect(result).toEqual({ cards: [], processes: [], xids: [], errors: [] });
  const withCards = opened({ command: driver.with(HELPER) });
  const answer = await withCards.until((result) => result !== STARTING);
  expect(answer.result).toStartWith("nvmlInit_v2: ");
});

test("a helper that has a fault of its own says so, and blames no function", async () => {
  const { until } = opened({ command: ["sh", "-c", "echo 'TypeError: x' >&2; exit 1"] });
  const { result } = await until((result) => result !== STARTING);
  expect(result).toBe("the process that reads it ended with status 1: TypeError: x");
});
