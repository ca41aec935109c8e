import { expect, test } from "bun:test";
import type { Cycle, Reading } from "../../source.ts";
import { GpuRegistry } from "../registry.ts";
import type { NvidiaReading } from "./card.ts";
import { unknownRow } from "./nvml/row.ts";
import { nvidiaSource } from "./source.ts";
import { DriverHung, type GivenUp, type NvidiaWay } from "./way.ts";

const HOST = { host_id: "h", hostname: "h", instance: "h" };
const T_MS = Date.UTC(2026, 3, 18, 12);

const cycleAt = (monotonic_ms: number): Cycle => ({
  t_ms: T_MS + monotonic_ms,
  time: "2026-04-18 12:00:00",
  monotonic_ms,
  wait_ms: 10_000,
  signal: new AbortController().signal,
});

const UUID = "GPU-1";
const READING: NvidiaReading = {
  cards: [{ pci: "0000:06:00.0", lost: null, row: { ...unknownRow(UUID, 2), utilization: 50 } }],
  processes: [
    { pid: 7, uuid: UUID, used_memory: 5, utilization: 9 },
    { pid: 8, uuid: UUID, used_memory: null, utilization: null },
  ],
  xids: [{ uuid: UUID, code: 79, t_ms: T_MS }],
  errors: ["nvmlDeviceGetX: no"],
};

/** A way that says one after the other; the last one again and again. */
class ScriptedWay implements NvidiaWay {
  asked = 0;
  isClosed = false;
  unmet: string | null = null;
  givenUp: GivenUp[] = [];
  readonly #script: (NvidiaReading | Error | null)[];

  constructor(...script: (NvidiaReading | Error | null)[]) {
    this.#script = script;
  }

  async read(): Promise<NvidiaReading | null> {
    const said = this.#script[Math.min(this.asked++, this.#script.length - 1)] ?? null;
    if (said instanceof Error) throw said;
    return said;
  }

  takeGivenUp(): readonly GivenUp[] {
    return this.givenUp.splice(0);
  }

  close(): void {
    this.isClosed = true;
  }
}

function sourceOf(...ways: ScriptedWay[]) {
  const registry = new GpuRegistry();
  const presence = { isThere: true, hasDriver: false, asked: 0 };
  let opened = 0;
  const source = nvidiaSource({
    host: HOST,
    registry,
    mayHaveCards: () => {
      presence.asked++;
      return presence.isThere;
    },
    hasDriver: () => presence.hasDriver,
    names: { named: (card) => card },
    machineMemory: () => ({ used_memory: 7, total_memory: 9 }),
    ways: ways.map((way) => async () => {
      opened++;
      return way;
    }),
  });
  const read = async (monotonic_ms: number, how: Partial<Cycle> = {}): Promise<Reading> =>
    source.read({ ...cycleAt(monotonic_ms), ...how });
  return { source, registry, presence, read, opened: () => opened };
}

test("what is read is rows, events, errors, and whose processes use the cards", async () => {
  const { read, registry } = sourceOf(new ScriptedWay(READING));
  const reading = await read(0);
  expect(reading.gpus?.map(({ uuid, index, utilization, host_id }) => [uuid, index, utilization, host_id])).toEqual([
    [UUID, 2, 50, "h"],
  ]);
  expect(reading.errors).toEqual(["nvidia: nvmlDeviceGetX: no"]);
  expect(reading.events).toEqual([
    {
      kind: "xid",
      severity: "critical",
      t: new Date(T_MS).toISOString(),
      host: "h",
      device: UUID,
      text: "XID 79: GPU has fallen off the bus",
    },
  ]);
  expect([...(await registry.uses(cycleAt(0)))]).toEqual([
    [7, [{ device_id: 2, device_uuid: UUID, used_memory: 5, gpu_utilization: 9 }]],
    [8, [{ device_id: 2, device_uuid: UUID, used_memory: null, gpu_utilization: null }]],
  ]);
  expect(registry.cardAt("PCI:0000:06:00")).toEqual({ pci: "0000:06:00.0", uuid: UUID, index: 2 });
});

test("an XID that the kernel's log has told of is not told again, and still is the reason of a loss", async () => {
  const lost = { ...READING, cards: READING.cards.map((card) => ({ ...card, lost: "GPU is lost" })) };
  const { read, registry } = sourceOf(new ScriptedWay(lost));
  registry.isNewXid(UUID, 79, T_MS - 500);
  const reading = await read(0);
  expect(reading.events).toBeUndefined();
  expect(reading.gpus?.[0]?.lost?.reason).toBe("XID 79: GPU has fallen off the bus");
});

test("while nothing can be read, cards keep rows, without values and without processes", async () => {
  const { read, registry } = sourceOf(new ScriptedWay(READING, new Error("driver hung, pid 5"), READING));
  await read(0);
  const reading = await read(1000);
  expect(reading.errors).toEqual(["nvidia: driver hung, pid 5"]);
  expect(reading.gpus?.map(({ uuid, utilization, lost }) => [uuid, utilization, lost])).toEqual([
    [UUID, null, undefined],
  ]);
  expect((await registry.uses(cycleAt(1000))).size).toBe(0);
  expect(registry.cardAt("06:00.0")?.uuid).toBe(UUID);
  expect((await read(2000)).gpus?.[0]?.utilization).toBe(50);
});

test("what was given up is an error once, and an event of its card", async () => {
  const givenUp: GivenUp = { fault: "hung", functions: ["nvmlDeviceGetX"], card: UUID, place: null, extent: "call" };
  const way = new ScriptedWay(READING, new Error("no answer"), READING);
  const { read } = sourceOf(way);
  await read(0);
  way.givenUp = [givenUp];
  const { errors, events } = await read(1000);
  const text = "the driver hangs in nvmlDeviceGetX; not asked any more";
  expect(errors).toEqual([`nvidia: GPU 2: ${text}`, "nvidia: no answer"]);
  const t = new Date(T_MS + 1000).toISOString();
  expect(events).toEqual([{ kind: "hang", severity: "critical", t, host: "h", device: UUID, text }]);
  expect((await read(2000)).errors).toEqual(["nvidia: nvmlDeviceGetX: no"]);
});

test.each<[string, Partial<Cycle>]>([
  ["before the first frame", { isOnlyForRates: true }],
  ["after its cycle had closed", { signal: AbortSignal.abort() }],
])("what happened %s is told in the next one", async (_, how) => {
  const way = new ScriptedWay(READING, { ...READING, xids: [] });
  const { read } = sourceOf(way);
  way.givenUp = [
    { fault: "crashed", functions: ["nvmlDeviceGetX"], card: UUID, place: "GPU 2", extent: "call" },
    { fault: "crashed", functions: ["nvmlDeviceGetX"], card: "GPU-2", place: "GPU 3", extent: "all cards" },
  ];
  await read(0, how);
  const { errors, events } = await read(1000);
  const texts = [
    "the driver's library crashes in nvmlDeviceGetX; not asked any more",
    "the driver's library crashes in nvmlDeviceGetX of a second card; not asked any more of any",
  ] as const;
  expect(errors).toEqual([`nvidia: GPU 2: ${texts[0]}`, `nvidia: GPU 3: ${texts[1]}`, "nvidia: nvmlDeviceGetX: no"]);
  expect(events?.map(({ kind, host, device, text }) => [kind, host, device, text])).toEqual([
    ["xid", "h", UUID, "XID 79: GPU has fallen off the bus"],
    ["hang", "h", UUID, texts[0]],
    ["hang", "h", "GPU 3", texts[1]],
  ]);
  expect((await read(2000)).events).toBeUndefined();
});

test("what is in no frame under its UUID is called by its place in events, too", async () => {
  const way = new ScriptedWay(READING);
  const { read } = sourceOf(way);
  const what = { fault: "hung", functions: ["nvmlDeviceGetX"], extent: "call" } as const;
  way.givenUp = [
    { ...what, card: "MIG-1", place: "GPU 2 MIG 1" },
    { ...what, card: `${UUID} MIG 2`, place: "GPU 2 MIG 2" },
    { ...what, card: "GPU-9", place: "GPU 9" },
    { ...what, card: null, place: null },
  ];
  const hangs = (await read(0)).events?.filter(({ kind }) => kind === "hang");
  expect(hangs?.map(({ device }) => device)).toEqual(["GPU 2 MIG 1", "GPU 2 MIG 2", "GPU 9", null]);
});

test("the second way is taken, in the same cycle, where the first one leads to nothing", async () => {
  const first = new ScriptedWay(null);
  const second = new ScriptedWay(READING);
  const { source, read } = sourceOf(first, second);
  expect((await read(0)).gpus?.length).toBe(1);
  expect((await read(1000)).gpus?.length).toBe(1);
  expect([first.asked, first.isClosed, second.asked, second.isClosed]).toEqual([1, true, 2, false]);
  source.close?.();
  expect(second.isClosed).toBe(true);
});

test("a way that fails is not left for another: there is a driver", async () => {
  const first = new ScriptedWay(new Error("driver hung, pid 5"));
  const second = new ScriptedWay(READING);
  const { read } = sourceOf(first, second);
  for (const t_ms of [0, 1000]) expect(await read(t_ms)).toEqual({ gpus: [], errors: ["nvidia: driver hung, pid 5"] });
  expect(second.asked).toBe(0);
});

test("a machine without cards starts nothing, has no error, and is looked at again after ten minutes", async () => {
  const way = new ScriptedWay(READING);
  const { source, read, presence, opened } = sourceOf(way);
  expect(source.fromTwoReadings).toBe(true);
  presence.isThere = false;
  presence.asked = 0;
  for (const t_ms of [0, 1000, 599_000]) expect(await read(t_ms)).toEqual({ gpus: [] });
  expect([presence.asked, opened()]).toEqual([1, 0]);
  presence.isThere = true;
  expect((await read(600_000)).gpus?.length).toBe(1);
});

test("a machine on which no way leads to anything is left alone for ten minutes, too", async () => {
  const ways = [new ScriptedWay(null), new ScriptedWay(null)];
  const { read, opened } = sourceOf(...ways);
  for (const t_ms of [0, 1000, 599_000]) expect(await read(t_ms)).toEqual({ gpus: [] });
  expect([opened(), ...ways.map(({ isClosed }) => isClosed)]).toEqual([2, true, true]);
  await read(600_000);
  expect(opened()).toBe(4);
});

test("a process that is stuck in the driver is an event, once, and an error of each frame", async () => {
  const { read } = sourceOf(new ScriptedWay(new DriverHung(7), new DriverHung(7), READING, new DriverHung(9)));
  const [first, second, , other] = [await read(0), await read(1000), await read(2000), await read(3000)];
  expect([first.errors, second.errors]).toEqual([["nvidia: driver hung, pid 7"], ["nvidia: driver hung, pid 7"]]);
  const hang = { kind: "hang", severity: "critical", host: "h", device: null } as const;
  expect(first.events).toEqual([{ ...hang, t: new Date(T_MS).toISOString(), text: "driver hung, pid 7" }]);
  expect(second.events).toBeUndefined();
  expect(other.events).toMatchObject([{ ...hang, text: "driver hung, pid 9" }]);
});

test("what the user named and is not there is told with what is read instead, each time", async () => {
  const named = new ScriptedWay(null);
  named.unmet = "ALL_SMI_NVML: no such file";
  const { read } = sourceOf(named, new ScriptedWay(READING, new Error("nvidia-smi hangs")));
  const unmet = "nvidia: ALL_SMI_NVML: no such file; nvidia-smi is asked instead";
  expect((await read(0)).errors).toEqual([unmet, "nvidia: nvmlDeviceGetX: no"]);
  expect((await read(1000)).errors).toEqual([unmet, "nvidia: nvidia-smi hangs"]);
});

test("a driver that nothing can ask is an error of each frame, and is looked at again after a minute", async () => {
  const way = new ScriptedWay(null, null, READING);
  const { read, presence, opened } = sourceOf(way, new ScriptedWay(null));
  presence.hasDriver = true;
  const errors = ["nvidia: the driver is there, but neither its library nor nvidia-smi was found"];
  for (const t_ms of [0, 1000, 59_000, 60_000, 119_000]) expect(await read(t_ms)).toEqual({ gpus: [], errors });
  expect(opened()).toBe(4);
  expect(await read(120_000)).toMatchObject({ gpus: [{ uuid: UUID }], errors: ["nvidia: nvmlDeviceGetX: no"] });
});

test("a driver that is gone is no error any more", async () => {
  const { read, presence } = sourceOf(new ScriptedWay(null));
  presence.hasDriver = true;
  expect((await read(0)).errors).toHaveLength(1);
  presence.isThere = false;
  for (const t_ms of [60_000, 61_000]) expect(await read(t_ms)).toEqual({ gpus: [] });
});

test("nothing is opened once it is closed", async () => {
  const way = new ScriptedWay(READING);
  const { source, read } = sourceOf(way);
  source.close?.();
  expect(await read(0)).toEqual({ gpus: [] });
  expect(way.asked).toBe(0);
});
