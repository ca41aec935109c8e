import { expect } from "bun:test";
import { join } from "node:path";
import type { Frame } from "../../src/frame/frame.ts";
import { processState } from "../../src/sources/gpu/child.ts";
import { childrenOf } from "../child_processes.ts";
import { driverTest as test } from "../driver_test.ts";
import { StubDriver } from "../nvml_stub.ts";
import { GpuRecorder, isRead } from "./gpu_recorder.ts";
import { PROGRAM, start, testFolder, until } from "./run.ts";

const folder = testFolder();

const MIB = 2 ** 20;
const STARTING = "nvidia: the driver is being initialized";
const isLate = (error: string): boolean => /^nvidia: no answer from the driver, asked at \d\d:\d\d:\d\d/.test(error);

/** From the first frame with cards on, which errors there were, each once; without those of a busy machine. */
function errorsOf(frames: readonly Frame[]): string[] {
  const first = frames.findIndex(({ gpus }) => (gpus?.length ?? 0) > 0);
  const errors = new Set(frames.slice(first).flatMap(({ errors }) => errors));
  return [...errors].filter((error) => !isLate(error) && error !== STARTING && !error.startsWith("sampler: "));
}

/** Numbered without a hole, and none without the cards once they are known. */
function expectWhole(frames: readonly Frame[], cards: number): void {
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n));
  const first = frames.findIndex(({ gpus }) => (gpus?.length ?? 0) > 0);
  expect(frames.slice(first).filter(({ gpus }) => gpus?.length !== cards)).toEqual([]);
}

test("eight cards, and whose processes use them", async () => {
  const driver = new StubDriver(folder, "h100_x8", "* no_processes", `3 process ${process.pid} C 512 37`);
  const recorder = new GpuRecorder(folder, driver, "--include", "gpu,process");
  const ours = ({ processes }: Frame) => processes?.find(({ pid }) => pid === process.pid);
  const frame = await recorder.until("the process", (frame) => ours(frame)?.uses_gpu === true);
  expect(frame.gpus?.map(({ index, name }) => [index, name])).toEqual(
    Array.from({ length: 8 }, (_, index) => [index, "NVIDIA H100 80GB HBM3"]),
  );
  expect(ours(frame)).toMatchObject({
    ...{ device_id: 3, device_uuid: "GPU-00000003-0000-4000-8000-000000000003" },
    ...{ used_memory: 512 * MIB, gpu_utilization: 37, process_name: expect.stringContaining("bun") },
  });
  expect(errorsOf(await recorder.end())).toEqual([]);
});

test("MIG: instances stand below their card, whose own utilization is unknown", async () => {
  const recorder = new GpuRecorder(folder, new StubDriver(folder, "h100_mig"));
  const { gpus } = await recorder.untilRead();
  expect(gpus?.length).toBe(1);
  expect(gpus?.[0]?.utilization).toBeNull();
  expect(
    gpus?.[0]?.mig?.map(({ gpu_instance, profile, used_memory, total_memory }) => [
      ...[gpu_instance, profile, used_memory, total_memory],
    ]),
  ).toEqual([
    [2, "3g.40gb", 11_091 * MIB, 40_448 * MIB],
    [3, "2g.20gb", 17 * MIB, 20_096 * MIB],
    [9, "1g.10gb", 9 * MIB, 9984 * MIB],
    [10, "1g.10gb", 9 * MIB, 9984 * MIB],
  ]);
  expect(errorsOf(await recorder.end())).toEqual([]);
});

test("a card that falls off the bus is lost, with the XID, and is there again when it is back", async () => {
  const driver = new StubDriver(folder, "h100_x8");
  const recorder = new GpuRecorder(folder, driver);
  const { seq } = await recorder.untilRead();
  driver.say("5 xid 79", "5 lost");
  const gone = await recorder.until("the loss", ({ gpus }) => Boolean(gpus?.[5]?.lost), seq);
  const told = await recorder.until("the XID", ({ events }) => (events?.length ?? 0) > 0, seq);
  const after = await recorder.until("its reason", ({ gpus }) => gpus?.[5]?.lost?.reason.startsWith("XID") === true);
  driver.say();
  const back = await recorder.until("its return", ({ gpus }) => gpus?.[5]?.utilization === 100, after.seq);
  const frames = await recorder.end();

  const since = new Date(gone.t_ms).toISOString();
  expect(after.gpus?.[5]).toMatchObject({
    ...{ index: 5, name: "NVIDIA H100 80GB HBM3", total_memory: 81_559 * MIB },
    ...{ utilization: null, temperature: null, used_memory: null, power_consumption: null, health: null },
    lost: { since, reason: "XID 79: GPU has fallen off the bus" },
  });
  expect(told.events?.map(({ kind, severity, device, text }) => [kind, severity, device, text])).toEqual([
    ["xid", "critical", "GPU-00000005-0000-4000-8000-000000000005", "XID 79: GPU has fallen off the bus"],
  ]);
  expect(back.gpus?.[5]?.lost ?? null).toBeNull();
  expect(frames.flatMap(({ events }) => events ?? []).length).toBe(1);
  expectWhole(frames, 8);
  const others = frames.slice(seq).flatMap(({ gpus }) => gpus?.filter(({ index, lost }) => index !== 5 && lost) ?? []);
  expect(others).toEqual([]);

  const info = await start([...PROGRAM, "info", recorder.path]).ended;
  expect(info.out).toMatch(/^events .*1 gpu_lost/m);
  expect(info.out).toMatch(/^events .*1 xid/m);
});

const FAULTS = [
  {
    line: "1 hangs nvmlDeviceGetPowerUsage 60",
    lost: "the driver's library has not answered for 2 s",
    said: "the driver hangs in nvmlDeviceGetPowerUsage; not asked any more",
    note: "nvmlDeviceGetPowerUsage (hangs)",
  },
  {
    line: "1 crashes nvmlDeviceGetPowerUsage 0",
    lost: "the driver's library crashed (signal SIGSEGV)",
    said: "the driver's library crashes in nvmlDeviceGetPowerUsage; not asked any more",
    note: "nvmlDeviceGetPowerUsage (crashes)",
  },
];
test.each(FAULTS)("$line: frames go on, say why, and have all but that value again", async ({ line, ...words }) => {
  const driver = new StubDriver(folder, "h100_x8");
  const recorder = new GpuRecorder(folder, driver);
  const { seq } = await recorder.untilRead();
  driver.say(line);
  const isCured = (frame: Frame) =>
    isRead(frame) && frame.gpus?.[1]?.temperature === 59 && frame.gpus[1].power_consumption === null;
  const cured = await recorder.until("the rest", isCured, seq);
  const frames = await recorder.end();
  expect(errorsOf(frames)).toEqual([`nvidia: ${words.lost}`, `nvidia: GPU 1: ${words.said}`]);
  expectWhole(frames, 8);
  const mute = frames.find(({ errors }) => errors.some((error) => error.includes(words.lost)));
  expect(mute?.gpus?.map(({ index, name, utilization, lost }) => [index, name, utilization, lost ?? null])).toEqual(
    Array.from({ length: 8 }, (_, index) => [index, "NVIDIA H100 80GB HBM3", null, null]),
  );
  expect(cured.gpus?.map(({ power_consumption, detail }) => [power_consumption, detail["not asked"]])).toEqual(
    Array.from({ length: 8 }, (_, index) => (index === 1 ? [null, words.note] : [631.95, undefined])),
  );
  expect(frames.flatMap(({ events }) => events ?? []).map(({ t, host, ...event }) => event)).toEqual([
    {
      ...{ kind: "hang", severity: "critical", text: words.said },
      device: "GPU-00000001-0000-4000-8000-000000000001",
    },
  ]);
  const info = await start([...PROGRAM, "info", recorder.path]).ended;
  expect(info.out).toMatch(/^events .*1 hang/m);
});

test("what crashes before the first frame is told all the same, of each card for which it does", async () => {
  const name = "nvmlDeviceGetPowerUsage";
  const driver = new StubDriver(folder, "h100_x8", `1 crashes ${name} 0`, `5 crashes ${name} 0`);
  const recorder = new GpuRecorder(folder, driver);
  await recorder.until("the second card's", ({ errors }) => errors.some((error) => error.startsWith("nvidia: GPU 5")));
  await recorder.untilRead();
  const frames = await recorder.end();
  const crashes = `the driver's library crashes in ${name}`;
  const told = [`${crashes}; not asked any more`, `${crashes} of a second card; not asked any more of any`];
  expect(frames.flatMap(({ errors }) => errors.filter((error) => error.startsWith("nvidia: GPU ")))).toEqual([
    `nvidia: GPU 1: ${told[0]}`,
    `nvidia: GPU 5: ${told[1]}`,
  ]);
  const events = frames.flatMap(({ events }) => events ?? []);
  expect(events.map(({ kind, host, text }) => [kind, host, text])).toEqual(told.map((text) => ["hang", "h", text]));
});

test("a driver that answers nothing but that it does not support it yields rows of unknown values", async () => {
  const driver = new StubDriver(folder, "h100_x8", "* returns * 3", "* returns nvmlDeviceGetHandleByIndex_v2 0");
  const recorder = new GpuRecorder(folder, driver);
  const { gpus } = await recorder.untilRead();
  expect(gpus?.length).toBe(8);
  for (const gpu of gpus ?? []) {
    expect(gpu).toMatchObject({ utilization: null, temperature: null, used_memory: null, power_consumption: null });
    expect(gpu.lost ?? null).toBeNull();
  }
  expect(errorsOf(await recorder.end())).toEqual([]);
});

/** Not in drivers of some years ago. */
const NEWER = [
  ...["nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGpmSample"],
  ...["nvmlDeviceGetComputeRunningProcesses_v2", "nvmlGpmQueryDeviceSupport", "nvmlDeviceGetRemappedRows"],
  ...["nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetTemperatureV", "nvmlDeviceGetFieldValues"],
  ...["nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"],
];
test("an old driver's library, without newer functions, yields what it has", async () => {
  const driver = new StubDriver(folder, "h100", ...NEWER.map((name) => `without ${name}`));
  const recorder = new GpuRecorder(folder, driver, "--include", "gpu,process");
  const { gpus, processes } = await recorder.untilRead();
  expect(gpus?.[0]).toMatchObject({ utilization: 100, temperature: 59, power_consumption: 631.95 });
  expect(gpus?.[0]?.total_memory).toBe(81_559 * MIB);
  expect(gpus?.[0]?.health?.throttle).toEqual([]);
  expect(processes?.filter(({ uses_gpu }) => uses_gpu).map(({ used_memory }) => used_memory)).toEqual(
    [2566, 1542, 15_690].map((mib) => mib * MIB),
  );
  expect(errorsOf(await recorder.end())).toEqual([]);
});

test("counters that wrap make no number up", async () => {
  const driver = new StubDriver(
    folder,
    "h100",
    ...["0 pcie_counter_bits 32", "0 pcie_rx_bytes 4294000000+400000", "0 pcie_tx_bytes 100+1000"],
  );
  const recorder = new GpuRecorder(folder, driver);
  const { seq } = await recorder.untilRead();
  // By then it has wrapped, whatever was not recorded.
  await recorder.until("a few frames", (frame) => frame.seq >= seq + 8);
  const rates = (await recorder.end()).map(({ gpus }) => gpus?.[0]?.health?.pcie?.rx_bytes_per_second ?? null);
  expect(rates.filter((rate) => rate !== null).length).toBeGreaterThan(3);
  // A counter of 32 bits that is taken to have run round is a thousand times as much as there is.
  expect(rates.filter((rate) => rate !== null && (rate < 0 || rate > 2e9))).toEqual([]);
});

test("a driver that is started first is waited for, and the recording says so", async () => {
  const driver = new StubDriver(folder, "h100", "- hangs nvmlInit_v2 2");
  const recorder = new GpuRecorder(folder, driver);
  await recorder.until("the words", ({ errors }) => errors.includes(STARTING));
  expect((await recorder.untilRead()).gpus?.[0]?.utilization).toBe(100);
  const frames = await recorder.end();
  expect(frames.find(({ errors }) => errors.includes(STARTING))?.gpus).toEqual([]);
});

test("a machine without NVIDIA's cards has no child process, and no error", async () => {
  const machine = join(import.meta.dir, "../fixtures/machines/epyc-9654");
  const path = join(folder, "none.ndjson");
  const command = [...PROGRAM, "record", "-o", path, "-i", "0.2", "--keep-free", "0", "--include", "gpu"];
  const recorder = start(["env", "-u", "ALL_SMI_NVML", ...command, "--host-root", machine]);
  await until("three frames", async () => (await Bun.file(path).exists()) && lines(await Bun.file(path).text()) > 3);
  expect(childrenOf(recorder.child.pid)).toEqual([]);
  recorder.child.kill("SIGINT");
  expect((await recorder.ended).code).toBe(0);
  const text = await Bun.file(path).text();
  expect(text).toContain('"gpus":[]');
  expect(text).not.toContain("nvidia");
});

const lines = (text: string): number => text.split("\n").length - 1;

test("neither a recorder that ends nor one that is killed leaves a helper behind, even while that hangs", async () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const driver = new StubDriver(folder, "h100");
    const recorder = new GpuRecorder(folder, driver);
    await recorder.untilRead();
    const [helper] = childrenOf(recorder.pid);
    if (helper === undefined) throw new Error("no helper");
    driver.say("0 hangs nvmlDeviceGetPowerUsage 1.5");
    await recorder.until("a hang", ({ errors }) => errors.some(isLate));
    process.kill(recorder.pid, signal);
    await until("the helper's end", () => !isRunning(helper));
  }
});

const isRunning = (pid: number): boolean => !["Z", "X", null].includes(processState(pid));
