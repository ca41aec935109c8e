import type { Finding, State } from "./finding.ts";

/** What `doctor --json` prints. Keys stay; checks and findings may be added. */
export interface Report {
  readonly all_smi_version: string;
  readonly host_root: string;
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<State, number>>;
}

export function countStates(findings: readonly Finding[]): Record<State, number> {
  const counts: Record<State, number> = { ok: 0, note: 0, problem: 0, absent: 0 };
  for (const { state } of findings) counts[state]++;
  return counts;
}
