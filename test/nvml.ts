import { dlopen, FFIType } from "bun:ffi";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { NvidiaCard, NvidiaReading } from "../src/sources/gpu/nvidia/card.ts";
import { Nvml } from "../src/sources/gpu/nvidia/nvml/nvml.ts";
import { NvmlReader } from "../src/sources/gpu/nvidia/nvml/reader.ts";
import { openSource } from "./nvml_compiled.ts";
import { STUB, StubDriver } from "./nvml_stub.ts";

export type Machine = "h100" | "h100_idle" | "h100_x8" | "h100_mig" | "rtx_4080";

/** Looks again until something holds; only a machine that stands still fails here. */
export async function until<T>(look: () => T | Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const end_ms = performance.now() + 60_000;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > end_ms) throw new Error(`this never came to hold: ${JSON.stringify(seen)}`);
    await Bun.sleep(5);
  }
}

/** A machine for the stub, in a folder of its own. */
export class Scenario extends StubDriver {
  constructor(machine: Machine, ...lines: readonly string[]) {
    super(mkdtempSync(join(tmpdir(), "nvml-")), machine, ...lines);
  }

  /** For a stub in this process, whose C library does not see what is put into `process.env`. */
  enterHere(): void {
    const { setenv } = dlopen("libc.so.6", {
      setenv: { args: [FFIType.cstring, FFIType.cstring, FFIType.i32], returns: FFIType.i32 },
    }).symbols;
    setenv(Buffer.from("ALL_SMI_NVML_STUB\0"), Buffer.from(`${this.path}\0`), 1);
  }

  [Symbol.dispose](): void {
    rmSync(dirname(this.path), { recursive: true, force: true });
  }
}

/** Any moment will do. */
export const START_MS = 1_000_000;

/** A reader in this process, with a clock that the test moves. */
export class Bench {
  readonly scenario: Scenario;
  /** Of the last cycle: functions, with the card that they were called for. */
  readonly calls: string[] = [];
  /** Functions that are not to be called. */
  readonly exclude = new Set<string>();
  readonly #reader: NvmlReader;
  now_ms = START_MS;

  constructor(machine: Machine, ...lines: readonly string[]) {
    this.scenario = new Scenario(machine, ...lines);
    this.scenario.enterHere();
    const nvml = new Nvml(openSource(STUB));
    nvml.initialize();
    nvml.configure({
      announce: (name, card) => this.calls.push(card === null ? name : `${name} ${card}`),
      exclude: this.exclude,
    });
    this.#reader = new NvmlReader(nvml);
  }

  /** One cycle, a second after the last. */
  read(): NvidiaReading {
    this.calls.length = 0;
    this.now_ms += 1000;
    const reading = this.#reader.read({ t_ms: Date.now(), monotonic_ms: this.now_ms });
    return { ...reading, cards: reading.cards.map(asItIsNow) };
  }

  row(n = 0) {
    const row = this.read().cards[n]?.row;
    if (!row) throw new Error(`there is no card ${n}`);
    return row;
  }

  [Symbol.dispose](): void {
    this.scenario[Symbol.dispose]();
  }
}

/** A card whose row does not change with the next reading; what is kept from one reading to the next is the same object. */
function asItIsNow(card: NvidiaCard): NvidiaCard {
  const { health } = card.row;
  if (!health) return { ...card, row: { ...card.row } };
  const { pcie, clocks } = health;
  return {
    ...card,
    row: {
      ...card.row,
      health: { ...health, ...(pcie && { pcie: { ...pcie } }), ...(clocks && { clocks: { ...clocks } }) },
    },
  };
}
