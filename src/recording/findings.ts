import type { BlockFindings } from "./block.ts";
import type { BlockSummary } from "./lines.ts";

/** What an index line tells of its block. */
export function findingsOf(block: BlockSummary): BlockFindings | null {
  return { curves: block, errors: block.errors, events: [], open: [], moreEvents: new Map(), slices: null };
}
