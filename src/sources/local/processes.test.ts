import { expect, test } from "bun:test";
import type { Process } from "../../frame/schema.ts";
import type { Source } from "../source.ts";
import { processSource } from "./processes.ts";

const root = `${import.meta.dir}/../../../test/fixtures/processes/hostile`;
const options = { root, limit: 100, command: "masked" } as const;

async function rowsOf(source: Source, monotonic_ms = 0): Promise<Process[]> {
  const { signal } = new AbortController();
  const reading = await source.read({ t_ms: 0, time: "", monotonic_ms, wait_ms: 800, signal });
  expect(reading.errors).toBeUndefined();
  return reading.processes ?? [];
}

async function readOnce(given: Parameters<typeof processSource>[0]): Promise<Process[]> {
  const source = processSource(given);
  try {
    return await rowsOf(source);
  } finally {
    source.close?.();
  }
}

const only = (rows: Process[], pid: number) => rows.find((row) => row.pid === pid);

test("what ended, is garbage or is no process is left out; everything else is there, by number", async () => {
  const rows = await readOnce(options);
  expect(rows.map(({ pid }) => pid)).toEqual([1, 2, 17, 18, 300, 301, 305, 306, 307]);
});

test("an ordinary process, in the frame's units", async () => {
  expect(only(await readOnce(options), 1)).toEqual({
    device_id: 0,
    device_uuid: "",
    pid: 1,
    process_name: "systemd",
    used_memory: 0,
    cpu_percent: null,
    memory_percent: 0,
    memory_rss: 208 * 65536,
    memory_vms: 173015040,
    user: "root",
    state: "S",
    start_time: "1769251434",
    cpu_time: 5,
    command: "/usr/lib/systemd/systemd --switched-root --system",
    ppid: 0,
    threads: 1,
    uses_gpu: false,
    priority: 20,
    nice_value: 0,
    gpu_utilization: 0,
  });
});

test("a hostile one: its name, its secrets, its bytes", async () => {
  expect(only(await readOnce(options), 300)).toMatchObject({
    process_name: "a) R 9 (b c",
    command: "./a) R 9 (b c --api-key ***  [2Jé€😀 \ufffd\ufffd https://me:***@h/x",
    state: "S",
    threads: 7,
    user: "mé",
    nice_value: 5,
    start_time: "1769251934",
    memory_percent: 0.3,
  });
});

test("kernel threads and zombies have no command line, but a name", async () => {
  const rows = await readOnce(options);
  expect(only(rows, 17)).toMatchObject({ command: "[kworker/0:1H-kblockd]", state: "I", nice_value: -20 });
  expect(only(rows, 18)).toMatchObject({ command: "[migration/3]", priority: -100 });
  expect(only(rows, 301)).toMatchObject({ command: "[defunct]", state: "Z", memory_rss: 0 });
});

test("what may not be read is unknown", async () => {
  const rows = await readOnce(options);
  expect(only(rows, 305)).toMatchObject({ user: "", command: "[hidden]", memory_rss: 5 * 65536 });
  expect(only(rows, 306)).toMatchObject({ user: "4242", command: "gdb target", state: "t" });
  expect(only(rows, 307)).toMatchObject({ user: "daemon", process_name: "é\ufffd ", command: "[é\ufffd ]" });
});

test("command lines in full, or not at all", async () => {
  expect(only(await readOnce({ ...options, command: "full" }), 300)?.command).toContain("--api-key two words");
  const rows = await readOnce({ ...options, command: "name" });
  expect(only(rows, 300)?.command).toBe("a) R 9 (b c");
  expect(only(rows, 1)?.command).toBe("systemd");
});

test("a limit keeps those that use most memory", async () => {
  const rows = await readOnce({ ...options, limit: 2 });
  expect(rows.map(({ pid }) => pid)).toEqual([1, 300]);
});

test("who uses a GPU is always there, once per GPU, also where /proc does not know it", async () => {
  const use = { device_id: 1, device_uuid: "GPU-1", used_memory: 1024, gpu_utilization: 50 };
  const other = { device_id: 3, device_uuid: "GPU-3", used_memory: null, gpu_utilization: null };
  const gpuUses = () =>
    new Map([
      [307, [use, other]],
      [99, [use]],
    ]);
  const rows = await readOnce({ ...options, limit: 4, gpuUses });
  expect(rows.map(({ pid, device_id, uses_gpu }) => [pid, device_id, uses_gpu])).toEqual([
    [99, 1, true],
    [307, 1, true],
    [307, 3, true],
    [300, 0, false],
  ]);
  expect(rows[0]).toMatchObject({ ...use, process_name: "", state: "?", memory_rss: null, cpu_time: null, ppid: null });
  expect(rows[1]).toMatchObject({ ...use, user: "daemon" });
  expect(rows[2]).toMatchObject(other);
  expect((await readOnce({ ...options, limit: 0, gpuUses })).map(({ pid }) => pid)).toEqual([99, 307, 307]);
});

test("a machine without /proc is an error", async () => {
  await expect(readOnce({ ...options, root: `${root}/nowhere` })).rejects.toThrow("ENOENT");
});
