import type { DetectedEvent } from "../events/event.ts";
import type { Block, BlockFindings } from "./block.ts";

/** What happened in all blocks, put together anew only where something has been found since. */
export class TimelineEvents {
  #findings: readonly (BlockFindings | null)[] = [];
  #events: readonly DetectedEvent[] = [];
  #refused: ReadonlyMap<string, number> = new Map();

  /** In their order. */
  of(blocks: readonly Block[]): readonly DetectedEvent[] {
    this.#update(blocks);
    return this.#events;
  }

  /** Conditions that found no room, by kind. */
  refusedIn(blocks: readonly Block[]): ReadonlyMap<string, number> {
    this.#update(blocks);
    return this.#refused;
  }

  #update(blocks: readonly Block[]): void {
    const known = this.#findings;
    if (known.length === blocks.length && blocks.every(({ findings }, n) => findings === known[n])) return;
    this.#findings = blocks.map(({ findings }) => findings);
    this.#events = blocks.flatMap(onTimeline);
    this.#refused = refusedIn(blocks);
  }
}

/** Conditions that found no room in the blocks, by kind. */
export function refusedIn(blocks: readonly Block[]): ReadonlyMap<string, number> {
  const sum = new Map<string, number>();
  for (const { findings } of blocks) {
    for (const [kind, count] of Object.entries(findings?.refused_conditions ?? {})) {
      sum.set(kind, (sum.get(kind) ?? 0) + count);
    }
  }
  return sum;
}

/** Events with `elapsed_ms` as the place on the timeline. */
function onTimeline({ findings, after }: Block): readonly DetectedEvent[] {
  if (findings === null) return [];
  if (after.offset_ms === 0 || after.elapsed_ms === null) return findings.events;
  return findings.events.map((event) => ({ ...event, elapsed_ms: event.elapsed_ms + after.offset_ms }));
}
