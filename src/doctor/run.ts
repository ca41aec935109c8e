import { join } from "node:path";
import { CHECKS } from "./checks.ts";
import { type Check, type Finding, problem, USUAL_LIMIT_MS, type Verdict } from "./finding.ts";
import type { Setup } from "./machine.ts";
import type { Begin, Progress } from "./messages.ts";

export type TakeFindings = (findings: readonly Finding[]) => void;

/**
 * Runs the checks, each under its limit, and hands on what they find as they find it. A check that hangs costs its limit:
 * the process that it runs in is ended, and another goes on with the next. A process that cannot be ended is left behind.
 */
export async function runChecks(setup: Setup, take: TakeFindings): Promise<void> {
  for (let first = 0; first < CHECKS.length; ) first = await new Run({ setup, first }, take).next;
}

/** Nobody's configuration is obeyed in the child either, as the launcher sees to for this process. */
const PROGRAM: readonly string[] = [
  ...[process.execPath, "--config=/dev/null", "--no-env-file", "--tsconfig-override=/dev/null", "--no-install"],
  join(import.meta.dir, "child.ts"),
];
/** For the process to start, on a machine that is busy. */
const START_LIMIT_MS = 15_000;

/** One process that checks, as far as it comes. */
class Run {
  readonly #take: TakeFindings;
  readonly #child: Bun.Subprocess<"ignore", "ignore", "ignore">;
  readonly #over = Promise.withResolvers<number>();
  #running: number;
  #limit: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(begin: Begin, take: TakeFindings) {
    this.#take = take;
    this.#running = begin.first;
    this.#child = Bun.spawn([...PROGRAM], {
      stdio: ["ignore", "ignore", "ignore"],
      serialization: "json",
      ipc: (message: Progress) => this.#hear(message),
      onDisconnect: () => void this.#child.exited.then(() => this.#died()),
    });
    this.#setLimit(START_LIMIT_MS);
    this.#child.send(begin);
  }

  /** Resolves with the check to go on with. */
  get next(): Promise<number> {
    return this.#over.promise;
  }

  #hear(message: Progress): void {
    if (this.#isOver) return;
    if ("done" in message) this.#end(CHECKS.length);
    else if ("ended" in message) this.#take(findingsOf(CHECKS[message.ended], message.verdicts));
    else {
      this.#running = message.began;
      this.#setLimit(CHECKS[message.began]?.limit_ms ?? USUAL_LIMIT_MS);
    }
  }

  #setLimit(ms: number): void {
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => this.#fail(`does not answer within ${ms / 1000} s: what it reads hangs`), ms);
  }

  #died(): void {
    const { signalCode, exitCode } = this.#child;
    this.#fail(`ended the program that read it (${signalCode ?? `status ${exitCode}`})`);
  }

  #fail(says: string): void {
    if (this.#isOver) return;
    this.#take(findingsOf(CHECKS[this.#running], [problem(says, "dmesg may say more")]));
    this.#end(this.#running + 1);
  }

  #end(next: number): void {
    this.#isOver = true;
    clearTimeout(this.#limit);
    this.#child.kill("SIGKILL");
    this.#child.unref();
    this.#over.resolve(next);
  }
}

function findingsOf(check: Check | undefined, verdicts: readonly Verdict[]): Finding[] {
  if (check === undefined) return [];
  const { group, name } = check;
  return verdicts.map(({ state, says, fix }) => ({ group, name, state, says, fix }));
}
