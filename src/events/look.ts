import type { Frame } from "../frame/frame.ts";
import type { Severity } from "../frame/severity.ts";
import { type Conditions, ownerOf } from "./conditions.ts";
import { type Definition, definitions, type Name } from "./definitions.ts";
import type { DetectedEvent, EventState } from "./event.ts";
import { eventHost, eventName, eventText } from "./event_text.ts";
import type { Moment } from "./marks.ts";
import type { Presence } from "./presence.ts";
import type { Verdict } from "./verdict.ts";

/** Where a frame stands. Files of other writers have neither; then whoever reads them counts. */
export interface Place {
  readonly seq: number;
  /** On the timeline; never goes backwards. */
  readonly elapsed_ms: number;
}

/** What something is said of, as events name it. */
export interface Subject {
  readonly host: string;
  readonly device: string | null;
  /** See {@link ownerOf}. */
  readonly owner: string;
}

export function subject(host: string, device: string | null): Subject {
  const named = { host: eventHost(host), device: device === null ? null : eventName(device) };
  return { ...named, owner: ownerOf("", named.host, named.device) };
}

/** One frame while it is looked at, and what was found in it. */
export class Look {
  readonly frame: Frame;
  readonly now: Moment;
  readonly found: DetectedEvent[] = [];
  /** The kinds of the conditions that would have begun, had there been room. */
  readonly refused: string[] = [];
  readonly conditions: Conditions;
  readonly #presence: Presence;
  readonly #place: Place;
  #scraped: ReadonlySet<string> | null = null;

  constructor(frame: Frame, place: Place, now: Moment, conditions: Conditions, presence: Presence) {
    this.frame = frame;
    this.now = now;
    this.conditions = conditions;
    this.#presence = presence;
    this.#place = place;
  }

  /** Something that just happened. */
  single(name: Name, { host, device }: Subject, text: string): void {
    const { kind, severity } = definitions[name];
    this.found.push(this.event(kind, severity, "once", host, device, text));
  }

  event(
    kind: string,
    severity: Severity,
    state: EventState,
    host: string,
    device: string | null,
    text: string,
  ): DetectedEvent {
    const { seq, elapsed_ms } = this.#place;
    const { t_ms } = this.frame;
    return { kind, severity, state, seq, t_ms, elapsed_ms, host, device, text: eventText(text) };
  }

  /**
   * Begins or ends the condition as the frame says. `stayed_ms`: when it was last on or near, before this frame;
   * `words`: the text of a beginning.
   */
  judge(name: Name, about: Subject, verdict: Verdict, stayed_ms: number | undefined, words: () => string): void {
    const definition: Definition = definitions[name];
    if (verdict === "on" && this.begins(name, about)) this.begin(name, about, words());
    if (verdict !== "off") return;
    const open = this.conditions.of(about.owner)?.get(definition.kind);
    if (open !== undefined) this.endAfterHold(open, definition, stayed_ms);
  }

  /**
   * It is on now; `which`: of several that may be on there at once. Whether it begins: it was not on, and there is room,
   * of all conditions and of its host's.
   */
  begins(name: Name, { owner, host }: Pick<Subject, "owner" | "host">, which?: string): boolean {
    const { kind, severity, hold_ms = 0 }: Definition = definitions[name];
    const isNews = this.#presence.confirm(kind, which === undefined ? owner : `${owner}\n${which}`, hold_ms, this.now);
    if (this.conditions.has(kind, owner, which)) return false;
    const { conditions } = this;
    const hasRoom = conditions.hasRoom(severity) && (conditions.hasRoomFor(host, severity) || !this.scraped.has(host));
    if (!hasRoom && isNews) this.refused.push(kind);
    return hasRoom;
  }

  /** Hosts of this frame that were asked for what they say, as events name them. */
  get scraped(): ReadonlySet<string> {
    this.#scraped ??= new Set(this.frame.scrapes?.map(({ host }) => eventHost(host)));
    return this.#scraped;
  }

  begin(name: Name, { host, device }: Subject, text: string): void {
    const { kind, severity } = definitions[name];
    const event = this.event(kind, severity, "begin", host, device, text);
    this.conditions.begin(event);
    this.found.push(event);
  }

  endAfterHold(open: DetectedEvent, { hold_ms = 0 }: Definition, stayed_ms: number | undefined): void {
    const { place_ms, since_ms } = this.now;
    if (place_ms - (stayed_ms ?? since_ms) < hold_ms) return;
    const { kind, severity, host, device, text } = open;
    this.conditions.end(open);
    this.found.push(this.event(kind, severity, "end", host, device, text));
  }
}
