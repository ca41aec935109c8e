import { afterAll, setDefaultTimeout } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PROJECT = resolve(import.meta.dir, "..", "..");
export const LAUNCHER = join(PROJECT, "bin", "all-smi");
/** The program without its launcher, which has tests of its own. */
export const PROGRAM: readonly string[] = [process.execPath, "--config=/dev/null", join(PROJECT, "src/cli/main.ts")];

/** One small simulated machine, as fast as it may go. */
export const SMALL: readonly string[] = [
  ...["--source", "mock", "--mock", "1x1", "--include", "memory"],
  ...["-i", "0.1", "--keep-free", "0"],
];

/** Nothing is expected to take as long: a machine may be busy with other things. */
export const TEST_MS = 180_000;
const PATIENCE_MS = 60_000;

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A process under way. */
export interface Started {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** What it has said on stderr so far. */
  readonly said: () => string;
  readonly ended: Promise<Outcome>;
}

const running = new Set<Started>();

/** Starts any command; it is ended with the tests of the file if it did not end before. */
export function start(command: readonly string[]): Started {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  let err = "";
  const listen = async (): Promise<void> => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) err += text;
  };
  const ended = Promise.all([child.stdout.text(), listen(), child.exited]).then(([out, , code]) => {
    running.delete(started);
    return { code, out, err };
  });
  const started: Started = { child, said: () => err, ended };
  running.add(started);
  return started;
}

/** `all-smi record` with these options. */
export const record = (...options: string[]): Started => start([...PROGRAM, "record", ...options]);

/** Asks until the answer is neither null nor false. */
export async function until<T>(what: string, ask: () => T | null | false | Promise<T | null | false>): Promise<T> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await Bun.sleep(10)) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
  }
  throw new Error(`waited in vain: ${what}`);
}

/** For a file of tests: a new folder that goes when they are over, and all that still runs with it; time enough. */
export function testFolder(): string {
  setDefaultTimeout(TEST_MS);
  const folder = mkdtempSync(join(tmpdir(), "all-smi-record-"));
  afterAll(async () => {
    for (const { child } of running) child.kill("SIGKILL");
    await Promise.all([...running].map(({ ended }) => ended));
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
