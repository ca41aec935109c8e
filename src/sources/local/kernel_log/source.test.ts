import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cycleAt, HOST } from "../../../../test/fixtures/machines/cycle.ts";
import type { FrameEvent } from "../../../frame/schema.ts";
import { monotonic_ms } from "../../../libc.ts";
import { GpuRegistry } from "../../gpu/registry.ts";
import type { Reading, Source } from "../../source.ts";
import { KernelLog } from "./log.ts";
import { kernelLogSources } from "./source.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "all-smi-kmsg-"));
  folders.push(root);
  mkdirSync(join(root, "dev"));
  return root;
}

const CARD = { pci: "0000:0a:00.0", uuid: "GPU-1", index: 0 };
const XID_31 = "NVRM: Xid (PCI:0000:0a:00): 31, pid=1, name=python3, Ch 8";

let sequence = 0;
const record = (message: string, time_us = 0, level = 4): string => `${level},${++sequence},${time_us},-;${message}\n`;

function listen(root: string, registry = new GpuRegistry()): Source {
  const [source] = kernelLogSources({ root, host: HOST, registry });
  if (source === undefined) throw new Error("the log was not opened");
  return source;
}

/** A log that is a pipe, whose writer the test is. */
function pipe(): { root: string; say: (text: string) => void; close: () => void } {
  const root = newRoot();
  const path = join(root, "dev/kmsg");
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return { root, say: (text) => void writeSync(descriptor, text), close: () => closeSync(descriptor) };
}

const read = async (source: Source, at_ms = 0): Promise<Reading> => await source.read(cycleAt(at_ms));
const told = (reading: Reading): (FrameEvent["text"] | null)[][] =>
  (reading.events ?? []).map(({ kind, device, text }) => [kind, device, text]);

test("a pipe: several records at once, between them nothing", async () => {
  const log = pipe();
  const source = listen(log.root);
  expect(await read(source)).toEqual({ errors: [] });
  log.say(record("NET: up") + record(XID_31) + record("INFO: task cp:7 blocked for more than 122 seconds."));
  expect(told(await read(source))).toEqual([
    ["xid", "0000:0a:00.0", "XID 31: GPU memory page fault, python3 (1): Ch 8"],
    ["hang", null, "cp (7) waits in the kernel for more than 122 s"],
  ]);
  expect(await read(source)).toEqual({ errors: [] });
  source.close?.();
  log.close();
});

test("a record that comes in two pieces is one", async () => {
  const log = pipe();
  const source = listen(log.root);
  const text = record(XID_31);
  log.say(text.slice(0, 30));
  expect(await read(source)).toEqual({ errors: [] });
  log.say(text.slice(30));
  expect((await read(source)).events).toHaveLength(1);
  source.close?.();
  log.close();
});

test("a file: what is in it before is not read, what is added is", async () => {
  const root = newRoot();
  const path = join(root, "dev/kmsg");
  writeFileSync(path, record(XID_31));
  const source = listen(root);
  expect(await read(source)).toEqual({ errors: [] });
  appendFileSync(path, record(XID_31));
  expect((await read(source)).events).toHaveLength(1);
  source.close?.();
});

test("what programs write into the log is not the kernel's word", async () => {
  const log = pipe();
  const source = listen(log.root);
  log.say(record(XID_31, 0, 12) + record(XID_31, 0, 28));
  expect(await read(source)).toEqual({ errors: [] });
  source.close?.();
  log.close();
});

test("an event is named after the card, and not told twice where the driver's library told of it", async () => {
  const log = pipe();
  const registry = new GpuRegistry();
  registry.report("nvidia", { cards: [CARD], uses: new Map() });
  const source = listen(log.root, registry);
  log.say(record(XID_31) + record(XID_31));
  expect(told(await read(source)).map(([, device]) => device)).toEqual(["GPU-1"]);
  log.say(
    record("NVRM: Xid (PCI:0000:0a:00): 79, GPU has fallen off the bus.") +
      record("NVRM: GPU 0000:0a:00.0: GPU has fallen off the bus."),
  );
  expect(told(await read(source))).toEqual([["xid", "GPU-1", "XID 79: GPU has fallen off the bus"]]);
  expect(registry.isNewXid("GPU-1", 79, Date.now())).toBe(false);
  expect(registry.isNewXid("GPU-1", 48, Date.now())).toBe(true);
  log.say(record("NVRM: Xid (PCI:0000:0a:00): 48, DBE"));
  expect(await read(source)).toEqual({ errors: [] });
  source.close?.();
  log.close();
});

test("in the first cycle the card's name is waited for", async () => {
  const log = pipe();
  const registry = new GpuRegistry();
  const source = listen(log.root, registry);
  log.say(record(XID_31));
  const reading = read(source);
  // As a reader of cards that is asked after this source.
  const cards = Promise.resolve().then(() => registry.report("nvidia", { cards: [CARD], uses: new Map() }));
  registry.began("nvidia", cards);
  expect(told(await reading).map(([, device]) => device)).toEqual(["GPU-1"]);
  source.close?.();
  log.close();
});

test("an error of the port is that of the one card behind it", async () => {
  const log = pipe();
  const bus = join(log.root, "sys/bus/pci/devices");
  const devices = join(log.root, "sys/devices/pci0000:00");
  mkdirSync(join(devices, "0000:00:01.0/0000:09:00.0/0000:0a:00.0"), { recursive: true });
  mkdirSync(join(devices, "0000:00:01.0/0000:00:01.0:pcie001"));
  mkdirSync(bus, { recursive: true });
  symlinkSync("../../../devices/pci0000:00/0000:00:01.0", join(bus, "0000:00:01.0"));
  symlinkSync("../../../devices/pci0000:00/0000:00:01.0/0000:09:00.0", join(bus, "0000:09:00.0"));
  const registry = new GpuRegistry();
  registry.report("nvidia", { cards: [CARD], uses: new Map() });
  const source = listen(log.root, registry);
  const error = (port: string) =>
    record(`pcieport ${port}: PCIe Bus Error: severity=Corrected, type=Data Link Layer, (Receiver ID)`);
  log.say(error("0000:00:01.0") + error("0000:00:01.0") + error("0000:00:02.0"));
  expect(told(await read(source))).toEqual([
    ["aer", "GPU-1", "PCIe error, corrected, Data Link Layer (2 times)"],
    ["aer", "0000:00:02.0", "PCIe error, corrected, Data Link Layer"],
  ]);
  source.close?.();
  log.close();
});

test("the time of an event is that of its message, and within the cycle", async () => {
  const log = pipe();
  const opened_ms = Date.now();
  const source = listen(log.root);
  const now_us = Math.round((monotonic_ms() ?? 0) * 1000);
  log.say(record("INFO: task a:1 blocked for more than 122 seconds.", now_us));
  log.say(record("INFO: task b:2 blocked for more than 122 seconds.", 1));
  log.say(record("INFO: task c:3 blocked for more than 122 seconds.", now_us * 1000));
  while (Date.now() <= opened_ms + 1) await Bun.sleep(1);
  const { events = [] } = await read(source);
  const read_ms = Date.now();
  const timeOf = (name: string): number => Date.parse(events.find(({ text }) => text.startsWith(name))?.t ?? "");
  expect(timeOf("b")).toBeGreaterThanOrEqual(opened_ms);
  expect(timeOf("a")).toBeGreaterThanOrEqual(timeOf("b"));
  expect(timeOf("c")).toBeGreaterThanOrEqual(timeOf("a"));
  expect(timeOf("c")).toBeLessThanOrEqual(read_ms);
  // Of one from before the log was opened, and one from the future.
  expect(timeOf("b")).toBeLessThan(timeOf("c"));
  source.close?.();
  log.close();
});

test("messages that were overwritten before they were read are told by their number", async () => {
  const log = pipe();
  const source = listen(log.root);
  log.say(record("NET: up"));
  await read(source);
  sequence += 41;
  log.say(record("NET: up") + record("NET: down"));
  expect(await read(source)).toEqual({ errors: ["kernel: 41 messages were overwritten before they were read"] });
  log.say(record("NET: up"));
  expect(await read(source)).toEqual({ errors: [] });
  source.close?.();
  log.close();
});

test("a device that never ends and has no records in it keeps nobody waiting", async () => {
  const root = newRoot();
  symlinkSync("/dev/zero", join(root, "dev/kmsg"));
  const source = listen(root);
  expect(await read(source)).toEqual({ errors: [] });
  expect(await read(source)).toEqual({ errors: [] });
  source.close?.();
});

test("no log, or one that may not be read: no source", () => {
  const root = newRoot();
  expect(kernelLogSources({ root, host: HOST, registry: new GpuRegistry() })).toEqual([]);
  mkdirSync(join(root, "dev/kmsg"));
  expect(kernelLogSources({ root, host: HOST, registry: new GpuRegistry() })).toHaveLength(0);
});

const KMSG_DEVICE = (1 << 8) | 11;

/** It is the kernel's own, and programs may write there what is then to be read. */
function mayReadAndWrite(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
    const isTaken = readFileSync("/proc/sys/kernel/printk_devkmsg", "utf8").trim() !== "off";
    return isTaken && statSync(path).rdev === KMSG_DEVICE;
  } catch {
    return false;
  }
}

test.skipIf(!mayReadAndWrite("/dev/kmsg"))(
  "the kernel's own log can be read, and what a program writes there does not bear the kernel's mark",
  () => {
    const log = KernelLog.open("/dev/kmsg");
    // Other monitors read it, too: it must mean nothing to them.
    const message = `all-smi: a test was here (${process.pid})`;
    writeFileSync("/dev/kmsg", `<6>${message}\n`);
    const { records } = log?.read(10_000) ?? { records: [] };
    expect(records.filter((one) => one.message === message).map(({ isKernels }) => isKernels)).toEqual([false]);
    log?.close();
  },
);
