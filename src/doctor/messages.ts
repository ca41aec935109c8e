import type { Verdict } from "./finding.ts";
import type { Setup } from "./machine.ts";

/** To the process that checks: what to begin with, by its place in the list of checks. */
export interface Begin {
  readonly setup: Setup;
  readonly first: number;
}

/** From it: a check begins, or is over. Checks run one after the other. */
export type Progress =
  | { readonly began: number }
  | { readonly ended: number; readonly verdicts: readonly Verdict[] }
  | { readonly done: true };
