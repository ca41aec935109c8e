import type { LostCard } from "./complaint.ts";

/** No machine has more cards. */
const MOST_CARDS = 64;

/**
 * The cards that one process of nvidia-smi says it cannot open. Some versions say so once, some in the place of a row in
 * each round.
 */
export class UnopenedCards {
  readonly #cards = new Map<string, LostCard>();
  /** Those named since there was a row. */
  readonly #named = new Set<string>();

  /** What was said last of each. */
  get all(): readonly LostCard[] {
    return [...this.#cards.values()];
  }

  /** Whether a round without a row is over: the same card is named again, and there was none since. */
  note(card: LostCard): boolean {
    const key = card.pci ?? `${card.index}`;
    if (this.#cards.has(key) || this.#cards.size < MOST_CARDS) this.#cards.set(key, card);
    if (!this.#cards.has(key)) return false;
    const isNamedAgain = this.#named.has(key);
    this.#named.add(key);
    return isNamedAgain;
  }

  /** A row came. */
  answered(): void {
    this.#named.clear();
  }

  /** Forgets them: another process speaks now. */
  clear(): void {
    this.#cards.clear();
    this.#named.clear();
  }
}
