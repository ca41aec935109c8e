import { type ChildOptions, SupervisedChild } from "../../child.ts";

/**
 * What goes before a command so that it ends with this process: one that loops and finds nothing to print would not
 * notice that nobody listens any more. Part of util-linux; where there is no such thing, it has to do without.
 */
function endingWithUs(): readonly string[] {
  const setpriv = Bun.which("setpriv");
  if (setpriv === null) return [];
  const before = [setpriv, "--pdeathsig", "KILL"];
  return Bun.spawnSync([...before, "true"], { stdout: "ignore", stderr: "ignore" }).success ? before : [];
}

/** Without persistence mode the driver starts every card first, which takes a while. */
export const START_MS = 60_000;
/** A child that was dismissed has by then ended, or is known to be stuck. */
const DISMISSED_MS = 10_000;

/** nvidia-smi, in as many processes as are needed. */
export class NvidiaSmi {
  readonly #command: readonly string[];
  /** With when each was no longer needed; they are kept because they may be stuck. */
  readonly #children = new Map<SupervisedChild, number | null>();

  constructor(path: string) {
    this.#command = [...endingWithUs(), path];
  }

  /** The number of a process that is stuck in the driver; while there is one, none should be started. */
  get stuckPid(): number | null {
    for (const [child, dismissed_ms] of this.#children) {
      const pid = child.stuckPid;
      if (pid !== null) return pid;
      if (dismissed_ms !== null && performance.now() - dismissed_ms > DISMISSED_MS) this.#children.delete(child);
    }
    return null;
  }

  /** One that goes on and on, not started yet. */
  loop(args: readonly string[], handlers: Pick<ChildOptions, "onLine" | "onEnd">): SupervisedChild {
    const child = new SupervisedChild({ command: [...this.#command, ...args], ...handlers });
    this.#children.set(child, null);
    return child;
  }

  dismiss(child: SupervisedChild): void {
    child.close();
    this.#children.set(child, performance.now());
  }

  /** All that it prints for these arguments. Rejects where that is nothing. */
  async ask(args: readonly string[]): Promise<string> {
    const lines: string[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    const child = this.loop(args, { onLine: (line) => lines.push(line), onEnd: resolve });
    child.start();
    child.expect(START_MS, "did not answer");
    const why = await promise;
    this.dismiss(child);
    if (lines.length === 0) throw new Error(`nvidia-smi ${why}`);
    return lines.join("\n");
  }

  close(): void {
    for (const child of this.#children.keys()) child.close();
  }
}
