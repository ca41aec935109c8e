import { MAX_OPEN } from "../events/conditions.ts";
import type { DetectedEvent, EventState, Severity } from "../events/event.ts";
import { eventHost, eventName, eventText } from "../events/event_text.ts";
import { isObject, isPosition, parseTime } from "../frame/decode.ts";
import { formatTime } from "../frame/encode.ts";
import { MAX_BLOCK_EVENTS } from "./limits.ts";

/** How many events of a kind are not listed. */
export type EventCounts = Readonly<Record<string, number>>;

const RANKS: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** The events of a block while it is written or read: the gravest of them, and of those the first. */
export class BlockEvents {
  #kept: DetectedEvent[] = [];
  readonly #more = new Map<string, number>();

  add(events: readonly DetectedEvent[]): void {
    for (const event of events) this.#kept.push(event);
    if (this.#kept.length > 2 * MAX_BLOCK_EVENTS) this.#trim();
  }

  #trim(): void {
    const byRank = this.#kept.toSorted((a, b) => RANKS[a.severity] - RANKS[b.severity]);
    const kept = new Set(byRank.slice(0, MAX_BLOCK_EVENTS));
    for (const { kind } of byRank.slice(MAX_BLOCK_EVENTS)) this.#more.set(kind, (this.#more.get(kind) ?? 0) + 1);
    this.#kept = this.#kept.filter((event) => kept.has(event));
  }

  sum(): { readonly events: readonly DetectedEvent[]; readonly more: EventCounts } {
    this.#trim();
    return { events: this.#kept, more: Object.fromEntries(this.#more) };
  }
}

export function encodeEvent({ t_ms, kind, severity, state, seq, ...rest }: DetectedEvent): unknown {
  return { kind, severity, state, seq, t: formatTime(t_ms), ...rest };
}

export const STATES: readonly EventState[] = ["begin", "end", "once"];

/** What an event is about, whenever it was, at its beginning as at its end. */
export type EventWhat = Omit<DetectedEvent, "state" | "seq" | "t_ms" | "elapsed_ms">;

export function decodeWhat(value: unknown): EventWhat | null {
  if (!isObject(value)) return null;
  const { kind, severity, host, device, text } = value;
  if (typeof kind !== "string" || typeof host !== "string" || typeof text !== "string") return null;
  if (typeof severity !== "string" || !Object.hasOwn(RANKS, severity)) return null;
  return {
    kind: eventName(kind),
    severity: severity as Severity,
    host: eventHost(host),
    device: typeof device === "string" ? eventName(device) : null,
    text: eventText(text),
  };
}

function decodeEvent(value: unknown): DetectedEvent[] {
  const what = decodeWhat(value);
  if (what === null || !isObject(value)) return [];
  const { seq, elapsed_ms } = value;
  const state = STATES.find((one) => one === value.state);
  const t_ms = parseTime(value.t);
  if (state === undefined || t_ms === null || !isPosition(seq) || !isPosition(elapsed_ms)) return [];
  return [{ ...what, state, seq, t_ms, elapsed_ms }];
}

/** What is no event is left out; `null` where there is no list. */
export const decodeEvents = (value: unknown): DetectedEvent[] | null =>
  Array.isArray(value) ? value.slice(0, Math.max(MAX_BLOCK_EVENTS, MAX_OPEN)).flatMap(decodeEvent) : null;

export function decodeCounts(value: unknown): EventCounts {
  if (!isObject(value)) return {};
  const counts = Object.entries(value).filter(([, count]) => isPosition(count));
  return Object.fromEntries(
    counts.slice(0, MAX_BLOCK_EVENTS).map(([kind, count]) => [eventName(kind), count as number]),
  );
}
