import { expect, test } from "bun:test";
import { ALL, frameOf, readAt, START_MS } from "../../../test/mock.ts";
import type { Reading } from "../source.ts";
import { type MockMachine, mockMachines, mockSource } from "./mock.ts";

const OPTIONS = { hosts: 3, gpus: 4, seed: 21, include: ALL, cpus: 16, processes: 70 };
const ROUND_S = 600;

const readMachine = (machine: MockMachine, t_ms: number): Reading =>
  machine.read({ t_ms, time: new Date(t_ms).toISOString().slice(0, 19).replace("T", " ") });

test("a machine tells of itself only, with every core and exactly the processes asked for", () => {
  for (const machine of mockMachines(OPTIONS)) {
    const reading = readMachine(machine, START_MS);
    expect(reading.scrapes).toBeUndefined();
    for (const section of ["gpus", "cpus", "memory", "chassis", "storage"] as const) {
      const hosts = new Set(reading[section]?.flatMap((device) => [device.host_id, device.hostname]));
      expect([section, ...hosts]).toEqual([section, machine.hostname]);
    }
    expect(reading.cpus?.[0]?.per_core_utilization).toHaveLength(16);
    expect(reading.processes).toHaveLength(70);
    expect(new Set(reading.processes?.map(({ pid }) => pid)).size).toBe(70);
    expect(reading.processes?.some(({ host_id }) => host_id !== undefined)).toBeFalse();
  }
});

test("its GPUs are those of the cluster", () => {
  const machines = mockMachines(OPTIONS);
  const cluster = readAt(mockSource(OPTIONS), START_MS);
  const values = ({ gpus = [] }: Reading) =>
    gpus.map(({ uuid, utilization, temperature }) => [uuid, utilization, temperature]);
  expect(machines.flatMap((machine) => values(readMachine(machine, START_MS)))).toEqual(values(cluster));
});

test("each hears what happens to its own GPUs, also where it is asked less often than the others", () => {
  const [first, ...others] = mockMachines(OPTIONS) as [MockMachine, ...MockMachine[]];
  const whole = mockSource(OPTIONS);
  const heard: string[] = [];
  const expected: string[] = [];
  for (let s = 0; s <= ROUND_S; s++) {
    const t_ms = START_MS + s * 1000;
    const asked = s % 10 === 0 ? [first, ...others] : others;
    for (const machine of asked) {
      for (const { host, text } of readMachine(machine, t_ms).events ?? []) {
        expect(host).toBe(machine.hostname);
        heard.push(`${host}: ${text}`);
      }
    }
    for (const { host, text } of readAt(whole, t_ms).events ?? []) expected.push(`${host.split(":")[0]}: ${text}`);
  }
  expect(expected.length).toBeGreaterThan(1);
  expect(heard.toSorted()).toEqual(expected.toSorted());
});

test("none is lost to the network, and a reader that fails says so without a host's name", () => {
  const machines = mockMachines(OPTIONS);
  const errors = new Set<string>();
  for (let s = 0; s < ROUND_S; s++) {
    for (const machine of machines) {
      const t_ms = START_MS + s * 1000;
      const frame = frameOf(readMachine(machine, t_ms), t_ms);
      expect(frame.gpus).toHaveLength(4);
      for (const error of frame.errors) errors.add(error);
    }
  }
  expect([...errors]).toHaveLength(1);
  expect([...errors][0]).toMatch(/^(cpu|memory|chassis|storage): /);
});
