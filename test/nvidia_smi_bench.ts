import { readdirSync, readFileSync } from "node:fs";
import type { NvidiaReading } from "../src/sources/gpu/nvidia/card.ts";
import { nvidiaSmiWay } from "../src/sources/gpu/nvidia/smi/way.ts";
import type { NvidiaWay } from "../src/sources/gpu/nvidia/way.ts";
import type { Cycle } from "../src/sources/source.ts";
import { type FakeNvidiaSmi, fakeNvidiaSmi, type Script } from "./nvidia_smi.ts";

/** What a loaded machine may take for a thing that takes a moment. */
export const PATIENCE_MS = 60_000;

export const H100: Script = { capture: "h100", moment: "load" };

interface Options {
  readonly root?: string;
  readonly isExpected?: boolean;
}

/** An nvidia-smi that plays scripts, in front of `PATH` until this is disposed of, and who reads by it. */
export class NvidiaSmiBench implements Disposable {
  readonly way: NvidiaWay;
  readonly #fake: FakeNvidiaSmi;
  readonly #pathBefore = process.env.PATH ?? "";

  constructor(script: Script, { root = "/nonexistent", isExpected = true }: Options = {}) {
    this.#fake = fakeNvidiaSmi(script);
    process.env.PATH = `${this.#fake.path}:${this.#pathBefore}`;
    this.way = nvidiaSmiWay(root, () => isExpected);
  }

  /** The folder of the nvidia-smi. */
  get path(): string {
    return this.#fake.path;
  }

  play(script: Script): void {
    this.#fake.play(script);
  }

  async read(changes: Partial<Cycle> = {}): Promise<NvidiaReading> {
    const reading = await this.way.read({
      t_ms: Date.now(),
      time: "2026-07-14 08:12:53",
      monotonic_ms: performance.now(),
      wait_ms: PATIENCE_MS,
      signal: new AbortController().signal,
      ...changes,
    });
    if (reading === null) throw new Error("there is no nvidia-smi");
    return reading;
  }

  /** The first reading that is so; what cannot be read meanwhile is waited out. */
  async readUntil(isSo: (reading: NvidiaReading) => boolean): Promise<NvidiaReading> {
    for (const end_ms = Date.now() + PATIENCE_MS; Date.now() < end_ms; await Bun.sleep(50)) {
      const reading = await this.read().catch(() => null);
      if (reading !== null && isSo(reading)) return reading;
    }
    throw new Error("it never came so");
  }

  /** What is said of readings that fail, once that matches. */
  async failureUntil(pattern: RegExp, changes: Partial<Cycle> = {}): Promise<string> {
    let last = "";
    for (const end_ms = Date.now() + PATIENCE_MS; Date.now() < end_ms; await Bun.sleep(50)) {
      last = await this.read(changes).then(
        () => "",
        (error: Error) => error.message,
      );
      if (pattern.test(last)) return last;
    }
    throw new Error(`at last it was said: ${last}`);
  }

  /** The numbers of the processes in whose command line this nvidia-smi stands. */
  get pids(): string[] {
    return readdirSync("/proc").filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(this.path);
      } catch {
        return false;
      }
    });
  }

  async ended(): Promise<void> {
    while (this.pids.length > 0) await Bun.sleep(20);
  }

  [Symbol.dispose](): void {
    this.way.close();
    process.env.PATH = this.#pathBefore;
    this.#fake[Symbol.dispose]();
  }
}
