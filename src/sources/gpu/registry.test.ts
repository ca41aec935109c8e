import { expect, test } from "bun:test";
import type { Cycle } from "../source.ts";
import { GpuRegistry, pciAddress } from "./registry.ts";

const cycle: Cycle = { t_ms: 0, time: "", monotonic_ms: 0, wait_ms: 60_000, signal: new AbortController().signal };
const hasty: Cycle = { ...cycle, wait_ms: 2 };

const use = (device_uuid: string) => ({ device_id: 0, device_uuid, used_memory: 1, gpu_utilization: null });
const place = (pci: string, uuid: string) => ({ pci, uuid, index: 0 });

test("a process's use of several vendors' cards is put together", async () => {
  const registry = new GpuRegistry();
  registry.report("a", { cards: [], uses: new Map([[1, [use("A")]]]) });
  registry.report("b", {
    cards: [],
    uses: new Map([
      [1, [use("B")]],
      [2, [use("B")]],
    ]),
  });
  expect([...(await registry.uses(cycle))]).toEqual([
    [1, [use("A"), use("B")]],
    [2, [use("B")]],
  ]);
  registry.report("a", { cards: [], uses: new Map() });
  expect((await registry.uses(cycle)).get(1)).toEqual([use("B")]);
});

test("what is read now is waited for, but not for longer than half a cycle, and no failure is passed on", async () => {
  const registry = new GpuRegistry();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  registry.report("a", { cards: [], uses: new Map([[1, [use("old")]]]) });
  registry.began("a", promise);
  expect((await registry.uses(hasty)).get(1)).toEqual([use("old")]);
  const asked = registry.uses(cycle);
  registry.report("a", { cards: [], uses: new Map([[1, [use("new")]]]) });
  resolve();
  expect((await asked).get(1)).toEqual([use("new")]);
  reject(new Error("too late"));

  registry.began("a", Promise.reject(new Error("no driver")));
  expect((await registry.uses(cycle)).size).toBe(1);
});

test("a card is found by its PCI address in any spelling", () => {
  const registry = new GpuRegistry();
  const cards = [place("0000:06:00.0", "A"), place("0001:06:00.0", "B")];
  registry.report("a", { cards, uses: new Map() });
  registry.report("b", { cards: [place("0000:c1:00.0", "C")], uses: new Map() });
  for (const text of ["PCI:0000:06:00", "00000000:06:00.0", "0000:06:00.0", "06:00.0", " 0000:06:00 "]) {
    expect(registry.cardAt(text)?.uuid).toBe("A");
  }
  expect(registry.cardAt("00000001:06:00.0")?.uuid).toBe("B");
  expect(registry.cardAt("0000:C1:00.0")?.uuid).toBe("C");
  for (const text of ["0000:07:00.0", "06:00.1", "", "GPU-1", "0000:06:00.8", "1 0000:06:00.0"]) {
    expect(registry.cardAt(text)).toBeNull();
  }
  expect(pciAddress("123456:0:1F.7")).toBe("123456:00:1f.7");
});

test("an XID heard of twice within seconds is one; the last ones of a card are known", () => {
  const registry = new GpuRegistry();
  expect(registry.isNewXid("A", 79, 1_000_000)).toBe(true);
  expect(registry.isNewXid("A", 79, 1_004_000)).toBe(false);
  expect(registry.isNewXid("A", 79, 990_000)).toBe(false);
  expect(registry.isNewXid("A", 48, 1_004_000)).toBe(true);
  expect(registry.isNewXid("B", 79, 1_004_000)).toBe(true);
  expect(registry.isNewXid("A", 79, 1_015_000)).toBe(false);
  expect(registry.isNewXid("A", 79, 1_016_000)).toBe(true);
  // The log alone may have the words that make it worse.
  expect(registry.isNewXid("C", 149, 2_000_000)).toBe(true);
  expect(registry.isNewXid("C", 149, 2_001_000, "critical")).toBe(true);
  expect(registry.isNewXid("C", 149, 2_002_000, "critical")).toBe(false);
  expect(registry.isNewXid("C", 149, 2_003_000)).toBe(false);
  expect(registry.xidsSince("A", 1_016_000)).toEqual([79]);
  expect(registry.xidsSince("A", 1_004_000)).toEqual([79, 48]);
  expect(registry.xidsSince("D", 0)).toEqual([]);
});
