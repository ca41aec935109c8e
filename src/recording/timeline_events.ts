import type { DetectedEvent } from "../events/event.ts";
import type { Block, BlockFindings } from "./block.ts";

/** The events of all blocks in their order, put together anew only where something has been found since. */
export class TimelineEvents {
  #findings: readonly (BlockFindings | null)[] = [];
  #events: readonly DetectedEvent[] = [];

  of(blocks: readonly Block[]): readonly DetectedEvent[] {
    const known = this.#findings;
    if (known.length === blocks.length && blocks.every(({ findings }, n) => findings === known[n])) return this.#events;
    this.#findings = blocks.map(({ findings }) => findings);
    this.#events = blocks.flatMap(onTimeline);
    return this.#events;
  }
}

/** Events with `elapsed_ms` as the place on the timeline. */
function onTimeline({ findings, after }: Block): readonly DetectedEvent[] {
  if (findings === null) return [];
  if (after.offset_ms === 0 || after.elapsed_ms === null) return findings.events;
  return findings.events.map((event) => ({ ...event, elapsed_ms: event.elapsed_ms + after.offset_ms }));
}
