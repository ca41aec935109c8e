import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type FakeNvidiaSmi, fakeNvidiaSmi, type Script } from "../../../../../test/nvidia_smi.ts";
import { capturedCard } from "../../../../../test/nvidia_smi_capture.ts";
import type { Cycle } from "../../../source.ts";
import type { NvidiaReading } from "../card.ts";
import type { NvidiaWay } from "../way.ts";
import { findNvidiaSmi } from "./program.ts";
import { nvidiaSmiWay } from "./way.ts";

/** What a loaded machine may take for a thing that takes a moment. */
const PATIENCE_MS = 60_000;
setDefaultTimeout(2 * PATIENCE_MS);
const MIB = 1024 ** 2;

const H100: Script = { capture: "h100", moment: "load" };
const PATH = process.env.PATH ?? "";

let fake: FakeNvidiaSmi;
let way: NvidiaWay;

function play(script: Script): void {
  fake.play(script);
}

beforeEach(() => {
  fake = fakeNvidiaSmi(H100);
  process.env.PATH = `${fake.path}:${PATH}`;
  way = nvidiaSmiWay("/nonexistent");
});

afterEach(() => {
  way.close();
  process.env.PATH = PATH;
  fake[Symbol.dispose]();
});

const cycle = (wait_ms = PATIENCE_MS): Cycle => ({
  t_ms: Date.now(),
  time: "2026-07-14 08:12:53",
  monotonic_ms: performance.now(),
  wait_ms,
  signal: new AbortController().signal,
});

async function read(): Promise<NvidiaReading> {
  const reading = await way.read(cycle());
  if (reading === null) throw new Error("there is no nvidia-smi");
  return reading;
}

/** The first reading that is so; what cannot be read meanwhile is waited out. */
async function readUntil(isSo: (reading: NvidiaReading) => boolean): Promise<NvidiaReading> {
  for (const end_ms = Date.now() + PATIENCE_MS; Date.now() < end_ms; await Bun.sleep(50)) {
    const reading = await read().catch(() => null);
    if (reading !== null && isSo(reading)) return reading;
  }
  throw new Error("it never came so");
}

/** What is said of readings that fail, once that matches. */
async function failureUntil(pattern: RegExp): Promise<string> {
  let last = "";
  for (const end_ms = Date.now() + PATIENCE_MS; Date.now() < end_ms; await Bun.sleep(50)) {
    last = await read().then(
      () => "",
      (error: Error) => error.message,
    );
    if (pattern.test(last)) return last;
  }
  throw new Error(`at last it was said: ${last}`);
}

describe("what nvidia-smi tells of a machine", () => {
  test("is in the first reading: cards, and what stands beside them", async () => {
    const { cards, xids, errors } = await read();
    expect(cards).toEqual([capturedCard("h100", "load")]);
    expect({ xids, errors }).toEqual({ xids: [], errors: [] });
  });

  test("has who uses the cards", async () => {
    const { processes } = await read();
    const uuid = "GPU-00000000-0000-0000-0000-000000000000";
    expect(processes).toEqual([
      { pid: 11_327, uuid, used_memory: 2566 * MIB, utilization: null },
      { pid: 11_328, uuid, used_memory: 1542 * MIB, utilization: null },
      { pid: 11_345, uuid, used_memory: 15_690 * MIB, utilization: null },
    ]);
    play({ ...H100, processes: false });
    expect((await readUntil((reading) => reading.processes.length === 0)).cards).toHaveLength(1);
  });

  test("has MIG instances", async () => {
    play({ capture: "h100-mig", moment: "load" });
    expect((await read()).cards).toEqual([capturedCard("h100-mig", "load")]);
  });

  test("has eight cards, and follows what they do", async () => {
    play({ ...H100, cards: 8 });
    expect((await read()).cards.map(({ row }) => [row.index, row.utilization])).toEqual(
      Array.from({ length: 8 }, (_, index) => [index, 100]),
    );
    play({
      ...H100,
      cards: 8,
      values: { "utilization.gpu": "7", "clocks_event_reasons.active": "0x0000000000000040" },
    });
    const { cards } = await readUntil((reading) => reading.cards[7]?.row.utilization === 7);
    expect(cards.map(({ row }) => row.health?.throttle)).toEqual(Array(8).fill(["thermal"]));
  });

  test("is asked by older names of an older version, and what that does not know is unknown", async () => {
    play({ ...H100, older: true, values: { "clocks_event_reasons.active": "0x0000000000000004" } });
    const [card] = (await read()).cards;
    expect(card?.row).toMatchObject({ temperature: 59, frequency: 1980, power_consumption: 631.95 });
    expect(card?.row.health).toMatchObject({ throttle: ["power"], encoder: null, remapped_rows: null });
  });

  test("is nothing where the driver has no card", async () => {
    play({ ...H100, dies: "No devices were found" });
    expect((await read()).cards).toEqual([]);
  });
});

describe("a card that is lost", () => {
  const eight = { ...H100, cards: 8 };

  test.each([
    ["[GPU is lost]", "GPU is lost"],
    ["[GPU requires reset]", "GPU requires a reset"],
  ])("by %s stays, with what it was, and comes back", async (cell, reason) => {
    play(eight);
    const before = (await read()).cards[3];
    play({ ...eight, lost: { 3: cell } });
    const { cards } = await readUntil((reading) => reading.cards[3]?.lost !== null);
    expect(cards.map(({ lost }) => lost)).toEqual([null, null, null, reason, null, null, null, null]);
    const row = cards[3]?.row;
    expect(row).toMatchObject({
      uuid: before?.row.uuid,
      name: "NVIDIA H100 80GB HBM3",
      index: 3,
      detail: before?.row.detail,
    });
    expect(row).toMatchObject({
      used_memory: null,
      utilization: null,
      temperature: null,
      power_consumption: null,
      health: null,
    });
    play(eight);
    await readUntil((reading) => reading.cards[3]?.lost === null && reading.cards[3].row.utilization === 100);
  });

  test("so that an older nvidia-smi ends, leaves the others readable", async () => {
    play(eight);
    const before = (await read()).cards[2];
    play({ ...eight, unopened: "00000000:42:00.0" });
    const { cards } = await readUntil((reading) => reading.cards[2]?.lost === "GPU is lost");
    expect(cards[2]?.row.uuid).toBe(before?.row.uuid ?? "");
    expect(cards.map(({ row }) => row.utilization)).toEqual([100, 100, null, 100, 100, 100, 100, 100]);
  });

  test("and the only one is told by its address", async () => {
    play({ ...H100, unopened: "00000000:00:09.0" });
    const { cards } = await read();
    expect(cards).toMatchObject([
      { pci: "0000:00:09.0", lost: "GPU is lost", row: { uuid: "0000:00:09.0", utilization: null } },
    ]);
  });
});

describe("an nvidia-smi that does not do", () => {
  test.each([
    ["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "the driver is not loaded"],
    ["Failed to initialize NVML: Driver/library version mismatch", "the driver was updated"],
    ["Segmentation fault", "nvidia-smi: Segmentation fault"],
  ])("and says %p is told of, and is read again once it does", async (words, sentence) => {
    play({ ...H100, dies: words });
    await failureUntil(new RegExp(`^${sentence}`));
    play(H100);
    expect((await readUntil(({ cards }) => cards.length > 0)).cards).toHaveLength(1);
  });

  test("and hangs is not heard with what it said before", async () => {
    await read();
    play({ ...H100, hangs: true });
    await failureUntil(/^nvidia-smi printed nothing for \d+ s$/);
    play(H100);
    await readUntil(({ cards }) => cards.length === 1);
  });

  test("and prints garbage is not believed", async () => {
    await read();
    play({ ...H100, garbage: "\u0000\u001b[31m,,, 0, 0\n2026/07/14 08:12:38.696, 1\n" });
    await failureUntil(/^nvidia-smi printed nothing for \d+ s$/);
  });

  test("and takes longer than a cycle says so", async () => {
    play({ ...H100, hangs: true });
    await expect(way.read(cycle(50))).rejects.toThrow("nvidia-smi has not answered yet");
  });

  test("and does not know fields that its help tells of is asked without them, or by their older names", async () => {
    play({ ...H100, refuses: ["utilization.jpeg", "clocks.current.sm"] });
    const [card] = (await read()).cards;
    const before = capturedCard("h100", "load").row;
    expect(card?.row.health).toEqual({ ...before.health, jpeg: null });
    expect(card?.row.health?.clocks?.sm).toBe(before.health?.clocks?.sm);
  });

  test("and does not know fields any more that it was asked for is read on without them", async () => {
    expect((await read()).cards[0]?.row.health?.jpeg).not.toBeNull();
    play({ ...H100, dies: "Segmentation fault" });
    await failureUntil(/Segmentation fault/);
    play({ ...H100, refuses: ["utilization.jpeg"] });
    const { cards } = await readUntil((reading) => reading.cards.length === 1);
    expect(cards[0]?.row.health?.jpeg).toBeNull();
  });

  test("and does not know what tells one card from another is not asked again and again", async () => {
    play({ ...H100, refuses: ["uuid", "gpu_uuid"] });
    await failureUntil(/does not tell what it can be asked for/);
    while (processesOf(fake.path).length > 0) await Bun.sleep(20);
  });

  test("is not there: the next way is tried", () => {
    expect(findNvidiaSmi("/nonexistent", [])).toBeNull();
    expect(findNvidiaSmi("/nonexistent", [fake.path])).toBe(`${fake.path}/nvidia-smi`);
  });
});

test("closing ends every process", async () => {
  await read();
  expect(processesOf(fake.path)).not.toEqual([]);
  way.close();
  while (processesOf(fake.path).length > 0) await Bun.sleep(20);
});

test.skipIf(Bun.which("setpriv") === null)(
  "one that is killed leaves no process behind, not even a silent one",
  async () => {
    play({ ...H100, processes: false });
    const source = `
    const { nvidiaSmiWay } = await import(${JSON.stringify(join(import.meta.dirname, "way.ts"))});
    const way = nvidiaSmiWay("");
    const signal = new AbortController().signal;
    await way.read({ t_ms: 0, time: "", monotonic_ms: 0, wait_ms: ${PATIENCE_MS}, signal });
    console.log("read");
    setInterval(() => {}, 1000);`;
    const reader = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe", env: { ...process.env } });
    try {
      for await (const text of reader.stdout.pipeThrough(new TextDecoderStream())) if (text.includes("read")) break;
      expect(processesOf(fake.path)).not.toEqual([]);
    } finally {
      reader.kill("SIGKILL");
    }
    while (processesOf(fake.path).length > 0) await Bun.sleep(20);
  },
);

/** The processes in whose command line this stands. */
function processesOf(text: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}
