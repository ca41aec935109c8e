import type { Gpu } from "../../../frame/schema.ts";
import type { Cycle, HostIdentity } from "../../source.ts";
import type { CardPlace } from "../registry.ts";
import { UNREAD } from "../unknown.ts";
import { NOT_ASKED, type NvidiaCard } from "./card.ts";
import { worstXid, xidText } from "./xid_texts.ts";

/** So long before a card was found lost, and after, an XID of it is the reason. */
const REASON_BEFORE_MS = 300_000;
const REASON_AFTER_MS = 60_000;

interface Lost {
  readonly since_ms: number;
  /** What the driver says. */
  readonly words: string;
  reason: string;
}

interface Known {
  /** As it was known first. */
  index: number | null;
  pci: string;
  /** As it was read last. */
  row: NvidiaCard["row"];
  lost: Lost | null;
}

/** The first keys of a device in the schema's order, which is the quickest to encode; all are set in each row. */
const IN_ORDER = {
  uuid: "",
  time: "",
  name: "",
  device_type: "GPU",
  host_id: "",
  hostname: "",
  instance: "",
  index: null,
};

/** The codes of a card's XIDs since that time. */
type XidsSince = (uuid: string, t_ms: number) => readonly number[];

/**
 * The rows of a machine's cards. A card that was seen once stays: lost, where it is not read any more. It keeps the index
 * that it had first, also where the driver counts anew without those that are lost, so that its history stays its own.
 */
export class CardRows {
  readonly #host: HostIdentity;
  readonly #xidsSince: XidsSince;
  #known: Known[] = [];

  constructor(host: HostIdentity, xidsSince: XidsSince) {
    this.#host = host;
    this.#xidsSince = xidsSince;
  }

  get places(): CardPlace[] {
    return this.#known.map(({ pci, row, index }) => ({ pci, uuid: row.uuid, index }));
  }

  indexOf(uuid: string): number | null {
    return this.#known.find(({ row }) => row.uuid === uuid)?.index ?? null;
  }

  /** Takes what was read in this cycle. */
  update(read: readonly NvidiaCard[], { t_ms }: Cycle): void {
    const cards = distinct(read);
    if (this.#areThose(cards)) for (const [n, card] of cards.entries()) this.#take(card, this.#known[n] as Known, t_ms);
    else this.#match(cards, t_ms);
  }

  /** Whether all that are known were read, and no others, each in its place: as in nearly all cycles. */
  #areThose(cards: readonly NvidiaCard[]): boolean {
    const known = this.#known;
    if (cards.length !== known.length) return false;
    for (let n = 0; n < known.length; n++) {
      const uuid = known[n]?.row.uuid ?? "";
      if (uuid !== cards[n]?.row.uuid || !isNamed(uuid)) return false;
    }
    return true;
  }

  #take(card: NvidiaCard, known: Known, t_ms: number): void {
    known.pci = card.pci || known.pci;
    known.row = card.lost === null ? card.row : stillKnown(known.row, card.row);
    known.index ??= this.#freeIndex(card.row.index ?? null);
    this.#judge(known, card.lost, t_ms);
  }

  #match(cards: readonly NvidiaCard[], t_ms: number): void {
    const missing = new Set(this.#known);
    const strangers: NvidiaCard[] = [];
    const take = (card: NvidiaCard, known: Known): void => {
      missing.delete(known);
      this.#take(card, known, t_ms);
    };
    for (const card of cards) {
      const known = find(missing, ({ row }) => isNamed(row.uuid) && row.uuid === card.row.uuid);
      if (known) take(card, known);
      else strangers.push(card);
    }
    for (const card of strangers) take(card, findByPlace(card, missing) ?? this.#add(card));
    for (const known of missing) this.#judge(known, "the driver does not list it any more", t_ms);
    this.#known.sort((a, b) => (a.index ?? Number.POSITIVE_INFINITY) - (b.index ?? Number.POSITIVE_INFINITY));
  }

  /** In index order. Without `isRead`, all that can change is unknown: nobody could look in this cycle. */
  rows({ time }: Cycle, isRead: boolean): Gpu[] {
    return this.#known.map(({ row, index, lost }) => {
      const whole = isRead && lost === null ? row : unread(row);
      const gpu = { ...IN_ORDER, ...whole, ...this.#host, time, index };
      return lost === null
        ? gpu
        : { ...gpu, lost: { since: new Date(lost.since_ms).toISOString(), reason: lost.reason } };
    });
  }

  #add(card: NvidiaCard): Known {
    const known: Known = { index: this.#freeIndex(card.row.index ?? null), pci: card.pci, row: card.row, lost: null };
    this.#known.push(known);
    return known;
  }

  #freeIndex(wanted: number | null): number | null {
    const taken = new Set(this.#known.map(({ index }) => index));
    let index = wanted;
    while (index !== null && taken.has(index)) index++;
    return index;
  }

  #judge(known: Known, words: string | null, t_ms: number): void {
    if (words === null) {
      known.lost = null;
      return;
    }
    known.lost ??= { since_ms: t_ms, words, reason: words };
    const { lost, row } = known;
    if (t_ms - lost.since_ms > REASON_AFTER_MS) return;
    const xid = worstXid(this.#xidsSince(row.uuid, lost.since_ms - REASON_BEFORE_MS));
    lost.reason = xid === null ? lost.words : xidText(xid);
  }
}

const find = (among: Iterable<Known>, isIt: (known: Known) => boolean): Known | undefined =>
  Array.from(among).find(isIt);

/** Where several cards say the same UUID (of zeros, mostly), it names none of them: each is called by its place. */
function distinct(cards: readonly NvidiaCard[]): readonly NvidiaCard[] {
  const counts = new Map<string, number>();
  for (const { row } of cards) counts.set(row.uuid, (counts.get(row.uuid) ?? 0) + 1);
  if (counts.size === cards.length) return cards;
  return cards.map((card) => {
    const isOwn = !isNamed(card.row.uuid) || counts.get(card.row.uuid) === 1;
    return isOwn || card.pci === "" ? card : { ...card, row: { ...card.row, uuid: `PCI-${card.pci}` } };
  });
}

/** Of a card that gives no handle nobody knows the UUID. */
const isNamed = (uuid: string): boolean => uuid.startsWith("GPU-");

/** One that was or is without a name, by where it is. */
function findByPlace({ pci, row }: NvidiaCard, missing: ReadonlySet<Known>): Known | undefined {
  const couldBe = (known: Known) => !isNamed(row.uuid) || !isNamed(known.row.uuid);
  return (
    find(missing, (known) => couldBe(known) && pci !== "" && known.pci === pci) ??
    find(missing, (known) => couldBe(known) && (pci === "" || known.pci === "") && known.index === row.index)
  );
}

/** What was read of a card before it was lost; only why nobody asks it any more is news. */
function stillKnown(before: NvidiaCard["row"], { detail }: NvidiaCard["row"]): NvidiaCard["row"] {
  const words = detail[NOT_ASKED];
  if (words === undefined || words === before.detail[NOT_ASKED]) return before;
  return { ...before, detail: { ...before.detail, [NOT_ASKED]: words } };
}

/** What can change, as unknown; what a card is stays. */
const unread = (row: NvidiaCard["row"]): NvidiaCard["row"] => ({
  ...row,
  ...UNREAD,
  ...(row.mig && { mig: row.mig.map((instance) => ({ ...instance, used_memory: null, utilization: null })) }),
  ...(row.health !== undefined && { health: null }),
});
