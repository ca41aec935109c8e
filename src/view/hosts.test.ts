import { expect, test } from "bun:test";
import { mockFrames } from "../../test/screen.ts";
import type { Frame } from "../frame/frame.ts";
import { hostsOf } from "./hosts.ts";

const [first] = mockFrames({ hosts: 3, gpus: 2, frames: 1, interval_ms: 3000 });
if (first === undefined) throw new Error("no frame");
const frame: Frame = first;

test("each host has what is its own", () => {
  const hosts = hostsOf(frame);
  expect(hosts.map(({ name, gpus, cpus, memory }) => [name, gpus.length, cpus.length, memory.length])).toEqual([
    ["mock-0001", 2, 1, 1],
    ["mock-0002", 2, 1, 1],
    ["mock-0003", 2, 1, 1],
  ]);
  for (const host of hosts) {
    expect(host.processes.every(({ host_id }) => host_id === host.host_id)).toBe(true);
  }
});

test("a host that did not answer keeps its place, with the reason", () => {
  const lost = "mock-0002:9090";
  const isOther = ({ host_id }: { host_id: string }) => host_id !== lost;
  const scrapes = frame.scrapes?.map((scrape) =>
    scrape.host === lost ? { ...scrape, up: false, error: "timed out" } : scrape,
  );
  const hosts = hostsOf({ ...frame, scrapes: scrapes ?? [], gpus: frame.gpus?.filter(isOther) ?? [] });
  expect(hosts.map(({ downReason }) => downReason)).toEqual([null, "timed out", null]);
});

test("processes without a host belong to the one whose GPU they use", () => {
  const processes = (frame.processes ?? []).map(({ host_id: _, ...process }) => process);
  const hosts = hostsOf({ ...frame, processes });
  for (const { gpus, processes: own } of hosts) {
    const uuids = gpus.map(({ uuid }) => uuid);
    expect(own.every(({ device_uuid }) => uuids.includes(device_uuid))).toBe(true);
  }
  expect(hosts.flatMap(({ processes: own }) => own).length).toBe(processes.length);
});

test("devices stand by their numbers, where all have one", () => {
  const [own] = hostsOf(frame);
  const [gpu] = own?.gpus ?? [];
  if (gpu === undefined) throw new Error("no GPU");
  const { index: _, ...unnumbered } = gpu;
  const numbered = (index: string) => ({ ...unnumbered, uuid: index, detail: { index } });
  const order = (gpus: Frame["gpus"]) =>
    hostsOf({ ...frame, scrapes: [], gpus: gpus ?? [] })[0]?.gpus.map((g) => g.uuid);
  expect(order(["10", "2", "0"].map(numbered))).toEqual(["0", "2", "10"]);
  expect(order([{ ...numbered("0"), device_type: "NPU" }, numbered("1")])).toEqual(["1", "0"]);
  expect(order([numbered("1"), { ...numbered("0"), detail: {} }])).toEqual(["1", "0"]);
});

test("hosts of one name go by where they were asked", () => {
  const gpus = frame.gpus?.map((gpu) => ({ ...gpu, hostname: "node" })) ?? [];
  const hosts = hostsOf({ ...frame, scrapes: [], gpus, cpus: [], memory: [], chassis: [], storage: [] });
  expect(hosts.map(({ name }) => name)).toEqual(["mock-0001:9090", "mock-0002:9090", "mock-0003:9090"]);
});

test("a frame of nothing is of the machine that it names", () => {
  const hosts = hostsOf({ t_ms: 0, seq: 0, elapsed_ms: 0, source: "local", hostname: "dgx-01", errors: [] });
  expect(hosts.map(({ name }) => name)).toEqual(["dgx-01"]);
});
