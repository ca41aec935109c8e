import { conditionId } from "./conditions.ts";
import { conditionOf } from "./definitions.ts";
import type { DetectedEvent } from "./event.ts";

/** A line of a list of what happened. */
export interface LogLine {
  readonly event: DetectedEvent;
  /** At the beginning and at the end of what is over: how long it was on, ms; else `null`, and where that is not known. */
  lasted_ms: number | null;
}

/** What is back is news of its own; of anything else that is over, the line of its beginning tells. */
const RETURNS = ["host_lost", "gpu_lost"];

/** Whether what was away is back. */
export const isReturn = ({ state, kind }: DetectedEvent): boolean => state === "end" && RETURNS.includes(kind);

/** The latest lines that there were at a place of the timeline, the last first. Takes the events in their order. */
export function latestLines(events: readonly DetectedEvent[], place_ms: number, count: number): LogLine[] {
  const log = new Backwards(count);
  for (let i = events.length - 1; i >= 0 && !log.isDone; i--) {
    const event = events[i];
    if (event !== undefined && event.elapsed_ms <= place_ms) log.take(event);
  }
  return log.lines;
}

/** An end with its line, if it has one. */
interface Ending {
  readonly event: DetectedEvent;
  readonly line: LogLine | null;
}

/** A condition that is held counts as over only when it was off for so long. */
const lastedOf = (begin: DetectedEvent, end: DetectedEvent): number =>
  Math.max(0, end.elapsed_ms - begin.elapsed_ms - (conditionOf(end.kind)?.hold_ms ?? 0));

/** The list while it is made from the last event to the first: ends come before their beginnings. */
class Backwards {
  readonly lines: LogLine[] = [];
  readonly #count: number;
  readonly #endings = new Map<string, Ending>();
  /** Lines of ends whose beginnings are still to come. */
  #unmeasured = 0;

  constructor(count: number) {
    this.#count = count;
  }

  get isDone(): boolean {
    return this.lines.length >= this.#count && this.#unmeasured === 0;
  }

  take(event: DetectedEvent): void {
    if (event.state === "once") this.#add(event, null);
    else if (event.state === "begin") this.#takeBeginning(event);
    else this.#takeEnd(event);
  }

  #add(event: DetectedEvent, lasted_ms: number | null): LogLine | null {
    if (this.lines.length >= this.#count) return null;
    const line = { event, lasted_ms };
    this.lines.push(line);
    return line;
  }

  #takeEnd(event: DetectedEvent): void {
    const line = isReturn(event) ? this.#add(event, null) : null;
    const id = conditionId(event);
    // A later end of the same, whose beginning is missing.
    if (this.#endings.get(id)?.line) this.#unmeasured--;
    if (line !== null) this.#unmeasured++;
    this.#endings.set(id, { event, line });
  }

  #takeBeginning(event: DetectedEvent): void {
    const id = conditionId(event);
    const ending = this.#endings.get(id);
    const lasted_ms = ending === undefined ? null : lastedOf(event, ending.event);
    this.#add(event, lasted_ms);
    this.#endings.delete(id);
    if (!ending?.line) return;
    ending.line.lasted_ms = lasted_ms;
    this.#unmeasured--;
  }
}
