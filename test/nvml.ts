import { dlopen, FFIType } from "bun:ffi";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FIXTURES = join(import.meta.dir, "fixtures/nvml");

/** The library in C that stands in for NVIDIA's; `ALL_SMI_NVML` takes it. */
export const STUB = join(FIXTURES, "stub.c");

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

/** A machine for the stub, which a test can change while it runs. */
export class Scenario {
  readonly path: string;
  readonly #machine: Machine;
  readonly #folder = mkdtempSync(join(tmpdir(), "nvml-"));

  constructor(machine: Machine, ...lines: readonly string[]) {
    this.#machine = machine;
    this.path = join(this.#folder, "scenario.txt");
    this.set(...lines);
  }

  /** The machine with these lines in place of those before. */
  set(...lines: readonly string[]): void {
    const text = [`include ${join(FIXTURES, `${this.#machine}.txt`)}`, ...lines, ""].join("\n");
    writeFileSync(`${this.path}.new`, text);
    renameSync(`${this.path}.new`, this.path);
  }

  /** What a process needs to read it. */
  get environment(): Readonly<Record<string, string>> {
    return { ALL_SMI_NVML: STUB, ALL_SMI_NVML_STUB: this.path };
  }

  /** For a stub in this process, whose C library does not see what is put into `process.env`. */
  enterHere(): void {
    const { setenv } = dlopen("libc.so.6", {
      setenv: { args: [FFIType.cstring, FFIType.cstring, FFIType.i32], returns: FFIType.i32 },
    }).symbols;
    setenv(Buffer.from("ALL_SMI_NVML_STUB\0"), Buffer.from(`${this.path}\0`), 1);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
