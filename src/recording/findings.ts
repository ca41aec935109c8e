import type { DetectedEvent } from "../events/event.ts";
import { eventHost } from "../events/event_text.ts";
import { GAP_INTERVALS, gapText } from "../events/gap.ts";
import type { Block, BlockFacts, BlockFindings } from "./block.ts";
import type { BlockSummary } from "./block_summary.ts";

/** What an index line tells of its block; `null` where nobody looked for events when it was written. */
export function findingsOf(block: BlockSummary): BlockFindings | null {
  const { errors, events, open, open_after, more, more_ends, refused_conditions } = block;
  if (events === null) return null;
  return { curves: block, errors, events, open, open_after, more, more_ends, refused_conditions, slices: null };
}

/**
 * How long there is no frame before a block, where that is a gap of which its index line does not tell: whoever wrote it
 * had the frames that are missing.
 */
export function untoldGap(
  { before, first_place_ms, first_seq }: BlockFacts,
  findings: BlockFindings | null,
  interval_ms: number | null,
): number | null {
  if (before === null || findings === null || interval_ms === null) return null;
  const step_ms = first_place_ms - before.place_ms;
  const isTold =
    Object.hasOwn(findings.more, "gap") || findings.events.some((e) => e.kind === "gap" && e.seq === first_seq);
  return step_ms > GAP_INTERVALS * interval_ms && !isTold ? step_ms : null;
}

/** The same findings with a gap before the first frame. */
export function withGap(block: Block, findings: BlockFindings, gap_ms: number, hostname: string): BlockFindings {
  const { first_place_ms, first_t_ms, first_ordinal, first_seq, after } = block;
  const gap: DetectedEvent = {
    ...{ kind: "gap", severity: "warning", state: "once" },
    ...{ seq: first_seq ?? first_ordinal, t_ms: first_t_ms },
    ...{ host: eventHost(hostname), device: null, text: gapText(gap_ms) },
    elapsed_ms: first_place_ms - (after.elapsed_ms === null ? 0 : after.offset_ms),
  };
  return { ...findings, events: [gap, ...findings.events] };
}
