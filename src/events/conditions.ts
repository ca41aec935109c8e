import type { Severity } from "../frame/severity.ts";
import { conditionOf } from "./definitions.ts";
import type { DetectedEvent } from "./event.ts";
import { subjectOf } from "./event_text.ts";

/**
 * So many conditions may be on at once: every block of a recording lists them, and must stay small. Each severity has
 * room of its own: a whole cluster that is throttled hides no lost GPU.
 */
export const MOST_OPEN: Readonly<Record<Severity, number>> = { critical: 256, warning: 192, info: 64 };

/** Those of one scraped host, 64 together: whatever it serves leaves room for the others, and its infos for its criticals. */
const MOST_OPEN_OF_HOST: Readonly<Record<Severity, number>> = { critical: 24, warning: 24, info: 16 };

/** Of all severities together. */
export const MAX_OPEN = MOST_OPEN.critical + MOST_OPEN.warning + MOST_OPEN.info;

/** Which of all devices a condition is about. Errors are told apart by their reader alone, which names its host. */
export const ownerOf = (kind: string, host: string, device: string | null): string =>
  kind === "error" ? "" : `${host}\n${device ?? ""}`;

const idOf = ({ kind, text }: Pick<DetectedEvent, "kind" | "text">): string =>
  conditionOf(kind)?.hasSubject ? `${kind}\n${subjectOf(text)}` : kind;

/** The same at the beginning and at the end of a condition, and of no other that may be on at the same time. */
export const conditionId = (event: DetectedEvent): string =>
  `${idOf(event)}\n${ownerOf(event.kind, event.host, event.device)}`;

type OfOwner = Map<string, DetectedEvent>;
type Sizes = Record<Severity, number>;

const nothing = (): Sizes => ({ critical: 0, warning: 0, info: 0 });

/** The conditions that are on: for each the event of its beginning. */
export class Conditions {
  readonly #owners = new Map<string, OfOwner>();
  readonly #sizes = nothing();
  /** Of the hosts that have any. */
  readonly #ofHosts = new Map<string, Sizes>();

  /** `open` is taken as it is: what has begun may end, also where there is no more room. */
  constructor(open: readonly DetectedEvent[]) {
    for (const event of open) this.begin(event);
  }

  /** `undefined` where nothing is on. */
  of(owner: string): ReadonlyMap<string, DetectedEvent> | undefined {
    return this.#owners.get(owner);
  }

  has(kind: string, owner: string, subject?: string): boolean {
    return this.#owners.get(owner)?.has(subject === undefined ? kind : `${kind}\n${subject}`) ?? false;
  }

  hasRoom(severity: Severity): boolean {
    return this.#sizes[severity] < MOST_OPEN[severity];
  }

  /** Whether a scraped host has more of its own. */
  hasRoomFor(host: string, severity: Severity): boolean {
    return (this.#ofHosts.get(host)?.[severity] ?? 0) < MOST_OPEN_OF_HOST[severity];
  }

  /** Nothing happens where it is no condition, or is on already. */
  begin(event: DetectedEvent): void {
    const { kind, host, device } = event;
    if (conditionOf(kind) === undefined) return;
    const owner = ownerOf(kind, host, device);
    const own: OfOwner = this.#owners.get(owner) ?? new Map();
    const id = idOf(event);
    if (own.has(id)) return;
    own.set(id, event);
    this.#owners.set(owner, own);
    this.#count(event, 1);
  }

  /** Takes the event of an ending or of a beginning. */
  end(event: DetectedEvent): void {
    const owner = ownerOf(event.kind, event.host, event.device);
    const own = this.#owners.get(owner);
    const began = own?.get(idOf(event));
    if (own === undefined || began === undefined) return;
    own.delete(idOf(event));
    if (own.size === 0) this.#owners.delete(owner);
    this.#count(began, -1);
  }

  #count({ host, severity }: DetectedEvent, step: 1 | -1): void {
    this.#sizes[severity] += step;
    const ofHost = this.#ofHosts.get(host) ?? nothing();
    ofHost[severity] += step;
    if (Object.values(ofHost).every((size) => size === 0)) this.#ofHosts.delete(host);
    else this.#ofHosts.set(host, ofHost);
  }

  /** Takes the event of anything. */
  follow(event: DetectedEvent): void {
    if (event.state === "begin") this.begin(event);
    else if (event.state === "end") this.end(event);
  }

  /** In the order in which they began. */
  list(): DetectedEvent[] {
    return [...this.#owners.values()].flatMap((own) => [...own.values()]).sort(inOrder);
  }
}

/** The same whatever way one came to know of them. */
function inOrder(a: DetectedEvent, b: DetectedEvent): number {
  if (a.seq !== b.seq) return a.seq - b.seq;
  return (
    inLetters(a.kind, b.kind) ||
    inLetters(a.host, b.host) ||
    inLetters(a.device ?? "", b.device ?? "") ||
    inLetters(a.text, b.text)
  );
}

const inLetters = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/** What is on after these transitions, where `open` was on before them. What found no room did not begin in them. */
export function openAfter(open: readonly DetectedEvent[], events: readonly DetectedEvent[]): readonly DetectedEvent[] {
  if (events.every(({ state }) => state === "once")) return open;
  const conditions = new Conditions(open);
  for (const event of events) conditions.follow(event);
  return conditions.list();
}
