import { afterAll, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cycleAt, HOST } from "../../../../test/fixtures/machines/cycle.ts";
import { GpuRegistry } from "../../gpu/registry.ts";
import type { Reading, Source } from "../../source.ts";
import { kernelLogSources } from "./source.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function emptyLog() {
  const root = mkdtempSync(join(tmpdir(), "all-smi-kmsg-"));
  folders.push(root);
  mkdirSync(join(root, "dev"));
  const path = join(root, "dev/kmsg");
  writeFileSync(path, "");
  const listen = (registry: GpuRegistry): Source => {
    const [source] = kernelLogSources({ root, host: HOST, registry });
    if (source === undefined) throw new Error("the log was not opened");
    return source;
  };
  return { path, listen };
}

const CARD = { pci: "0000:0a:00.0", uuid: "GPU-1", index: 0 };
const XID_31 = "NVRM: Xid (PCI:0000:0a:00): 31, pid=1, name=python3, Ch 8";

let sequence = 0;
const record = (message: string): string => `4,${++sequence},0,-;${message}\n`;
const oom = (pid: number) => record(`Out of memory: Killed process ${pid} (x) total-vm:1kB, anon-rss:1kB`);

const read = async (source: Source): Promise<Reading> => await source.read(cycleAt(0));

/** What is told until nothing waits any more, frame by frame. */
async function drained(source: Source): Promise<Reading[]> {
  const readings: Reading[] = [];
  while (readings.at(-1)?.errors?.length !== 0) {
    expect(readings.length).toBeLessThan(200);
    readings.push(await read(source));
  }
  return readings;
}

test("a flood: no more than so many records a cycle, so many events a frame; nothing is forgotten", async () => {
  const { path, listen } = emptyLog();
  const source = listen(new GpuRegistry());
  appendFileSync(path, Array.from({ length: 100 }, (_, pid) => oom(pid)).join(""));
  const flooded = await drained(source);
  expect(flooded.map(({ events }) => events?.length)).toEqual([32, 32, 32, 4]);
  expect(flooded[0]?.errors).toEqual(["kernel: 68 more events, told in the frames that follow"]);
  const texts = flooded.flatMap(({ events = [] }) => events.map(({ text }) => text));
  expect(texts.map((text) => Number(/\((\d+)\)/.exec(text)?.[1]))).toEqual(
    Array.from({ length: 100 }, (_, pid) => pid),
  );
  appendFileSync(path, record("NET: up").repeat(3000) + oom(1));
  let cycles = 0;
  for (let events = 0; events === 0 && cycles < 100; cycles++) events = (await read(source)).events?.length ?? 0;
  expect(cycles).toBeGreaterThan(1);
  expect(cycles).toBeLessThan(100);
  source.close?.();
});

test("in a flood what is graver comes first, and makes others go", async () => {
  const { path, listen } = emptyLog();
  const source = listen(new GpuRegistry());
  const warning = (pid: number) =>
    record(`NVRM: Xid (PCI:0000:${(pid % 250).toString(16).padStart(2, "0")}:00): ${31 + pid}, pid=${pid}`);
  appendFileSync(path, Array.from({ length: 2500 }, (_, pid) => warning(1000 + pid)).join(""));
  await read(source);
  await read(source);
  appendFileSync(path, oom(7));
  // The log has still more to read before it, some frames long.
  let frames = 0;
  for (let isTold = false; !isTold; frames++) {
    expect(frames).toBeLessThan(5);
    isTold = (await read(source)).events?.some(({ kind }) => kind === "oom") ?? false;
  }
  source.close?.();
});

test("more events than can wait are counted, and do not count as told", async () => {
  const { path, listen } = emptyLog();
  const registry = new GpuRegistry();
  registry.report("nvidia", { cards: [CARD], uses: new Map() });
  const source = listen(registry);
  appendFileSync(path, Array.from({ length: 2500 }, (_, pid) => oom(pid)).join("") + record(XID_31));
  const readings = await drained(source);
  const toldOf = readings.reduce((sum, { events = [] }) => sum + events.length, 0);
  const leftOut = readings
    .flatMap(({ errors = [] }) => errors)
    .flatMap((error) => {
      const count = /^kernel: too many events at once: (\d+) are left out$/.exec(error)?.[1];
      return count === undefined ? [] : [Number(count)];
    });
  expect(leftOut.length).toBeGreaterThan(0);
  expect(toldOf + leftOut.reduce((sum, count) => sum + count)).toBe(2501);
  expect(registry.isNewXid(CARD.uuid, 31, Date.now())).toBe(true);
  source.close?.();
});
