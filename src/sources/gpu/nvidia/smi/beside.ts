import { parseList } from "./list.ts";
import { parseLog } from "./log.ts";
import type { NvidiaSmi } from "./program.ts";
import type { Beside } from "./rows.ts";

/** How often what seldom changes is asked for; and where there are MIG instances, whose memory only the log tells. */
const SELDOM_MS = 60_000;
const WITH_INSTANCES_MS = 10_000;

/** What only nvidia-smi's log and its list of MIG instances tell, read at a slower beat. */
export class BesideReader {
  readonly #smi: NvidiaSmi;
  #latest: Beside = { log: null, instances: new Map() };
  #asked_ms = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;

  constructor(smi: NvidiaSmi) {
    this.#smi = smi;
  }

  /** What is not known, or could not be had, is missing there, and no error. */
  get latest(): Beside {
    return this.#latest;
  }

  /** Asks again where it is time. Settles when all that was asked is answered. */
  refresh(hasInstances: boolean): Promise<void> {
    const every_ms = hasInstances ? WITH_INSTANCES_MS : SELDOM_MS;
    if (this.#asking === null && performance.now() - this.#asked_ms >= every_ms) {
      this.#asked_ms = performance.now();
      this.#asking = this.#ask().finally(() => {
        this.#asking = null;
      });
    }
    return this.#asking ?? Promise.resolve();
  }

  async #ask(): Promise<void> {
    const [log, list] = await Promise.allSettled([this.#smi.ask(["-q"]), this.#smi.ask(["-L"])]);
    this.#latest = {
      log: log.status === "fulfilled" ? parseLog(log.value) : null,
      instances: list.status === "fulfilled" ? parseList(list.value) : new Map(),
    };
  }
}
