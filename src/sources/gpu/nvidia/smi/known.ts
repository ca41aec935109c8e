import type { NvidiaCard, NvidiaProcess } from "../card.ts";
import type { LostCard } from "./complaint.ts";
import type { ProcessValues } from "./fields.ts";
import { type Beside, cardOf, lostCard } from "./rows.ts";
import type { GpuRow } from "./session.ts";

/** No machine has more cards: whatever prints more has gone mad. */
const MOST_CARDS = 256;

/** Where a card is that answered once. */
export interface KnownPlace {
  readonly pci: string;
  readonly index: number | null;
}

/** The cards as they were when they answered last: what a card is that does not answer any more. */
export class KnownCards {
  #cards: readonly NvidiaCard[] = [];

  get places(): readonly KnownPlace[] {
    return this.#cards.map(({ pci, row }) => ({ pci, index: row.index ?? null }));
  }

  /** The cards of one round, and those that cannot be opened. */
  cardsOf(rows: readonly GpuRow[], unopened: readonly LostCard[], beside: Beside): NvidiaCard[] {
    const cards = rows.slice(0, MOST_CARDS).map(({ values, lost }, place) => {
      if (lost === null) return cardOf(values, beside);
      return lostCard(lost, this.#find(values.uuid, values.index ?? place), values);
    });
    for (const card of unopened.slice(0, MOST_CARDS)) {
      const before = this.#cards.find(({ pci, row }) => isNamed(card, pci, row.index)) ?? null;
      const isThere = cards.some(({ pci, row }) => isNamed(card, pci, row.index) || row.uuid === before?.row.uuid);
      if (!isThere) cards.push(lostCard(card.reason, before, card));
    }
    const answering = cards.filter(({ lost }) => lost === null);
    const others = this.#cards.filter(({ row }) => answering.every((card) => card.row.uuid !== row.uuid));
    this.#cards = [...answering, ...others];
    return cards.sort((a, b) => (a.row.index ?? 0) - (b.row.index ?? 0));
  }

  #find(uuid: string | null, index: number): NvidiaCard | null {
    return this.#cards.find(({ row }) => (uuid === null ? row.index === index : row.uuid === uuid)) ?? null;
  }
}

/** Whether nvidia-smi speaks of the card at this place; where it gives the address, that tells. */
export const isNamed = (card: LostCard, pci: string, index: number | null | undefined): boolean =>
  card.pci === null ? card.index === (index ?? null) : card.pci === pci;

/** Each process once per card: in MIG mode it has a row for each instance that it runs in. */
export function processesOf(rows: readonly ProcessValues[]): NvidiaProcess[] {
  const processes = new Map<string, NvidiaProcess>();
  for (const { pid, uuid, used_memory } of rows) {
    if (pid === null || uuid === null) continue;
    const key = `${pid} ${uuid}`;
    const before = processes.get(key);
    processes.set(key, {
      pid,
      uuid,
      used_memory: before ? added(before.used_memory, used_memory) : used_memory,
      utilization: null,
    });
  }
  return [...processes.values()];
}

const added = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);
