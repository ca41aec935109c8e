import { MAX_OPEN } from "../events/conditions.ts";
import type { DetectedEvent, EventState } from "../events/event.ts";
import { eventHost, eventName, eventText } from "../events/event_text.ts";
import { isObject, isPosition, parseTime } from "../frame/decode.ts";
import { formatTime } from "../frame/encode.ts";
import { isSeverity, SEVERITIES } from "../frame/severity.ts";
import { MAX_BLOCK_EVENTS } from "./limits.ts";

/** How many there are of each kind. */
export type EventCounts = Readonly<Record<string, number>>;

/** What is kept of the events of a block. */
export interface KeptEvents {
  /** The gravest, of those the first; but of one host only so many before those of others. */
  readonly events: readonly DetectedEvent[];
  /** What `events` has no room for. */
  readonly more: EventCounts;
  /** How many of those are endings. */
  readonly more_ends: EventCounts;
  /** Conditions that did not begin in it, as too many were on. */
  readonly refused_conditions: EventCounts;
}

/** Sources call things as they like: the kinds beyond these are counted as one. */
const MOST_KINDS = 63;
const OTHER_KINDS = "other";

class KindCounts {
  readonly #counts = new Map<string, number>();

  add(kind: string): void {
    const counted = this.#counts.has(kind) || this.#counts.size < MOST_KINDS ? kind : OTHER_KINDS;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  get counts(): EventCounts {
    return Object.fromEntries(this.#counts);
  }
}

/** Of one host and severity. Beyond them its events are kept where others leave room: a host may tell what it likes. */
const SHARE_OF_HOST = 16;
const MOST_COUNTED = 16_384;

interface Ranked {
  readonly event: DetectedEvent;
  readonly rank: number;
}

/** The events of a block while it is written or read: the gravest of them, and of those the first. */
export class BlockEvents {
  #kept: Ranked[] = [];
  /** Events so far, by severity and host. */
  readonly #ofHosts = new Map<string, number>();
  readonly #more = new KindCounts();
  readonly #moreEnds = new KindCounts();
  readonly #refused = new KindCounts();

  /** `refused`: the kinds of the conditions that found no room. */
  add(events: readonly DetectedEvent[], refused: readonly string[]): void {
    for (const event of events) this.#kept.push({ event, rank: this.#rankOf(event) });
    for (const kind of refused) this.#refused.add(kind);
    if (this.#kept.length > 2 * MAX_BLOCK_EVENTS) this.#trim();
  }

  #rankOf({ severity, host }: DetectedEvent): number {
    const key = `${severity} ${host}`;
    const before = this.#ofHosts.get(key) ?? 0;
    if (before > 0 || this.#ofHosts.size < MOST_COUNTED) this.#ofHosts.set(key, before + 1);
    return 2 * SEVERITIES.indexOf(severity) + (before < SHARE_OF_HOST ? 0 : 1);
  }

  #trim(): void {
    if (this.#kept.length <= MAX_BLOCK_EVENTS) return;
    const byRank = this.#kept.toSorted((a, b) => a.rank - b.rank);
    const kept = new Set(byRank.slice(0, MAX_BLOCK_EVENTS));
    for (const { event } of byRank.slice(MAX_BLOCK_EVENTS)) {
      this.#more.add(event.kind);
      if (event.state === "end") this.#moreEnds.add(event.kind);
    }
    this.#kept = this.#kept.filter((one) => kept.has(one));
  }

  sum(): KeptEvents {
    this.#trim();
    const { counts: more } = this.#more;
    return {
      events: this.#kept.map(({ event }) => event),
      more,
      more_ends: this.#moreEnds.counts,
      refused_conditions: this.#refused.counts,
    };
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
  if (!isSeverity(severity)) return null;
  return {
    kind: eventName(kind),
    severity,
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
