import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FIXTURES = join(import.meta.dir, "fixtures/nvml");

/** The library in C that stands in for NVIDIA's. */
export const STUB = join(FIXTURES, "stub.c");

/** What makes a library of it that a driver's helper can load; `null`: this machine has none. */
export const C_COMPILER = Bun.which("cc");

/** A scenario with those that it includes. */
function expanded(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const included = /^include (.+)$/.exec(line)?.[1];
      return included ? expanded(join(dirname(path), included)) : [line];
    });
}

/** The stub as a shared object, without the functions named; one for each set of them in a folder. */
function sharedObject(folder: string, without: readonly string[]): string {
  if (C_COMPILER === null) throw new Error("the stub of NVIDIA's library needs a C compiler (cc)");
  const name = `libnvidia-ml-${Bun.hash(without.join(" ")).toString(36)}.so`;
  const path = join(folder, name);
  if (existsSync(path)) return path;
  const hidden = `${path}.symbols`;
  writeFileSync(hidden, `{ ${without.length > 0 ? `local: ${without.join("; ")};` : ""} };\n`);
  const options = ["-O2", "-shared", "-fPIC", "-w", `-Wl,--version-script=${hidden}`];
  const { exitCode, stderr } = Bun.spawnSync([C_COMPILER, ...options, "-o", `${path}.new`, STUB]);
  if (exitCode !== 0) throw new Error(stderr.toString());
  renameSync(`${path}.new`, path);
  return path;
}

let count = 0;

/** A driver that is none: the stub library with a scenario that can be changed while it is in use. */
export class StubDriver {
  /** The file that tells the stub what it is. */
  readonly path: string;
  readonly #folder: string;
  readonly #base: readonly string[];
  readonly #without: readonly string[];

  /** `scenario` is one of test/fixtures/nvml; its language is explained in stub.c there. */
  constructor(folder: string, scenario: string, ...lines: readonly string[]) {
    this.#folder = folder;
    this.path = join(folder, `scenario_${++count}.txt`);
    this.#base = expanded(join(FIXTURES, `${scenario}.txt`));
    this.#without = lines.flatMap((line) => /^without (\w+)$/.exec(line)?.[1] ?? []);
    this.say(...lines);
  }

  /** For a process that is to find this driver; takes a C compiler. */
  get env(): Readonly<Record<string, string>> {
    return { ALL_SMI_NVML: sharedObject(this.#folder, this.#without), ALL_SMI_NVML_STUB: this.path };
  }

  /** Lines after those of the scenario; those said before do not count any more. */
  say(...lines: readonly string[]): void {
    writeFileSync(`${this.path}.new`, `${[...this.#base, ...lines].join("\n")}\n`);
    renameSync(`${this.path}.new`, this.path);
  }

  /** A command as it runs on a machine with this driver. */
  with(command: readonly string[]): string[] {
    return ["env", ...Object.entries(this.env).map(([name, value]) => `${name}=${value}`), ...command];
  }
}
