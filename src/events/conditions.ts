import { conditionOf } from "./definitions.ts";
import type { DetectedEvent } from "./event.ts";
import { subjectOf } from "./event_text.ts";

/** Every block of a recording lists what is on: it must stay small. */
export const MAX_OPEN = 256;
/** What is merely worth knowing leaves room for what is wrong: a whole cluster may be at its power limit. */
const MAX_OPEN_INFO = MAX_OPEN / 2;

/** Which of all devices a condition is about. Errors are told apart by their reader alone, which names its host. */
export const ownerOf = (kind: string, host: string, device: string | null): string =>
  kind === "error" ? "" : `${host}\n${device ?? ""}`;

const idOf = ({ kind, text }: Pick<DetectedEvent, "kind" | "text">): string =>
  conditionOf(kind)?.hasSubject ? `${kind}\n${subjectOf(text)}` : kind;

/** The same at the beginning and at the end of a condition, and of no other that may be on at the same time. */
export const conditionId = (event: DetectedEvent): string =>
  `${idOf(event)}\n${ownerOf(event.kind, event.host, event.device)}`;

type OfOwner = Map<string, DetectedEvent>;

/** The conditions that are on: for each the event of its beginning. */
export class Conditions {
  readonly #owners = new Map<string, OfOwner>();
  #size = 0;
  #infos = 0;

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

  /** `false` where it is no condition, is on already, or too many are. */
  begin(event: DetectedEvent): boolean {
    const { kind, severity, host, device } = event;
    if (conditionOf(kind) === undefined || this.#size >= MAX_OPEN) return false;
    if (severity === "info" && this.#infos >= MAX_OPEN_INFO) return false;
    const owner = ownerOf(kind, host, device);
    const own: OfOwner = this.#owners.get(owner) ?? new Map();
    const id = idOf(event);
    if (own.has(id)) return false;
    own.set(id, event);
    this.#owners.set(owner, own);
    this.#count(event, 1);
    return true;
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

  #count({ severity }: DetectedEvent, by: number): void {
    this.#size += by;
    if (severity === "info") this.#infos += by;
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

/** What is on after these transitions, where `open` was on before them. */
export function openAfter(open: readonly DetectedEvent[], events: readonly DetectedEvent[]): readonly DetectedEvent[] {
  if (events.every(({ state }) => state === "once")) return open;
  const conditions = new Conditions(open);
  for (const event of events) {
    if (event.state === "begin") conditions.begin(event);
    else if (event.state === "end") conditions.end(event);
  }
  return conditions.list();
}
