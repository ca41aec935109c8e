import { afterEach, expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { driverTest as test } from "../../../../../test/driver_test.ts";
import { Scenario, until } from "../../../../../test/nvml.ts";
import { type Answer, applyChanges, type Calling, type HelperMessage, type ReadRequest } from "./messages.ts";

const HELPER = join(import.meta.dir, "helper.ts");

/** The helper as a process, with all that it said. */
class Helper {
  readonly said: HelperMessage[] = [];
  readonly process: ReturnType<typeof this.spawn>;
  /** Ends when all that it wrote has been read. */
  readonly wrote: Promise<void>;
  #request = 0;
  #written = "";

  constructor(environment: Readonly<Record<string, string>>, cwd: string) {
    this.process = this.spawn(environment, cwd);
    this.wrote = this.#listen();
  }

  spawn(environment: Readonly<Record<string, string>>, cwd: string) {
    return Bun.spawn([process.execPath, HELPER], {
      cwd,
      env: { ...process.env, ...environment },
      ipc: (message: HelperMessage) => this.said.push(message),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
  }

  ask(request: Omit<ReadRequest, "read"> = {}): number {
    this.process.send({ read: ++this.#request, ...request } satisfies ReadRequest);
    return this.#request;
  }

  hears<T extends HelperMessage>(is: (message: HelperMessage) => message is T): Promise<T | undefined> {
    return until(
      () => this.said.find(is),
      (message) => message !== undefined,
    );
  }

  async read(request: Omit<ReadRequest, "read"> = {}): Promise<Answer> {
    const number = this.ask(request);
    const isAnswer = (message: HelperMessage): message is Answer => "answer" in message && message.answer === number;
    const answer = await this.hears(isAnswer);
    return answer as Answer;
  }

  get calls(): Calling[] {
    const lines = this.#written.split("\n").slice(0, -1);
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.process.stdout) this.#written += decoder.decode(chunk);
  }
}

const started: Helper[] = [];

function start(environment: Readonly<Record<string, string>>, cwd = process.cwd()): Helper {
  const helper = new Helper(environment, cwd);
  started.push(helper);
  return helper;
}

afterEach(() => {
  for (const helper of started.splice(0)) helper.process.kill("SIGKILL");
});

test("is ready, answers, and then sends what changed", async () => {
  using scenario = new Scenario("h100_x8");
  const helper = start(scenario.env);
  const first = await helper.read();
  expect(helper.said[0]).toEqual({ ready: true });
  const whole = applyChanges([], first.cards);
  expect(whole).toHaveLength(8);
  expect(whole[2]?.row).toMatchObject({ name: "NVIDIA H100 80GB HBM3", temperature: 59, index: 2 });
  scenario.say("2 temperature 71");
  let cards = whole;
  const answer = await until(
    async () => {
      const next = await helper.read();
      cards = applyChanges(cards, next.cards);
      return next;
    },
    () => cards[2]?.row.temperature === 71,
  );
  expect(first.processes).toHaveLength(24);
  expect(answer).not.toHaveProperty("processes");
  expect(answer.cards[2]?.row).not.toHaveProperty("name");
  expect(answer.cards[2]?.row).not.toHaveProperty("detail");
  expect(cards[2]?.row).toMatchObject({ name: "NVIDIA H100 80GB HBM3", detail: { Brand: "Nvidia" }, utilization: 100 });
  expect(cards[2]?.row.health).toMatchObject({ power_limit_watts: 700, memory_temperature: 54 });
  expect(JSON.stringify(answer.cards).length).toBeLessThan(JSON.stringify(first.cards).length / 4);
});

test("ends when its parent is gone", async () => {
  using scenario = new Scenario("h100");
  const helper = start(scenario.env);
  await helper.read();
  helper.process.disconnect();
  expect(await helper.process.exited).toBe(0);
});

/** Starts a helper, says its number, and asks it; what it announces is heard, too. */
const PARENT = `
  const helper = Bun.spawn([process.execPath, process.argv[1]], {
    ipc() {}, stdin: "ignore", stdout: "inherit", stderr: "ignore",
  });
  console.log(helper.pid);
  helper.send({ read: 1, careful: true });
`;

async function untilSaid(output: ReadableStream<Uint8Array>, words: string): Promise<string> {
  let said = "";
  const decoder = new TextDecoder();
  for await (const part of output) {
    said += decoder.decode(part, { stream: true });
    if (said.includes(words)) break;
  }
  return said;
}

/** `Z` where nobody has asked yet how it ended. */
const isOver = (pid: number): boolean => {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
};

test.skipIf(process.platform !== "linux")(
  "ends in the midst of a call that hangs when its parent is killed",
  async () => {
    using scenario = new Scenario("h100", "0 hangs nvmlDeviceGetPowerUsage 600");
    const env = { ...process.env, ...scenario.env };
    const parent = Bun.spawn([process.execPath, "-e", PARENT, HELPER], { env, stdout: "pipe", stdin: "ignore" });
    const pid = Number.parseInt(await untilSaid(parent.stdout, "nvmlDeviceGetPowerUsage"), 10);
    expect(isOver(pid)).toBe(false);
    parent.kill("SIGKILL");
    expect(
      await until(
        () => isOver(pid),
        (over) => over,
      ),
    ).toBe(true);
  },
);

test("no library is loaded from the folder one stands in", async () => {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-nvml-"));
  writeFileSync(join(folder, "libnvidia-ml.so.1"), "not one of the driver's");
  const helper = start({ ALL_SMI_NVML: "" }, folder);
  const message = await helper.hears((one) => "unavailable" in one || "ready" in one);
  expect(JSON.stringify(message)).not.toContain(folder);
  rmSync(folder, { recursive: true });
});

test("says why there is nothing to read, and waits for its end", async () => {
  const missing = start({ ALL_SMI_NVML: "/nowhere/libnvidia-ml.so.1" });
  const nothing = await missing.hears((message) => "unavailable" in message);
  expect(nothing).toMatchObject({ unavailable: "no_library" });
  expect(nothing?.reason).toMatch(/^ALL_SMI_NVML: .*\/nowhere\/libnvidia-ml\.so\.1/);
  expect(missing.process.exitCode).toBeNull();
  missing.process.disconnect();
  expect(await missing.process.exited).toBe(0);
});

for (const [code, kind, reason] of [
  [9, "no_driver", "nvmlInit_v2: the NVIDIA driver is not loaded"],
  [18, "version_mismatch", "nvmlInit_v2: the library and the loaded driver are of different versions"],
  [4, "no_permission", "nvmlInit_v2: no permission"],
  [999, "failed", "nvmlInit_v2: unknown error"],
] as const) {
  test(`a library that cannot be initialized: ${kind}`, async () => {
    using scenario = new Scenario("h100", `- returns nvmlInit_v2 ${code}`);
    const helper = start(scenario.env);
    expect(await helper.hears((message) => "unavailable" in message)).toEqual({ unavailable: kind, reason });
    helper.process.disconnect();
    expect(await helper.process.exited).toBe(0);
  });
}

test("a driver that is unloaded between two readings", async () => {
  using scenario = new Scenario("h100");
  const helper = start(scenario.env);
  await helper.read();
  scenario.say("* returns nvmlDeviceGetTemperature 9");
  const gone = await until(
    () => {
      helper.ask();
      return helper.said.find((message) => "unavailable" in message);
    },
    (message) => message !== undefined,
  );
  expect(gone).toMatchObject({ unavailable: "no_driver" });
});

test("in a careful reading a crash has a name, and is avoided by excluding the function", async () => {
  using scenario = new Scenario("h100_x8", "5 crashes nvmlDeviceGetPerformanceState -");
  const helper = start(scenario.env);
  helper.ask({ careful: true });
  await helper.process.exited;
  expect(helper.process.signalCode).toBe("SIGSEGV");
  await helper.wrote;
  expect(helper.calls.at(-1)).toEqual({
    read: 1,
    calling: "nvmlDeviceGetPerformanceState",
    card: "GPU-00000005-0000-4000-8000-000000000005",
  });
  const next = start(scenario.env);
  const { cards } = await next.read({ exclude: ["nvmlDeviceGetPerformanceState"] });
  expect(cards).toHaveLength(8);
  expect(cards[5]?.row).toMatchObject({ performance_state: null, temperature: 59 });
});

test("a call that hangs is the last that was announced", async () => {
  using scenario = new Scenario("h100", "0 hangs nvmlDeviceGetPowerUsage 600");
  const helper = start(scenario.env);
  helper.ask({ careful: true });
  await until(
    () => helper.calls.at(-1)?.calling,
    (call) => call === "nvmlDeviceGetPowerUsage",
  );
  helper.process.kill("SIGKILL");
  await helper.wrote;
  expect(helper.calls.at(-1)?.calling).toBe("nvmlDeviceGetPowerUsage");
});

test("a reading that is not careful announces what starts cards, and what comes after it", async () => {
  using scenario = new Scenario("h100");
  const helper = start(scenario.env);
  await helper.read();
  await helper.read();
  helper.process.kill("SIGKILL");
  await helper.wrote;
  const { calls } = helper;
  expect(calls[0]).toEqual({ read: 1, calling: "nvmlDeviceGetHandleByIndex_v2", card: "GPU 0" });
  expect(calls.map(({ calling }) => calling)).toContain("nvmlDeviceGetPowerUsage");
  expect(calls.filter(({ read }) => read !== 1)).toEqual([]);
});
