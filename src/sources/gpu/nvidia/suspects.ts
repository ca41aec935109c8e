import type { Calling, ReadRequest } from "./nvml/messages.ts";

/** How a call ended the helper. */
export type Fault = "crashed" | "hung";

/** After a fault, in so many readings the helper says before each call what it calls; ten times as many the next time. */
const CAREFUL_READINGS = 10;
const MORE_EACH_TIME = 10;

/** Without these nothing can be read at all; and they start cards. */
const INDISPENSABLE = /^nvml(Init|Shutdown|DeviceGetCount|DeviceGetHandleBy)/;

/**
 * Finds the function of the driver's library that crashes or hangs, and keeps it from being called: after a fault the
 * readings are careful ones, so that the second fault has a name.
 */
export class Suspects {
  #readings = CAREFUL_READINGS;
  #carefulLeft = 0;
  #calling: Calling | null = null;
  readonly #excluded = new Set<string>();

  get isCareful(): boolean {
    return this.#carefulLeft > 0;
  }

  request(read: number): ReadRequest {
    this.#calling = null;
    return {
      read,
      ...(this.isCareful && { careful: true }),
      ...(this.#excluded.size > 0 && { exclude: [...this.#excluded] }),
    };
  }

  calls(calling: Calling): void {
    this.#calling = calling;
  }

  /** A reading came to its end. */
  answered(): void {
    this.#calling = null;
    if (this.#carefulLeft > 0) this.#carefulLeft--;
  }

  /** The helper was lost during a reading. What is to be said of it, once: which function is not asked any more. */
  fault(fault: Fault): string | null {
    const name = this.#calling?.calling;
    this.#calling = null;
    if (!this.isCareful || name === undefined) {
      this.#carefulLeft = this.#readings;
      this.#readings *= MORE_EACH_TIME;
      return null;
    }
    if (bringsUpCards(name)) return null;
    this.#excluded.add(name);
    return `${name} ${fault} the driver's library; not asked any more`;
  }

  /** With the driver exchanged nobody is under suspicion. */
  clear(): void {
    this.#excluded.clear();
    this.#carefulLeft = 0;
    this.#readings = CAREFUL_READINGS;
  }
}

/** One that takes as long as a card takes to start. */
export const bringsUpCards = (name: string): boolean => INDISPENSABLE.test(name);
