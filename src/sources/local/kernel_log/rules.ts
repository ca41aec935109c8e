import { drmRule } from "./drm.ts";
import { machineCheckRule } from "./machine_check.ts";
import { nvidiaRule } from "./nvidia.ts";
import { pcieRule } from "./pcie.ts";
import { processRule } from "./process.ts";
import type { Finding, Rule } from "./rule.ts";

const RULES: readonly Rule[] = [nvidiaRule, drmRule, pcieRule, processRule, machineCheckRule];

/** What the messages, one after the other, say has happened; each with the place of its message. */
export function findingsIn(messages: readonly string[]): { at: number; finding: Finding }[] {
  return messages.flatMap((_, at) => {
    for (const rule of RULES) {
      const finding = rule(messages, at);
      if (finding !== null) return [{ at, finding }];
    }
    return [];
  });
}
