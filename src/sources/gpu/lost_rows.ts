import type { Gpu } from "../../frame/schema.ts";
import type { Cycle } from "../source.ts";
import { UNREAD } from "./unknown.ts";

type Lost = NonNullable<Gpu["lost"]>;

/** A card that is gone, or does not answer, stays in the frame with what is known of it, since when and why. */
export class LostRows {
  /** As they were read last, by uuid. */
  readonly #rows = new Map<string, Gpu>();
  readonly #lost = new Map<string, Lost>();

  /**
   * The rows of a cycle, in the order of their indexes.
   * @param read Of the cards that answered.
   * @param reasonOf Why a card that was there before did not.
   */
  complete(read: readonly Gpu[], reasonOf: (uuid: string) => string, cycle: Cycle): Gpu[] {
    for (const row of read) {
      this.#rows.set(row.uuid, row);
      this.#lost.delete(row.uuid);
    }
    const answered = new Set(read.map(({ uuid }) => uuid));
    const rows = [...this.#rows.values()].map((row) =>
      answered.has(row.uuid)
        ? row
        : { ...row, ...UNREAD, health: null, time: cycle.time, lost: this.#lostOf(row, reasonOf, cycle) },
    );
    return rows.sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
  }

  #lostOf({ uuid }: Gpu, reasonOf: (uuid: string) => string, { t_ms }: Cycle): Lost {
    const known = this.#lost.get(uuid);
    const lost = known ?? { since: new Date(t_ms).toISOString(), reason: reasonOf(uuid) };
    this.#lost.set(uuid, lost);
    return lost;
  }
}
