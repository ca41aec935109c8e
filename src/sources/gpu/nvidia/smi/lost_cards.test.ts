import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { H100, NvidiaSmiBench, PATIENCE_MS } from "../../../../../test/nvidia_smi_bench.ts";
import type { NvidiaReading } from "../card.ts";

setDefaultTimeout(2 * PATIENCE_MS);
/** At the period of the first readings. */
const SOME_ROUNDS_MS = 2500;
/** After so long without a word it is ended. */
const HUNG_MS = 11_000;

const eight = { ...H100, cards: 8 };
const three = { ...H100, cards: 3 };

let bench: NvidiaSmiBench;

beforeEach(() => {
  bench = new NvidiaSmiBench(H100);
});

afterEach(() => bench[Symbol.dispose]());

test.each([
  ["[GPU is lost]", "GPU is lost"],
  ["[GPU requires reset]", "GPU requires a reset"],
])("a card that is lost by %s stays, with what it was, and comes back", async (cell, reason) => {
  bench.play(eight);
  const before = (await bench.read()).cards[3];
  bench.play({ ...eight, lost: { 3: cell } });
  const { cards } = await bench.readUntil((reading) => reading.cards[3]?.lost !== null);
  expect(cards.map(({ lost }) => lost)).toEqual([null, null, null, reason, null, null, null, null]);
  const row = cards[3]?.row;
  expect(row).toMatchObject({
    uuid: before?.row.uuid,
    name: "NVIDIA H100 80GB HBM3",
    index: 3,
    detail: before?.row.detail,
  });
  expect(row).toMatchObject({
    used_memory: null,
    utilization: null,
    temperature: null,
    power_consumption: null,
    health: null,
  });
  bench.play(eight);
  await bench.readUntil((reading) => reading.cards[3]?.lost === null && reading.cards[3].row.utilization === 100);
});

test("a card that is lost so that an older nvidia-smi ends leaves the others readable", async () => {
  bench.play(eight);
  const before = (await bench.read()).cards[2];
  bench.play({ ...eight, unopened: "00000000:42:00.0" });
  const { cards } = await bench.readUntil((reading) => reading.cards[2]?.lost === "GPU is lost");
  expect(cards[2]?.row.uuid).toBe(before?.row.uuid ?? "");
  expect(cards.map(({ row }) => row.utilization)).toEqual([100, 100, null, 100, 100, 100, 100, 100]);
});

test("a card that is lost, and the only one, is told by its address", async () => {
  bench.play({ ...H100, unopened: "00000000:00:09.0" });
  const { cards } = await bench.read();
  expect(cards).toMatchObject([
    { pci: "0000:00:09.0", lost: "GPU is lost", row: { uuid: "0000:00:09.0", utilization: null } },
  ]);
});

const CANNOT_OPEN = "Unable to determine the device handle for";
/** How it calls the second of the cards. */
const SECOND_ONE: readonly (readonly [string])[] = [["GPU0000:41:00.0"], ["GPU1: 0000:41:00.0"], ["GPU1"]];

const inPlaceOf = (index: number, name: string) => ({ inPlace: { [index]: `${CANNOT_OPEN} ${name}: Unknown Error` } });

const reasons = ({ cards }: NvidiaReading) => cards.map(({ lost }) => lost);

test.each(SECOND_ONE)(
  "a card that cannot be opened as %s is one that is lost, each round, and comes back",
  async (name) => {
    bench.play(three);
    const before = (await bench.read()).cards[1];
    bench.play({ ...three, ...inPlaceOf(1, name) });
    await bench.readUntil((reading) => reading.cards[1]?.lost === "Unknown Error");
    for (const end_ms = Date.now() + SOME_ROUNDS_MS; Date.now() < end_ms; await Bun.sleep(50)) {
      const reading = await bench.read();
      expect(reasons(reading)).toEqual([null, "Unknown Error", null]);
      expect(reading.cards[1]?.row).toMatchObject({ uuid: before?.row.uuid ?? "", index: 1, temperature: null });
    }
    bench.play(three);
    const { cards } = await bench.readUntil((reading) => reading.cards[1]?.lost === null);
    expect(cards.map(({ row }) => row.temperature)).toEqual([59, 59, 59]);
    expect(reasons(await bench.read())).toEqual([null, null, null]);
  },
);

test.each([
  ["GPU0000:41:00.0", { pci: "0000:41:00.0", row: { uuid: "0000:41:00.0", index: null } }],
  ["GPU1", { pci: "", row: { uuid: "", index: 1 } }],
])("a card that was never read is one, as %s, and comes", async (name, card) => {
  bench.play({ ...three, ...inPlaceOf(1, name) });
  await bench.readUntil(({ cards }) => cards.length === 3);
  await Bun.sleep(SOME_ROUNDS_MS);
  const { cards } = await bench.read();
  expect(cards).toHaveLength(3);
  expect(cards.filter(({ lost }) => lost !== null)).toMatchObject([card]);
  bench.play(three);
  expect((await bench.readUntil((reading) => !reasons(reading).includes("Unknown Error"))).cards).toHaveLength(3);
});

test("a card that cannot be opened is told also where that is said once, at the start", async () => {
  bench.play({ ...three, ...inPlaceOf(1, "GPU0000:41:00.0"), saysOnce: true });
  await bench.readUntil(({ cards }) => cards.length === 3);
  await Bun.sleep(SOME_ROUNDS_MS);
  expect((await bench.read()).cards.filter(({ lost }) => lost !== null)).toHaveLength(1);
  bench.play(three);
  await bench.readUntil((reading) => !reasons(reading).includes("Unknown Error"));
});

test("a card is heard of after much else was said", async () => {
  bench.play(three);
  await bench.read();
  const noise = Array.from({ length: 30 }, (_, n) => `Warning ${n}`).join("\n");
  const { inPlace } = inPlaceOf(1, "GPU0000:41:00.0");
  bench.play({ ...three, inPlace: { 1: `${noise}\n${inPlace[1]}` } });
  await bench.readUntil((reading) => reading.cards[1]?.lost === "Unknown Error");
});

test("a machine of which no card can be opened is read on", async () => {
  await bench.read();
  bench.play({ ...H100, ...inPlaceOf(0, "GPU0000:00:09.0") });
  const { cards } = await bench.readUntil((reading) => reading.cards[0]?.lost === "Unknown Error");
  expect(cards).toMatchObject([{ row: { uuid: "GPU-00000000-0000-0000-0000-000000000000", temperature: null } }]);
  // Beside the one of another period that takes its place there may be one that is ending.
  const { pids } = bench;
  await Bun.sleep(HUNG_MS);
  expect(reasons(await bench.read())).toEqual(["Unknown Error"]);
  expect(pids).toEqual(expect.arrayContaining(bench.pids));
  bench.play(H100);
  await bench.readUntil((reading) => reading.cards[0]?.lost === null);
});

test("a card that is called by its number, and for which an older nvidia-smi ends, leaves the others readable", async () => {
  bench.play(eight);
  await bench.read();
  bench.play({ ...eight, unopened: "00000000:42:00.0", unopenedAs: "2" });
  const { cards } = await bench.readUntil(
    (reading) => reading.cards[2]?.lost === "GPU is lost" && reading.cards.length === 8,
  );
  expect(cards.map(({ row }) => row.utilization)).toEqual([100, 100, null, 100, 100, 100, 100, 100]);
});
