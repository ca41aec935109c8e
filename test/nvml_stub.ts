import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FIXTURES = join(import.meta.dir, "fixtures/nvml");

/** A scenario with those that it includes. */
function expanded(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const included = /^include (.+)$/.exec(line)?.[1];
      return included ? expanded(join(dirname(path), included)) : [line];
    });
}

let count = 0;

/** A driver that is none: the stub library with a scenario that can be changed while it is in use. */
export class StubDriver {
  readonly env: Readonly<Record<string, string>>;
  readonly #path: string;
  readonly #base: readonly string[];

  /** `scenario` is one of test/fixtures/nvml; its language is explained in stub.c there. */
  constructor(folder: string, scenario: string, ...lines: readonly string[]) {
    this.#path = join(folder, `scenario_${++count}.txt`);
    this.#base = expanded(join(FIXTURES, `${scenario}.txt`));
    this.env = { ALL_SMI_NVML: join(FIXTURES, "stub.c"), ALL_SMI_NVML_STUB: this.#path };
    this.say(...lines);
  }

  /** Lines after those of the scenario; those said before do not count any more. */
  say(...lines: readonly string[]): void {
    writeFileSync(`${this.#path}.new`, `${[...this.#base, ...lines].join("\n")}\n`);
    renameSync(`${this.#path}.new`, this.#path);
  }

  /** A command as it runs on a machine with this driver. */
  with(command: readonly string[]): string[] {
    return ["env", ...Object.entries(this.env).map(([name, value]) => `${name}=${value}`), ...command];
  }
}
