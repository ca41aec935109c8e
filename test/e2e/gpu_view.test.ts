import { expect } from "bun:test";
import { decodeLine } from "../../src/frame/decode.ts";
import { driverTest as test } from "../driver_test.ts";
import { StubDriver } from "../nvml_stub.ts";
import { GpuRecorder, isRead } from "./gpu_recorder.ts";
import { rootWithoutCards } from "./host_root.ts";
import { Pty } from "./pty.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();
const NO_OTHER_CARDS = ["--host-root", rootWithoutCards(folder)];

async function snapshot(driver: StubDriver, ...options: readonly string[]) {
  const { code, out, err } = await start(driver.with([...PROGRAM, "snapshot", ...NO_OTHER_CARDS, ...options])).ended;
  const line = decodeLine(out);
  if (line.kind !== "frame") throw new Error(`no frame: ${out}${err}`);
  return { code, frame: line.frame, err };
}

test("a snapshot waits for a driver that is started first, and has rates", async () => {
  const driver = new StubDriver(folder, "h100_x8", "- hangs nvmlInit_v2 0.7");
  const { code, frame } = await snapshot(driver, "--include", "gpu", "--timeout-ms", "60000");
  expect([code, frame.errors, frame.gpus?.length]).toEqual([0, [], 8]);
  expect(frame.gpus?.[7]).toMatchObject({ index: 7, utilization: 100 });
  expect(frame.gpus?.[7]?.health?.pcie?.rx_bytes_per_second).toBeGreaterThan(0);
});

test("a snapshot of a machine whose driver hangs has the rest of the machine, and says so", async () => {
  const driver = new StubDriver(folder, "h100_x8", "3 hangs nvmlDeviceGetPowerUsage 60");
  const { code, frame, err } = await snapshot(driver, "--include", "gpu,memory", "--timeout-ms", "1500");
  expect([code, frame.gpus, frame.memory?.length]).toEqual([0, [], 1]);
  expect(frame.errors.length).toBe(1);
  expect(frame.errors[0]).toMatch(
    /^nvidia: (no answer from the driver, asked at \d\d:\d\d:\d\d( \(nvml.*\))?|the driver is being initialized)$/,
  );
  expect(err).toContain(`all-smi: ${frame.errors[0]}\n`);
});

test("a snapshot with more time has all cards, but what hangs", async () => {
  const driver = new StubDriver(folder, "h100_x8", "3 hangs nvmlDeviceGetPowerUsage 600");
  const { code, frame } = await snapshot(driver, "--include", "gpu", "--timeout-ms", "60000");
  expect([code, frame.gpus?.map(({ power_consumption }) => power_consumption)]).toEqual([
    0,
    Array.from({ length: 8 }, (_, n) => (n === 3 ? null : 631.95)),
  ]);
  expect(frame.errors).toContain("nvidia: GPU 3: the driver hangs in nvmlDeviceGetPowerUsage; not asked any more");
  expect(frame.events?.map(({ kind }) => kind)).toEqual(["hang"]);
});

test("live view: cards, one that is lost, a driver that hangs, and the way out", async () => {
  const driver = new StubDriver(folder, "h100_x8");
  const pty = new Pty(
    driver.with([...PROGRAM, "view", "-i", "0.2", "--include", "gpu,cpu,memory", ...NO_OTHER_CARDS]),
    { rows: 50 },
  );
  await pty.untilText(/H100.*\n(.*\n)*.*100%/);
  driver.say("4 xid 79", "4 lost");
  await pty.untilText(/XID 79/);
  driver.say("0 hangs nvmlDeviceGetPowerUsage 60");
  await pty.untilText(/nvidia: /);
  pty.type("q");
  expect(await pty.exit()).toBe(0);
});

test("a recording of a lost card shows it lost, and n lands on the frame in which that began", async () => {
  const driver = new StubDriver(folder, "h100_x8");
  const recorder = new GpuRecorder(folder, driver);
  const { seq } = await recorder.untilRead();
  await recorder.until("some frames", (frame) => frame.seq >= seq + 5 && isRead(frame));
  driver.say("4 xid 79", "4 lost");
  await recorder.until("the loss", ({ gpus }) => Boolean(gpus?.[4]?.lost));
  const last = (await recorder.end()).at(-1);
  expect(last?.gpus?.[4]?.lost?.reason).toBe("XID 79: GPU has fallen off the bus");

  const pty = new Pty([...PROGRAM, "view", "--replay", recorder.path, "--paused"], { rows: 50 });
  await pty.untilText("H100");
  expect(pty.text).not.toContain("XID 79");
  pty.type("n");
  await pty.untilText(/XID 79/);
  pty.type("q");
  expect(await pty.exit()).toBe(0);
});
