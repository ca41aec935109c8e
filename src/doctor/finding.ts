import type { Machine } from "./machine.ts";

/**
 * - `ok`: there, and it can be read
 * - `note`: can be read, but something about it is good to know
 * - `problem`: the machine has it, and it cannot be read
 * - `absent`: the machine has it not
 */
export type State = "ok" | "note" | "problem" | "absent";

export type Group = "program" | "machine" | "readers" | "nvidia" | "amd" | "intel" | "kernel" | "recording";

/** What a check found out. */
export interface Verdict {
  readonly state: State;
  /** One sentence, without a full stop. */
  readonly says: string;
  /** What to do about it; `null` where nothing is to be done, or nothing can be. */
  readonly fix: string | null;
}

/** A verdict under its names; {@link Group} and `name` are stable, for scripts. */
export interface Finding extends Verdict {
  readonly group: Group;
  readonly name: string;
}

/** Looks at one thing. What does not apply to the machine yields nothing. */
export interface Check {
  readonly group: Group;
  readonly name: string;
  /** After this time it counts as hung; {@link USUAL_LIMIT_MS} where it says nothing. */
  readonly limit_ms?: number;
  run(machine: Machine): readonly Verdict[] | Promise<readonly Verdict[]>;
}

export const USUAL_LIMIT_MS = 5000;

export const ok = (says: string): Verdict => ({ state: "ok", says, fix: null });
export const note = (says: string, fix: string | null = null): Verdict => ({ state: "note", says, fix });
export const problem = (says: string, fix: string | null = null): Verdict => ({ state: "problem", says, fix });
export const absent = (says: string): Verdict => ({ state: "absent", says, fix: null });
