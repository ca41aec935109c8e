import type { Gpu } from "../frame/schema.ts";
import { type Moment, Reading } from "./marks.ts";
import type { Verdict } from "./verdict.ts";

/** NVLinks of a GPU that are kept track of. */
const MAX_LINKS = 64;

/** A GPU's NVLinks, as a frame has them. */
export type Links = NonNullable<NonNullable<Gpu["health"]>["nvlink"]>;

/** What is remembered of one GPU's NVLinks. */
export class LinkMemory {
  /** Of each link by its number: 1 while it is active. */
  readonly #states: Reading[] = [];
  #last: Links | null = null;
  /** When the same list was last seen without a look at its links; `null`: they were looked at. */
  #unseen: Moment | null = null;

  /**
   * Whether there is nothing to be found in them: a recorder's frames have the same list, by identity, until something
   * of it is another. `hasOpen`: a condition of this GPU is on, which a link may end.
   */
  isSame(links: Links, now: Moment, hasOpen: boolean): boolean {
    if (links === this.#last && !hasOpen) {
      this.#unseen = now;
      return true;
    }
    if (this.#unseen !== null)
      for (const { link_index, state } of this.#last ?? []) this.verdict(link_index, state, this.#unseen);
    this.#unseen = null;
    this.#last = links;
    return false;
  }

  /** Of one link by its number; one that was never seen active is not plugged in. */
  verdict(link: number, state: string | null, now: Moment): Verdict {
    if (state === null || link >= MAX_LINKS) return "unknown";
    let reading = this.#states[link];
    if (reading === undefined) {
      reading = new Reading();
      this.#states[link] = reading;
    }
    const isActive = state === "active";
    const was = reading.follow(isActive ? 1 : 0, now);
    return isActive ? "off" : was === 1 ? "on" : "near";
  }
}
