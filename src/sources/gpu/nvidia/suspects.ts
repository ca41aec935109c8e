import { type Calling, type ReadRequest, startsCards } from "./nvml/messages.ts";

type Call = Pick<Calling, "calling" | "card">;

/** How a call ended the helper. */
export type Fault = "crashed" | "hung";

/** After a fault, in so many readings the helper says before each call what it calls; ten times as many the next time. */
const CAREFUL_READINGS = 10;
const MORE_EACH_TIME = 10;

/** Without it, of none of the cards would be known which one it is. */
const NAMES_CARD = "nvmlDeviceGetUUID";
const isIndispensable = (name: string): boolean => name === NAMES_CARD || startsCards(name);

/**
 * Finds the function of the driver's library that crashes or hangs, and keeps it from being called: after a fault the
 * readings are careful ones, so that the second fault has a name. Where one card is behind several faults it is that card
 * that is not asked, and the functions are asked again of the others.
 */
export class Suspects {
  #readings = CAREFUL_READINGS;
  #carefulLeft = 0;
  #calling: Call | null = null;
  /** Functions that are not called, with the card that each was called for. */
  readonly #excluded = new Map<string, string | null>();
  readonly #skipped = new Set<string>();

  get isCareful(): boolean {
    return this.#carefulLeft > 0;
  }

  request(read: number): ReadRequest {
    this.#calling = null;
    return {
      read,
      ...(this.isCareful && { careful: true }),
      ...(this.#excluded.size > 0 && { exclude: [...this.#excluded.keys()] }),
      ...(this.#skipped.size > 0 && { skip: [...this.#skipped] }),
    };
  }

  calls(calling: Call): void {
    this.#calling = calling;
  }

  /** A reading came to its end. */
  answered(): void {
    this.#calling = null;
    if (this.#carefulLeft > 0) this.#carefulLeft--;
  }

  /** The helper was lost during a reading. What is to be said of it, once: what is not asked any more. */
  fault(fault: Fault): string | null {
    const calling = this.#calling;
    this.#calling = null;
    if (!this.isCareful || calling === null) {
      this.#carefulLeft = this.#readings;
      this.#readings *= MORE_EACH_TIME;
      return null;
    }
    const { calling: name, card } = calling;
    const others = this.#excludedFor(card);
    if (card !== null && (isIndispensable(name) || others.length > 0)) {
      for (const other of others) this.#excluded.delete(other);
      this.#skipped.add(card);
      return `${card}: ${[...others, name].join(" and ")} ${fault} the driver's library; it is not asked any more`;
    }
    if (isIndispensable(name)) return null;
    this.#excluded.set(name, card);
    return `${name} ${fault} the driver's library; not asked any more`;
  }

  /** With the driver exchanged nobody is under suspicion. */
  clear(): void {
    this.#excluded.clear();
    this.#skipped.clear();
    this.#carefulLeft = 0;
    this.#readings = CAREFUL_READINGS;
  }

  #excludedFor(card: string | null): string[] {
    return [...this.#excluded].flatMap(([name, of]) => (of === card ? [name] : []));
  }
}
