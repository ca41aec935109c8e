import { isGraver, SEVERITIES } from "../../../frame/severity.ts";
import type { Heard } from "./bursts.ts";

/** Of one frame; the rest waits for the next ones. */
const MOST_EVENTS = 32;
/** Waiting ones: a machine that does more than this has told enough of it. */
const MOST_WAITING = 1000;

const rankOf = ({ finding }: Heard): number => SEVERITIES.indexOf(finding.severity);

/** What is still to be told: the gravest first, so that a flood holds up nothing that matters more. */
export class Waiting {
  #heard: Heard[] = [];

  get size(): number {
    return this.#heard.length;
  }

  /** How many found no room, or made way for graver ones. `isNew` is asked of none that finds no room. */
  add(heard: readonly Heard[], isNew: (one: Heard) => boolean): number {
    let leftOut = 0;
    for (const one of heard) {
      const hasRoom = this.#heard.length < MOST_WAITING;
      const lesser = hasRoom ? -1 : this.#lesserThan(one);
      if (!hasRoom && lesser < 0) leftOut++;
      else if (isNew(one)) {
        if (!hasRoom) this.#heard.splice(lesser, 1);
        if (!hasRoom) leftOut++;
        this.#heard.push(one);
      }
    }
    return leftOut;
  }

  /** The latest that is less grave; -1 where there is none. */
  #lesserThan({ finding }: Heard): number {
    return this.#heard.findLastIndex((other) => isGraver(finding.severity, other.finding.severity));
  }

  /** Those for one frame, in the order in which they came. */
  take(): Heard[] {
    const next = new Set(this.#heard.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, MOST_EVENTS));
    const taken = this.#heard.filter((one) => next.has(one));
    this.#heard = this.#heard.filter((one) => !next.has(one));
    return taken;
  }
}
