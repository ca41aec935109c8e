import type { BlockFindings } from "./block.ts";
import type { BlockSummary } from "./block_summary.ts";

/** What an index line tells of its block; `null` where nobody looked for events when it was written. */
export function findingsOf(block: BlockSummary): BlockFindings | null {
  const { errors, events, open, more } = block;
  if (events === null) return null;
  return { curves: block, errors, events, open, moreEvents: new Map(Object.entries(more)), slices: null };
}
