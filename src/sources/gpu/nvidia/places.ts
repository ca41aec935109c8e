import { isInstance } from "./nvml/messages.ts";

const CARD_PLACE = /^GPU \d+$/;
/** Of the card that is named before it. */
const INSTANCE_PLACE = / MIG \d+$/;

/**
 * Which card is which, as heard from a helper: one is called `GPU 3` until its UUID is read, and by that from the next
 * call on; an instance `GPU-… MIG 0`, then `MIG-…`.
 */
export class Places {
  #before: string | null = null;
  readonly #places = new Map<string, string>();

  /** Of each call, in their order. */
  heard(card: string | null): void {
    if (card !== null && this.#before !== null && !this.#places.has(card) && isNameFor(card, this.#before)) {
      this.#places.set(card, this.of(this.#before));
    }
    this.#before = card;
  }

  /** `GPU 3`, or `GPU 3 MIG 0`; the name itself where no more is known. */
  of(card: string): string {
    const known = this.#places.get(card);
    if (known !== undefined) return known;
    const end = card.search(INSTANCE_PLACE);
    return end < 0 ? card : this.of(card.slice(0, end)) + card.slice(end);
  }

  clear(): void {
    this.#before = null;
    this.#places.clear();
  }
}

const isNameFor = (card: string, place: string): boolean =>
  isInstance(place)
    ? INSTANCE_PLACE.test(place) && card.startsWith("MIG-")
    : CARD_PLACE.test(place) && !CARD_PLACE.test(card) && !isInstance(card);
