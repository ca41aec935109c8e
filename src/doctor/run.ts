import { join } from "node:path";
import { cleanText } from "../frame/clean_text.ts";
import { SupervisedChild } from "../sources/gpu/child.ts";
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
  // The children do not keep this process alive.
  const alive = setInterval(() => {}, 60_000);
  try {
    for (let first = 0; first < CHECKS.length; ) first = await runFrom({ setup, first }, take);
  } finally {
    clearInterval(alive);
  }
}

/** Nobody's configuration is obeyed in the child either, as the launcher sees to for this process. */
const PROGRAM: readonly string[] = [
  ...[process.execPath, "--config=/dev/null", "--no-env-file", "--tsconfig-override=/dev/null", "--no-install"],
  join(import.meta.dir, "child.ts"),
];
/** For the process to start, on a machine that is busy. */
const START_LIMIT_MS = 15_000;
const DONE = "done";

/** Runs the checks in one process, as far as it comes; resolves with the one to go on with. */
function runFrom(begin: Begin, take: TakeFindings): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let running = begin.first;
  const expect = (ms: number) => child.expect(ms, `does not answer within ${ms / 1000} s: what it reads hangs`);
  const child = new SupervisedChild({
    command: PROGRAM,
    onMessage: (message) => {
      const progress = message as Progress;
      if ("ended" in progress) take(findingsOf(CHECKS[progress.ended], progress.verdicts));
      else if ("done" in progress) {
        child.kill(DONE);
        resolve(CHECKS.length);
      } else {
        running = progress.began;
        expect(CHECKS[running]?.limit_ms ?? USUAL_LIMIT_MS);
      }
    },
    onEnd: (why) => {
      if (why === DONE) return;
      take(findingsOf(CHECKS[running], [problem(why, "dmesg may say more")]));
      resolve(running + 1);
    },
  });
  child.start();
  expect(START_LIMIT_MS);
  child.send(begin);
  return promise;
}

function findingsOf(check: Check | undefined, verdicts: readonly Verdict[]): Finding[] {
  if (check === undefined) return [];
  const { group, name } = check;
  // What it says may be in the words of a file, a driver or a program.
  return verdicts.map(({ state, says, fix }) => ({
    ...{ group, name, state, says: cleanText(says) },
    fix: fix === null ? null : cleanText(fix),
  }));
}
