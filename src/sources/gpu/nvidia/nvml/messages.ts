import type { NvidiaCard, NvidiaProcess, NvidiaReading, Xid } from "../card.ts";

/**
 * What the recorder and the helper process, in which the driver's library runs, say to each other: JSON over Bun's IPC.
 * The helper starts with `ready` or `unavailable`, then answers each request with one `Answer`. After an `unavailable`,
 * which may also stand in an answer's place, it is to be ended: a driver that was unloaded or exchanged needs a library
 * loaded anew. It does not end by itself, as what it said last could be lost with it.
 *
 * A {@link Calling} is a line of JSON on its stdout: what a process wrote there before it crashed is read all the same,
 * while messages that were still on their way are lost. In a careful reading there is one before each call, in any other
 * before those that start a card, which takes its time, and then before each one that comes after them, which does not.
 * Other lines there, empty ones among them, say nothing: the library may print something, too.
 */
export interface ReadRequest {
  /** Comes back in the answer. */
  readonly read: number;
  /** Before each call into the library, say which: after a crash or a hang, to find the function that does it. */
  readonly careful?: boolean;
  /** Functions not to be called in this reading, or, as {@link excludedFor} writes it, not for one card. */
  readonly exclude?: readonly string[];
  /** Cards not to be asked for anything, as a {@link Calling} names them; they count as lost. */
  readonly skip?: readonly string[];
}

/** The status with which the helper ends by a fault of its own (`EX_SOFTWARE`): by any other the library ends it. */
export const OWN_FAULT_STATUS = 70;

/** The library is loaded and initialized. */
export interface Ready {
  readonly ready: true;
}

export type UnavailableKind = "no_library" | "no_driver" | "version_mismatch" | "no_permission" | "failed";

/** Why there is nothing to read by this library. */
export interface Unavailable {
  readonly unavailable: UnavailableKind;
  /** A sentence for people. */
  readonly reason: string;
}

/** The function that is called next. */
export interface Calling {
  /** The reading in which it is called. */
  readonly read: number;
  readonly calling: string;
  /** Its UUID, or `GPU 3` before that is known; so a MIG instance, or `GPU-… MIG 0`. `null`: it concerns no card. */
  readonly card: string | null;
}

/** The entry of {@link ReadRequest.exclude} for a function and a card, as a {@link Calling} names them. */
export const excludedFor = (name: string, card: string): string => `${name}@${card}`;

/** In a card's place there: any MIG instance. */
export const ANY_INSTANCE = "MIG";

/** Whether a {@link Calling} names a MIG instance so, and no card. */
export const isInstance = (card: string): boolean => /^MIG-| MIG \d+$/.test(card);

/** Without these functions nothing can be read at all; and they start cards that nobody uses. */
export const startsCards = (name: string): boolean =>
  /^nvml(Init|Shutdown|DeviceGetCount|DeviceGetHandleBy)/.test(name);

type Keyed = Readonly<Record<string, unknown>>;

/** Of a card, what is not as it was in the answer before. */
export interface CardChange extends Partial<Omit<NvidiaCard, "row">> {
  /** Which one of that answer it is. */
  readonly was: number;
  /** Keys of the row, and, of those objects in it that have many, keys of theirs. */
  readonly row?: Partial<NvidiaCard["row"]>;
}

/** Objects that always have the same keys. */
const IN_PARTS: ReadonlySet<string> = new Set(["row", "health", "pcie", "clocks"]);

/** What was read in one cycle: all cards, in index order. */
export interface Answer {
  readonly answer: number;
  readonly cards: readonly (NvidiaCard | CardChange)[];
  /** Missing where they are as in the answer before. */
  readonly processes?: readonly NvidiaProcess[];
  readonly xids: readonly Xid[];
  readonly errors: readonly string[];
}

export type HelperMessage = Ready | Unavailable | Answer;

/**
 * The whole cards of an answer, from those of the answer before. What did not change keeps its identity, so that who
 * compares by `===` sees that.
 */
export function applyChanges(before: readonly NvidiaCard[], changes: Answer["cards"]): NvidiaCard[] {
  return changes.map((change) => {
    if (!("was" in change)) return change;
    const { was, ...changed } = change;
    return merged(before[was] as unknown as Keyed, changed) as unknown as NvidiaCard;
  });
}

const isKeyed = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function merged(before: Keyed, change: Keyed): Keyed {
  const whole: Record<string, unknown> = { ...before };
  for (const key in change) {
    const was = before[key];
    const is = change[key];
    whole[key] = IN_PARTS.has(key) && isKeyed(was) && isKeyed(is) ? merged(was, is) : is;
  }
  return whole;
}

/**
 * Leaves out of each answer what the one before has said. Keeps what it said by itself: the next reading's cards may be
 * the same objects.
 */
export class Changes {
  readonly #said: Said[] = [];
  #processes: readonly NvidiaProcess[] = [];

  of({ cards, processes, xids, errors }: NvidiaReading): Omit<Answer, "answer"> {
    const changes = cards.map((card, n) => this.#changeOf(card, n));
    this.#said.length = cards.length;
    const areSame = isSameList(this.#processes, processes);
    this.#processes = processes;
    return areSame ? { cards: changes, xids, errors } : { cards: changes, processes, xids, errors };
  }

  /** Of one that stood elsewhere, or was not there, everything. */
  #changeOf(card: NvidiaCard, n: number): NvidiaCard | CardChange {
    const said = this.#said[n];
    if (said?.uuid === card.row.uuid) return { was: n, ...news(said.card, card as unknown as Keyed) };
    this.#said[n] = { uuid: card.row.uuid, card: copied(card as unknown as Keyed) };
    return card;
  }
}

/** A card as it was said last. */
interface Said {
  readonly uuid: string;
  readonly card: Record<string, unknown>;
}

function copied(value: Keyed): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...value };
  for (const key of IN_PARTS) if (isKeyed(copy[key])) copy[key] = copied(copy[key]);
  return copy;
}

/** What of `now` was not said before, told by `===` of the keys' values, and from now on was. `undefined`: nothing. */
function news(said: Record<string, unknown>, now: Keyed): Keyed | undefined {
  let changed: Record<string, unknown> | undefined;
  for (const key in now) {
    const was = said[key];
    const is = now[key];
    if (was === is) continue;
    const isInParts = IN_PARTS.has(key) && isKeyed(is);
    const change = isInParts && isKeyed(was) ? news(was, is) : is;
    if (change === undefined) continue;
    if (change === is) said[key] = isInParts ? copied(is) : is;
    changed ??= {};
    changed[key] = change;
  }
  return changed;
}

const isSameList = (before: readonly NvidiaProcess[], now: readonly NvidiaProcess[]): boolean =>
  before === now || (before.length === now.length && before.every((process, n) => isSameProcess(process, now[n])));

const isSameProcess = (a: NvidiaProcess, b: NvidiaProcess | undefined): boolean =>
  a.pid === b?.pid && a.uuid === b.uuid && a.used_memory === b.used_memory && a.utilization === b.utilization;
