import { expect, test } from "bun:test";
import { gpuFields } from "../../../frame/schema.ts";
import type { Cycle } from "../../source.ts";
import { GpuRegistry } from "../registry.ts";
import type { NvidiaCard } from "./card.ts";
import { unknownRow } from "./nvml/row.ts";
import { CardRows } from "./rows.ts";

const HOST = { host_id: "h", hostname: "n", instance: "i" };
const T_MS = Date.UTC(2026, 3, 18, 12);

const cycle = (n: number): Cycle => ({
  t_ms: T_MS + n * 1000,
  time: `2026-04-18 12:00:0${n}`,
  monotonic_ms: n * 1000,
  wait_ms: 800,
  signal: new AbortController().signal,
});

const uuidOf = (n: number) => `GPU-0000000${n}`;
const pciOf = (n: number) => `0000:0${n}:00.0`;

const card = (n: number, index = n): NvidiaCard => ({
  pci: pciOf(n),
  lost: null,
  row: {
    ...unknownRow(uuidOf(n), index),
    name: "H100",
    utilization: 50 + n,
    total_memory: 80,
    used_memory: 40,
    temperature: 60,
    detail: { Brand: "Nvidia" },
    health: { throttle: [], fan_percent: 30 },
  },
});
/** As it comes from a helper that knew the card before. */
const lost = (n: number, reason = "GPU is lost"): NvidiaCard => ({
  pci: pciOf(n),
  lost: reason,
  row: unknownRow(uuidOf(n), n),
});
/** As it comes from one that did not. */
const mute = (index: number): NvidiaCard => ({ pci: "", lost: "GPU is lost", row: unknownRow(`GPU ${index}`, index) });

const opened = () => {
  const registry = new GpuRegistry();
  const rows = new CardRows(HOST, (uuid, t_ms) => registry.xidsSince(uuid, t_ms));
  const next = (cards: readonly NvidiaCard[], n: number) => {
    rows.update(cards, cycle(n));
    return rows.rows(cycle(n), true);
  };
  return { registry, rows, next };
};

test("keys stand in the schema's order, which is the quickest to encode", () => {
  const keys = Object.keys(opened().next([card(1)], 0)[0] ?? {});
  expect(keys).toEqual(Object.keys(gpuFields).filter((key) => keys.includes(key)));
  expect(keys).toContain("host_id");
});

test("cards are rows with host and time, in index order", () => {
  const { rows, next } = opened();
  const [first, second] = next([card(1), card(0)], 1);
  expect(first).toEqual({ ...card(0).row, ...HOST, time: "2026-04-18 12:00:01" });
  expect(second?.uuid).toBe(uuidOf(1));
  expect(rows.places).toEqual([0, 1].map((index) => ({ pci: pciOf(index), uuid: uuidOf(index), index })));
  expect(rows.indexOf(uuidOf(1))).toBe(1);
  expect(rows.indexOf("GPU-other")).toBeNull();
});

test("a card that was first known by its address only gets its index, and its place, when it answers", () => {
  const { next } = opened();
  const unnamed = { pci: pciOf(1), lost: "Unknown Error", row: unknownRow(pciOf(1), null) };
  expect(next([card(0), unnamed, card(2)], 0).map(({ index }) => index)).toEqual([0, 2, null]);
  const rows = next([card(0), card(1), card(2)], 1);
  expect(rows.map(({ uuid, index, lost }) => [uuid, index, lost])).toEqual(
    [0, 1, 2].map((n) => [uuidOf(n), n, undefined]),
  );
});

test("a lost card stays: who it is, when and why it was lost, and nothing that would have to be read", () => {
  const { next } = opened();
  next([card(0), card(1)], 0);
  const [alive, row] = next([card(0), lost(1)], 1);
  expect(alive?.utilization).toBe(50);
  expect(alive).not.toHaveProperty("lost");
  expect(row).toMatchObject({
    ...{ name: "H100", index: 1, total_memory: 80, detail: { Brand: "Nvidia" } },
    ...{ utilization: null, used_memory: null, temperature: null, health: null },
    lost: { since: "2026-04-18T12:00:01.000Z", reason: "GPU is lost" },
  });
  expect(next([card(0), lost(1)], 5)[1]?.lost?.since).toBe("2026-04-18T12:00:01.000Z");
  expect(next([card(0), card(1)], 6)[1]).toEqual({ ...card(1).row, ...HOST, time: "2026-04-18 12:00:06" });
  expect(next([card(0), lost(1)], 7)[1]?.lost?.since).toBe("2026-04-18T12:00:07.000Z");
});

test("the reason is the worst XID of the last minutes, also of one that is heard of a little later", () => {
  const { next, registry } = opened();
  registry.isNewXid(uuidOf(1), 48, T_MS - 400_000);
  registry.isNewXid(uuidOf(0), 48, T_MS);
  next([card(0), card(1)], 0);
  expect(next([card(0), lost(1)], 1)[1]?.lost?.reason).toBe("GPU is lost");
  registry.isNewXid(uuidOf(1), 154, T_MS + 1500);
  expect(next([card(0), lost(1)], 2)[1]?.lost?.reason).toBe("XID 154: GPU recovery action changed");
  registry.isNewXid(uuidOf(1), 79, T_MS + 1600);
  expect(next([card(0), lost(1)], 3)[1]?.lost?.reason).toBe("XID 79: GPU has fallen off the bus");
  registry.isNewXid(uuidOf(1), 45, T_MS + 70_000);
  expect(next([card(0), lost(1)], 90)[1]?.lost?.reason).toBe("XID 79: GPU has fallen off the bus");
});

test("a card that is not listed any more is lost; those counted anew keep their numbers", () => {
  const { rows, next } = opened();
  next([card(0), card(1), card(2)], 0);
  const later = next([card(0), card(2, 1)], 1);
  expect(later.map(({ uuid, index }) => [uuid, index])).toEqual([0, 1, 2].map((n) => [uuidOf(n), n]));
  expect(later.map(({ lost }) => lost?.reason)).toEqual([undefined, "the driver does not list it any more", undefined]);
  expect(rows.indexOf(uuidOf(2))).toBe(2);
  const added = next([card(0), card(2, 1), card(3, 2)], 2);
  expect(added.map(({ uuid, index }) => [uuid, index])).toEqual([0, 1, 2, 3].map((n) => [uuidOf(n), n]));
});

test("a card without a name is the one that was in its place, before and after", () => {
  const { next } = opened();
  next([card(0), card(1)], 0);
  const rows = next([card(0), mute(1)], 1);
  expect(rows.map(({ uuid, lost }) => [uuid, lost?.reason])).toEqual([
    [uuidOf(0), undefined],
    [uuidOf(1), "GPU is lost"],
  ]);
  const fresh = opened();
  expect(fresh.next([card(0), mute(1)], 0)[1]).toMatchObject({ uuid: "GPU 1", lost: { reason: "GPU is lost" } });
  expect(fresh.next([card(0), card(1)], 1).map(({ uuid, lost }) => [uuid, lost])).toEqual([
    [uuidOf(0), undefined],
    [uuidOf(1), undefined],
  ]);
});

test("another card in the place of a lost one is another card", () => {
  const { next } = opened();
  next([card(0)], 0);
  const other: NvidiaCard = { ...card(5, 0), pci: pciOf(0) };
  const rows = next([other], 1);
  expect(rows.map(({ uuid, index, lost }) => [uuid, index, lost !== undefined])).toEqual([
    [uuidOf(0), 0, true],
    [uuidOf(5), 1, false],
  ]);
});

test("while nobody can look, cards are there with nothing known, and not lost", () => {
  const { rows, next } = opened();
  const instance = { gpu_instance: 1, compute_instance: 0, uuid: "MIG-1", profile: "1g.10gb" };
  const mig = [{ ...instance, used_memory: 5, total_memory: 10, utilization: 7 }];
  next([{ ...card(0), row: { ...card(0).row, mig } }, lost(1)], 0);
  const [row, gone] = rows.rows(cycle(1), false);
  expect(row).toMatchObject({ uuid: uuidOf(0), utilization: null, used_memory: null, total_memory: 80, health: null });
  expect(row?.mig).toEqual([{ ...instance, used_memory: null, total_memory: 10, utilization: null }]);
  expect(row).not.toHaveProperty("lost");
  expect(gone?.lost?.reason).toBe("GPU is lost");
});

test("a card that is not asked any more keeps its details, and says which calls are why", () => {
  const { next } = opened();
  next([card(0)], 1);
  const skipped = lost(0);
  const said = { ...skipped, row: { ...skipped.row, detail: { "not asked": "everything: x (hangs)" } } };
  const detail = { Brand: "Nvidia", "not asked": "everything: x (hangs)" };
  for (const answer of [said, said, lost(0)]) expect(next([answer], 2)[0]?.detail).toEqual(detail);
  expect(next([card(0)], 3)[0]?.detail).toEqual({ Brand: "Nvidia" });
});
