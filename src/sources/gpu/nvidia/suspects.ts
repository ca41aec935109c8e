import { type Calling, excludedFor, type ReadRequest, startsCards } from "./nvml/messages.ts";
import type { Fault, GivenUp } from "./way.ts";

type Call = Pick<Calling, "calling" | "card">;

/** After a fault, in so many readings the helper says before each call what it calls; ten times as many the next time. */
const CAREFUL_READINGS = 10;
const MORE_EACH_TIME = 10;

/** Without it, of none of the cards would be known which one it is. */
const NAMES_CARD = "nvmlDeviceGetUUID";
const isIndispensable = (name: string): boolean => name === NAMES_CARD || startsCards(name);

/** What a call of a function did to the library, of each card that it was made for; `null`: of no card. */
type Culprit = Map<string | null, Fault>;

/**
 * Finds the call into the driver's library that crashes or hangs, and keeps it from being made: a helper's first reading is
 * a careful one, and those after a fault are, so that the next fault has a name. What one card is not asked the others still are, until it happens
 * with a second one of them. Where one card is behind several faults it is that card that is not asked for anything.
 */
export class Suspects {
  #readings = CAREFUL_READINGS;
  #carefulLeft = 0;
  #calling: Call | null = null;
  /** By the function's name. */
  readonly #culprits = new Map<string, Culprit>();
  readonly #skipped = new Set<string>();

  get isCareful(): boolean {
    return this.#carefulLeft > 0;
  }

  /** `nvmlDeviceGetHandleByIndex_v2 of GPU 2`: what is being called; `null` where not every call is announced. */
  get calling(): string | null {
    if (!this.isCareful || this.#calling === null) return null;
    const { calling, card } = this.#calling;
    return card === null ? calling : `${calling} of ${card}`;
  }

  /** A helper begins: its first reading is a careful one, as it is the one that calls everything. */
  begin(): void {
    this.#carefulLeft = Math.max(1, this.#carefulLeft);
  }

  request(read: number): ReadRequest {
    this.#calling = null;
    return {
      read,
      ...(this.isCareful && { careful: true }),
      ...(this.#culprits.size > 0 && { exclude: [...this.#culprits].map(exclusion) }),
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

  /** The helper was lost during a reading. What is not asked any more for that; `null`: nobody knows yet what it was. */
  fault(fault: Fault): GivenUp | null {
    const calling = this.#calling;
    this.#calling = null;
    if (!this.isCareful || calling === null) {
      this.#carefulLeft = this.#readings;
      this.#readings *= MORE_EACH_TIME;
      return null;
    }
    const { calling: name, card } = calling;
    const others = this.#functionsOf(card);
    if (card !== null && (isIndispensable(name) || others.length > 0)) {
      this.#skip(card);
      return { fault, functions: [...others, name], card, extent: "card" };
    }
    if (isIndispensable(name)) return null;
    const culprit: Culprit = (this.#culprits.get(name) ?? new Map()).set(card, fault);
    this.#culprits.set(name, culprit);
    return { fault, functions: [name], card, extent: isOfAll(culprit) ? "all cards" : "call" };
  }

  /** Which functions this card is not asked for, and what they do; `null`: it is asked for all. */
  notAsked(card: string): string | null {
    const entries = [...this.#culprits].flatMap(([name, culprit]) => {
      const fault = culprit.get(card) ?? (isOfAll(culprit) ? [...culprit.values()].at(-1) : undefined);
      return fault === undefined ? [] : [`${name} (${fault === "hung" ? "hangs" : "crashes"})`];
    });
    return entries.length > 0 ? entries.join(", ") : null;
  }

  /** With the driver exchanged nobody is under suspicion. */
  clear(): void {
    this.#culprits.clear();
    this.#skipped.clear();
    this.#carefulLeft = 0;
    this.#readings = CAREFUL_READINGS;
  }

  #functionsOf(card: string | null): string[] {
    return [...this.#culprits].flatMap(([name, culprit]) => (culprit.has(card) ? [name] : []));
  }

  /** The card, and no function any more on its account. */
  #skip(card: string): void {
    this.#skipped.add(card);
    for (const [name, culprit] of this.#culprits) {
      culprit.delete(card);
      if (culprit.size === 0) this.#culprits.delete(name);
    }
  }
}

/** What happens with two cards happens with all. */
const isOfAll = (culprit: Culprit): boolean => culprit.size > 1;

function exclusion([name, culprit]: [string, Culprit]): string {
  const [card = null] = culprit.keys();
  return card === null || isOfAll(culprit) ? name : excludedFor(name, card);
}
