import { readdirSync } from "node:fs";
import { below } from "../../../local/below_root.ts";
import { pciAddress } from "../../registry.ts";
import type { LostCard } from "./complaint.ts";
import { isNamed, type KnownPlace } from "./known.ts";
import type { NvidiaSmi } from "./program.ts";
import type { Queries } from "./queries.ts";
import { Session } from "./session.ts";

/** Where the driver lists its cards. */
const DRIVER_FOLDER = "/proc/driver/nvidia/gpus";

/** Cards that could not be opened are tried again after so long: while they still cannot, the others are not told. */
const REOPEN_MS = 600_000;

/**
 * The session that is listened to. One of another period takes its place when it has answered; one that leaves out
 * cards that cannot be opened, at once.
 */
export class Sessions {
  readonly #smi: NvidiaSmi;
  readonly #root: string;
  #current: Session | null = null;
  #next: Session | null = null;
  #only: readonly string[] | null = null;
  #leftOut: readonly LostCard[] = [];
  #leftOut_ms = 0;

  /** `root` is before `/proc`. */
  constructor(smi: NvidiaSmi, root: string) {
    this.#smi = smi;
    this.#root = root;
  }

  /** The cards that cannot be opened. */
  get unopened(): readonly LostCard[] {
    return [...this.#leftOut, ...(this.#current?.unopened ?? [])];
  }

  /** `known`: the cards that were told before. */
  current(queries: Queries, period_ms: number, known: readonly KnownPlace[]): Session {
    this.#reconsider(known);
    if (this.#next?.gpus() && this.#next.knowsProcesses) {
      this.#current?.close();
      this.#current = this.#next;
      this.#next = null;
    }
    this.#current ??= this.#open(queries, period_ms);
    const planned = this.#next ?? this.#current;
    if (planned.options.period_ms !== period_ms) {
      this.#next?.close();
      this.#next = this.#current.options.period_ms === period_ms ? null : this.#open(queries, period_ms);
    }
    this.#current.start();
    this.#next?.start();
    return this.#current;
  }

  /** Ends what runs: the next session asks for what is known then. */
  reset(): void {
    this.#current?.close();
    this.#next?.close();
    this.#current = null;
    this.#next = null;
  }

  #open(queries: Queries, period_ms: number): Session {
    return new Session(queries, { smi: this.#smi, period_ms, only: this.#only });
  }

  #reconsider(known: readonly KnownPlace[]): void {
    if (this.#current?.gaveUp) this.#leaveOut(this.#current.unopened, known);
    else if (this.#only !== null && performance.now() - this.#leftOut_ms >= REOPEN_MS) {
      this.#only = null;
      this.#leftOut = [];
      this.reset();
    }
  }

  #leaveOut(unopened: readonly LostCard[], known: readonly KnownPlace[]): void {
    const out = [...this.#leftOut, ...unopened];
    const cards = known.length > 0 ? known : this.#driverCards();
    const asked = cards.filter(({ pci, index }) => !out.some((card) => isNamed(card, pci, index)));
    const only = asked.map(({ pci }) => pci);
    if (only.length === 0 || only.length === (this.#only ?? cards).length) return;
    this.reset();
    this.#only = only;
    this.#leftOut = out;
    this.#leftOut_ms = performance.now();
  }

  #driverCards(): KnownPlace[] {
    try {
      return readdirSync(below(this.#root, DRIVER_FOLDER)).flatMap((name) => {
        const pci = pciAddress(name);
        return pci === null ? [] : [{ pci, index: null }];
      });
    } catch {
      return [];
    }
  }
}
