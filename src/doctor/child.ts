import { oneLine } from "../errors.ts";
import { endWithParent } from "../libc.ts";
import { CHECKS } from "./checks.ts";
import { type Check, problem, type Verdict } from "./finding.ts";
import { type Machine, openMachine } from "./machine.ts";
import type { Begin, Progress } from "./messages.ts";

/**
 * Runs the checks, in a process of its own: what hangs in the kernel hangs here, and who started it ends it.
 */

const tell = (progress: Progress): void => {
  process.send?.(progress);
};

async function verdictsOf(check: Check, machine: Machine): Promise<readonly Verdict[]> {
  try {
    return await check.run(machine);
  } catch (error) {
    return [problem(`could not be checked: ${oneLine(error)}`)];
  }
}

async function runFrom({ setup, first }: Begin): Promise<void> {
  const machine = openMachine(setup);
  for (const [i, check] of CHECKS.entries()) {
    if (i < first) continue;
    tell({ began: i });
    tell({ ended: i, verdicts: await verdictsOf(check, machine) });
  }
  tell({ done: true });
}

endWithParent();
process.once("disconnect", () => process.exit(0));
process.once("message", (begin: Begin) => void runFrom(begin));
