import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { H100, NvidiaSmiBench, PATIENCE_MS } from "../../../../../test/nvidia_smi_bench.ts";
import { capturedCard } from "../../../../../test/nvidia_smi_capture.ts";
import { findNvidiaSmi } from "./find.ts";

setDefaultTimeout(2 * PATIENCE_MS);
const MIB = 1024 ** 2;
const NO_DRIVER = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";

let bench: NvidiaSmiBench;

beforeEach(() => {
  bench = new NvidiaSmiBench(H100);
});

afterEach(() => bench[Symbol.dispose]());

describe("what nvidia-smi tells of a machine", () => {
  test("is in the first reading: cards, and what stands beside them", async () => {
    const { cards, xids, errors } = await bench.read();
    expect(cards).toEqual([capturedCard("h100", "load")]);
    expect({ xids, errors }).toEqual({ xids: [], errors: [] });
  });

  test("has who uses the cards", async () => {
    const { processes } = await bench.read();
    const uuid = "GPU-00000000-0000-0000-0000-000000000000";
    expect(processes).toEqual([
      { pid: 11_327, uuid, used_memory: 2566 * MIB, utilization: null },
      { pid: 11_328, uuid, used_memory: 1542 * MIB, utilization: null },
      { pid: 11_345, uuid, used_memory: 15_690 * MIB, utilization: null },
    ]);
    bench.play({ ...H100, processes: false });
    expect((await bench.readUntil((reading) => reading.processes.length === 0)).cards).toHaveLength(1);
  });

  test("has MIG instances", async () => {
    bench.play({ capture: "h100-mig", moment: "load" });
    expect((await bench.read()).cards).toEqual([capturedCard("h100-mig", "load")]);
  });

  test("has no MIG instances where they cannot be listed", async () => {
    bench.play({ capture: "h100-mig", moment: "load", listFails: true });
    const [card] = (await bench.read()).cards;
    expect(card?.row).toMatchObject({ mig: null, detail: { mig_mode_current: "1" } });
  });

  test("has eight cards, and follows what they do", async () => {
    bench.play({ ...H100, cards: 8 });
    expect((await bench.read()).cards.map(({ row }) => [row.index, row.utilization])).toEqual(
      Array.from({ length: 8 }, (_, index) => [index, 100]),
    );
    bench.play({
      ...H100,
      cards: 8,
      values: { "utilization.gpu": "7", "clocks_event_reasons.active": "0x0000000000000040" },
    });
    const { cards } = await bench.readUntil((reading) => reading.cards[7]?.row.utilization === 7);
    expect(cards.map(({ row }) => row.health?.throttle)).toEqual(Array(8).fill(["thermal"]));
  });

  test("is asked by older names of an older version, and what that does not know is unknown", async () => {
    bench.play({ ...H100, older: true, values: { "clocks_event_reasons.active": "0x0000000000000004" } });
    const [card] = (await bench.read()).cards;
    expect(card?.row).toMatchObject({ temperature: 59, frequency: 1980, power_consumption: 631.95 });
    expect(card?.row.health).toMatchObject({ throttle: ["power"], encoder: null, remapped_rows: null });
  });

  test("is nothing where the driver has no card", async () => {
    bench.play({ ...H100, dies: "No devices were found" });
    expect((await bench.read()).cards).toEqual([]);
  });
});

describe("an nvidia-smi that does not do", () => {
  test.each([
    [NO_DRIVER, "the driver is not loaded"],
    ["Failed to initialize NVML: Driver/library version mismatch", "the driver was updated"],
    ["Segmentation fault", "nvidia-smi: Segmentation fault"],
  ])("and says %p is told of, and is read again once it does", async (words, sentence) => {
    bench.play({ ...H100, dies: words });
    await bench.failureUntil(new RegExp(`^${sentence}`));
    bench.play(H100);
    expect((await bench.readUntil(({ cards }) => cards.length > 0)).cards).toHaveLength(1);
  });

  test("and finds no driver where there is something to drive is told of", async () => {
    using here = new NvidiaSmiBench({ ...H100, dies: NO_DRIVER });
    await here.failureUntil(/^the driver is not loaded$/);
  });

  test("and finds no driver where there is nothing to drive has no cards, and is asked again much later", async () => {
    using here = new NvidiaSmiBench({ ...H100, dies: NO_DRIVER }, { isExpected: false });
    const nothing = { cards: [], processes: [], xids: [], errors: [] };
    expect(await here.read({ monotonic_ms: 0 })).toEqual(nothing);
    await here.ended();
    here.play(H100);
    expect(await here.read({ monotonic_ms: 599_999 })).toEqual(nothing);
    expect(here.pids).toEqual([]);
    expect((await here.read({ monotonic_ms: 600_000 })).cards).toHaveLength(1);
    here.play({ ...H100, dies: NO_DRIVER });
    await here.failureUntil(/^the driver is not loaded$/, { monotonic_ms: 601_000 });
  });

  test("and hangs is not heard with what it said before", async () => {
    await bench.read();
    bench.play({ ...H100, hangs: true });
    await bench.failureUntil(/^nvidia-smi printed nothing for \d+ s$/);
    bench.play(H100);
    await bench.readUntil(({ cards }) => cards.length === 1);
  });

  test("and prints garbage is not believed", async () => {
    await bench.read();
    bench.play({ ...H100, garbage: "\u0000\u001b[31m,,, 0, 0\n2026/07/14 08:12:38.696, 1\n" });
    await bench.failureUntil(/^nvidia-smi printed nothing for \d+ s$/);
  });

  test("and takes longer than a cycle says so", async () => {
    bench.play({ ...H100, hangs: true });
    await expect(bench.read({ wait_ms: 50 })).rejects.toThrow("nvidia-smi has not answered yet");
  });

  test("and does not know fields that its help tells of is asked without them, or by their older names", async () => {
    bench.play({ ...H100, refuses: ["utilization.jpeg", "clocks.current.sm"] });
    const [card] = (await bench.read()).cards;
    const before = capturedCard("h100", "load").row;
    expect(card?.row.health).toEqual({ ...before.health, jpeg: null });
    expect(card?.row.health?.clocks?.sm).toBe(before.health?.clocks?.sm);
  });

  test("and does not know fields any more that it was asked for is read on without them", async () => {
    expect((await bench.read()).cards[0]?.row.health?.jpeg).not.toBeNull();
    bench.play({ ...H100, dies: "Segmentation fault" });
    await bench.failureUntil(/Segmentation fault/);
    bench.play({ ...H100, refuses: ["utilization.jpeg"] });
    const { cards } = await bench.readUntil((reading) => reading.cards.length === 1);
    expect(cards[0]?.row.health?.jpeg).toBeNull();
  });

  test("and does not know what tells one card from another is not asked again and again", async () => {
    bench.play({ ...H100, refuses: ["uuid", "gpu_uuid"] });
    await bench.failureUntil(/does not tell what it can be asked for/);
    await bench.ended();
  });

  test("is not there: the next way is tried", () => {
    expect(findNvidiaSmi("/nonexistent", [])).toBeNull();
    expect(findNvidiaSmi("/nonexistent", [bench.path])).toBe(`${bench.path}/nvidia-smi`);
  });
});

test("closing ends every process", async () => {
  await bench.read();
  expect(bench.pids).not.toEqual([]);
  bench.way.close();
  await bench.ended();
});

test.skipIf(Bun.which("setpriv") === null)(
  "one that is killed leaves no process behind, not even a silent one",
  async () => {
    bench.play({ ...H100, processes: false });
    const source = `
    const { nvidiaSmiWay } = await import(${JSON.stringify(join(import.meta.dirname, "way.ts"))});
    const way = nvidiaSmiWay("", () => true);
    const signal = new AbortController().signal;
    await way.read({ t_ms: 0, time: "", monotonic_ms: 0, wait_ms: ${PATIENCE_MS}, signal });
    console.log("read");
    setInterval(() => {}, 1000);`;
    const reader = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe", env: { ...process.env } });
    try {
      for await (const text of reader.stdout.pipeThrough(new TextDecoderStream())) if (text.includes("read")) break;
      expect(bench.pids).not.toEqual([]);
    } finally {
      reader.kill("SIGKILL");
    }
    await bench.ended();
  },
);
