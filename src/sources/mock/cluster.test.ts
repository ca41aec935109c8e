import { describe, expect, test } from "bun:test";
import { ALL, readAt, START_MS } from "../../../test/mock.ts";
import type { FrameEvent } from "../../frame/schema.ts";
import type { Reading } from "../source.ts";
import { mockSource } from "./mock.ts";

const HOSTS = 3;
const GPUS = 4;

/** One round, second by second. */
function round(hosts: number, from_ms = START_MS): Reading[] {
  const source = mockSource({ hosts, gpus: GPUS, seed: 21, include: ALL, cpus: 8 });
  return Array.from({ length: 600 }, (_, s) => readAt(source, from_ms + s * 1000));
}

/** How often something begins in a row of readings. */
function beginnings(readings: Reading[], isOn: (reading: Reading) => boolean): number {
  return readings.filter((reading, i) => isOn(reading) && !(i > 0 && isOn(readings[i - 1] as Reading))).length;
}

describe("a round of a cluster", () => {
  const readings = round(HOSTS);
  const heard = readings.flatMap(({ events }): FrameEvent[] => events ?? []);

  test("a host stops answering, its devices are absent meanwhile, and it comes back", () => {
    const isDown = ({ scrapes = [] }: Reading) => scrapes.some((scrape) => !scrape.up);
    expect(beginnings(readings, isDown)).toBe(1);
    for (const reading of readings) {
      expect(reading.scrapes).toHaveLength(HOSTS);
      const down = reading.scrapes?.find((scrape) => !scrape.up);
      if (down === undefined) continue;
      expect(down).toMatchObject({ latency_ms: null, error: "timed out" });
      expect(reading.gpus).toHaveLength((HOSTS - 1) * GPUS);
      const hosts = ALL.flatMap((section) => (reading[section] ?? []).map((device) => device.host_id));
      expect(hosts).not.toContain(down.host);
    }
  });

  test("a GPU is lost: its row stays with nothing read, one XID is heard, and it comes back", () => {
    const isLost = ({ gpus = [] }: Reading) => gpus.some((gpu) => gpu.lost);
    expect(beginnings(readings, isLost)).toBe(1);
    const first = readings.find(isLost);
    const row = first?.gpus?.find((gpu) => gpu.lost);
    expect(row).toMatchObject({ utilization: null, temperature: null, used_memory: null, power_consumption: null });
    expect(row?.health).toBeNull();
    expect(first?.processes?.some((process) => process.device_uuid === row?.uuid)).toBeFalse();
    const xids = heard.filter((event) => event.text.startsWith("XID 79"));
    expect(xids).toMatchObject([{ kind: "xid", severity: "critical", device: row?.uuid, host: row?.host_id }]);
    expect(first?.events).toEqual(xids);
    expect(row?.lost?.since).toBe(xids[0]?.t as string);
  });

  test("a reader fails: an error that names its host, and that host's row is absent", () => {
    const failing = readings.filter(({ errors = [] }) => errors.length > 0);
    expect(beginnings(readings, ({ errors = [] }) => errors.length > 0)).toBe(1);
    for (const { errors = [], cpus = [], memory = [], chassis = [], storage = [] } of failing) {
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatch(/^(cpu|memory|chassis|storage)@mock-000[1-3]: /);
      expect(cpus.length + memory.length + chassis.length + storage.length / 2).toBe(HOSTS * 4 - 1);
    }
  });

  test("ECC errors and link errors count up by one incident", () => {
    const counted = (of: (health: NonNullable<NonNullable<Reading["gpus"]>[number]["health"]>) => number) => {
      const uuids = new Map<string, [number, number]>();
      for (const gpu of readings.flatMap(({ gpus = [] }) => gpus)) {
        if (!gpu.health) continue;
        const value = of(gpu.health);
        uuids.set(gpu.uuid, [uuids.get(gpu.uuid)?.[0] ?? value, value]);
      }
      return [...uuids.values()].map(([first, last]) => last - first).filter((rise) => rise !== 0);
    };
    expect(counted(({ ecc }) => ecc?.corrected_volatile ?? 0)).toEqual([2]);
    expect(counted(({ nvlink }) => (nvlink ?? []).reduce((sum, link) => sum + Number(link.crc_errors), 0))).toEqual([
      12,
    ]);
    expect(heard.filter((event) => event.text.startsWith("XID 74"))).toHaveLength(1);
  });
});

test("one host names no host in its errors and never goes away", () => {
  const readings = round(1);
  expect(readings.every(({ gpus }) => gpus?.length === GPUS)).toBeTrue();
  const errors = new Set(readings.flatMap((reading) => reading.errors ?? []));
  expect(errors.size).toBe(1);
  expect([...errors][0]).toMatch(/^(cpu|memory|chassis|storage): /);
});

test("nothing is heard of what happened before the first cycle, nor again after a step back", () => {
  const heard_s = round(HOSTS).findIndex(({ events = [] }) => events.length > 0);
  const events = (...offsets_s: number[]) => {
    const source = mockSource({ hosts: HOSTS, gpus: GPUS, seed: 21, include: ["gpus"] });
    return offsets_s.map((offset_s) => readAt(source, START_MS + (heard_s + offset_s) * 1000).events?.length);
  };
  expect(events(1, 2)).toEqual([0, 0]);
  expect(events(-1, 2, 1, 3)).toEqual([0, 1, 0, 0]);
  expect(events(-20, 20)).toEqual([0, 1]);
});
