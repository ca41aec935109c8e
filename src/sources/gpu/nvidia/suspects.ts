import type { NvidiaCard } from "./card.ts";
import { ANY_INSTANCE, type Calling, excludedFor, isInstance, type ReadRequest, startsCards } from "./nvml/messages.ts";
import { Places } from "./places.ts";
import type { Fault, GivenUp } from "./way.ts";

type Call = Pick<Calling, "calling" | "card">;

/** After a fault, in so many readings the helper says before each call what it calls; ten times as many the next time. */
const CAREFUL_READINGS = 10;
const MORE_EACH_TIME = 10;

/** Without it, of none of the cards would be known which one it is. */
const NAMES_CARD = "nvmlDeviceGetUUID";
const isIndispensable = (name: string): boolean => name === NAMES_CARD || startsCards(name);

/** What a call did to the library, and what people call the card that it was made for. */
interface Deed {
  readonly fault: Fault;
  readonly place: string | null;
}

/** What the calls of a function did, of each card that they were made for; `null`: of no card. */
type Culprit = Map<string | null, Deed>;

type Row = Pick<NvidiaCard["row"], "uuid" | "index" | "mig">;

/**
 * Finds the call into the driver's library that crashes or hangs, and keeps it from being made: a helper's first reading is
 * a careful one, and those after a fault are, so that the next fault has a name. What one card is not asked the others
 * still are, until it happens with a second one of them. Where one card is behind several faults it is that card that is
 * not asked for anything. So it is with MIG instances, but that one is asked all that it was not lost by.
 */
export class Suspects {
  #readings = CAREFUL_READINGS;
  #carefulLeft = 0;
  #calling: Call | null = null;
  /** By the function's name. */
  readonly #culprits = new Map<string, Culprit>();
  /** By the card, which calls are why. */
  readonly #skipped = new Map<string, string>();
  readonly #places = new Places();

  get isCareful(): boolean {
    return this.#carefulLeft > 0;
  }

  /** `nvmlDeviceGetPowerUsage of GPU 2`: what is being called; `null` where not every call is announced. */
  get calling(): string | null {
    if (!this.isCareful || this.#calling === null) return null;
    const { calling, card } = this.#calling;
    return card === null ? calling : `${calling} of ${this.#places.of(card)}`;
  }

  /** A helper begins: its first reading is a careful one, as it is the one that calls everything. */
  begin(): void {
    this.#carefulLeft = Math.max(1, this.#carefulLeft);
    this.#places.clear();
  }

  request(read: number): ReadRequest {
    this.#calling = null;
    return {
      read,
      ...(this.isCareful && { careful: true }),
      ...(this.#culprits.size > 0 && { exclude: [...this.#culprits].flatMap(exclusions) }),
      ...(this.#skipped.size > 0 && { skip: [...this.#skipped.keys()] }),
    };
  }

  calls(calling: Call): void {
    this.#calling = calling;
    this.#places.heard(calling.card);
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
    const place = card === null ? null : this.#places.of(card);
    if (card !== null && isInstance(card)) {
      const extent = this.#accuse(name, card, { fault, place }).instances.length > 1 ? "all instances" : "call";
      return { fault, functions: [name], card, place, extent };
    }
    const others = this.#functionsOf(card);
    if (card !== null && (isIndispensable(name) || others.length > 0)) {
      this.#skip(card, named(name, fault));
      return { fault, functions: [...others, name], card, place, extent: "card" };
    }
    if (isIndispensable(name)) return null;
    const extent = this.#accuse(name, card, { fault, place }).cards.length > 1 ? "all cards" : "call";
    return { fault, functions: [name], card, place, extent };
  }

  /** Which functions this card and its MIG instances are not asked for, and what they do; `null`: they are for all. */
  notAsked(row: Row): string | null {
    if (this.#culprits.size + this.#skipped.size === 0) return null;
    const place = `GPU ${row.index}`;
    const skipped = this.#skipped.get(row.uuid) ?? this.#skipped.get(place);
    if (skipped !== undefined) return `everything: ${skipped}`;
    const entries = [...this.#culprits].flatMap(([name, culprit]) => [
      ...ofCard(name, culprit, row.uuid),
      ...ofInstances(name, culprit, place, row),
    ]);
    return entries.length > 0 ? entries.join(", ") : null;
  }

  /** With the driver exchanged nobody is under suspicion. */
  clear(): void {
    this.#culprits.clear();
    this.#skipped.clear();
    this.#carefulLeft = 0;
    this.#readings = CAREFUL_READINGS;
  }

  #accuse(name: string, card: string | null, deed: Deed): ReturnType<typeof sidesOf> {
    const culprit: Culprit = (this.#culprits.get(name) ?? new Map()).set(card, deed);
    this.#culprits.set(name, culprit);
    return sidesOf(culprit);
  }

  #functionsOf(card: string | null): string[] {
    return [...this.#culprits].flatMap(([name, culprit]) => (culprit.has(card) ? [name] : []));
  }

  /** The card, and no function any more on its account. */
  #skip(card: string, last: string): void {
    const before = [...this.#culprits].flatMap(([name, culprit]) => wordsFor(name, culprit.get(card)));
    this.#skipped.set(card, [...before, last].join(", "));
    for (const [name, culprit] of this.#culprits) {
      culprit.delete(card);
      if (culprit.size === 0) this.#culprits.delete(name);
    }
  }
}

/** `nvmlDeviceGetPowerUsage (hangs)` */
const named = (name: string, fault: Fault): string => `${name} (${fault === "hung" ? "hangs" : "crashes"})`;

const wordsFor = (name: string, deed: Deed | undefined): string[] =>
  deed === undefined ? [] : [named(name, deed.fault)];

const lastOf = (culprit: Culprit): Deed | undefined => [...culprit.values()].at(-1);

function ofCard(name: string, culprit: Culprit, uuid: string): string[] {
  const isOfAll = sidesOf(culprit).cards.length > 1;
  return wordsFor(name, culprit.get(uuid) ?? (isOfAll ? lastOf(culprit) : undefined));
}

/** That it is not called for one instance of the card that is called `place`, or for any. */
function ofInstances(name: string, culprit: Culprit, place: string, { mig }: Row): string[] {
  const { cards, instances } = sidesOf(culprit);
  if (cards.length > 1) return [];
  if (instances.length > 1) return mig ? wordsFor(`${name} of any MIG instance`, lastOf(culprit)) : [];
  const deed = culprit.get(instances[0] ?? null);
  const instance = deed?.place?.startsWith(`${place} MIG `) ? deed.place.slice(place.length + 1) : null;
  return instance === null ? [] : wordsFor(`${name} of ${instance}`, deed);
}

/** Those of a function, apart: what happens with two cards happens with all, and with two instances, with all of these. */
const sidesOf = (culprit: Culprit) => ({
  cards: [...culprit.keys()].filter((card) => card === null || !isInstance(card)),
  instances: [...culprit.keys()].filter((card) => card !== null && isInstance(card)),
});

function exclusions([name, culprit]: [string, Culprit]): string[] {
  const { cards, instances } = sidesOf(culprit);
  const [card, secondCard] = cards;
  const [instance, secondInstance] = instances;
  if (card === null || secondCard !== undefined) return [name];
  return [
    ...(card === undefined ? [] : [excludedFor(name, card)]),
    ...(instance == null ? [] : [excludedFor(name, secondInstance === undefined ? instance : ANY_INSTANCE)]),
  ];
}
