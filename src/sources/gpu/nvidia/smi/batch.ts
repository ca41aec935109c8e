/** nvidia-smi prints all of a round at once: after so long without a further row it was the last one. */
export const QUIET_MS = 100;

/** Rows of one round at most: an nvidia-smi that has gone mad must not fill the memory. */
const MOST_ROWS = 4096;

/** The rows of one round of a query, with when the last of them came. */
export interface Batch<T> {
  readonly rows: readonly T[];
  readonly received_ms: number;
}

/**
 * Puts together the rounds of an nvidia-smi that loops; nothing in its output parts them. `begins` tells whether a row
 * belongs to a round after that of the rows so far.
 */
export class Batches<T> {
  readonly #begins: (row: T, round: readonly T[]) => boolean;
  #open: T[] = [];
  #received_ms = 0;
  #complete: Batch<T> | null = null;

  constructor(begins: (row: T, round: readonly T[]) => boolean) {
    this.#begins = begins;
  }

  /** `total`: how many rows a round has, where that is known. */
  add(row: T, received_ms: number, total: number | null): void {
    if (this.#open.length > 0 && this.#begins(row, this.#open)) this.#close();
    if (this.#open.length < MOST_ROWS) this.#open.push(row);
    this.#received_ms = received_ms;
    if (this.#open.length === total) this.#close();
  }

  /** A round is over in which there was no row. */
  addNone(received_ms: number): void {
    this.#open = [];
    this.#complete = { rows: [], received_ms };
  }

  /** The last round that was printed to its end; `null` before there was one. */
  latest(now_ms: number): Batch<T> | null {
    if (this.#open.length > 0 && now_ms - this.#received_ms >= QUIET_MS) this.#close();
    return this.#complete;
  }

  /** Forgets them: another process prints now. */
  clear(): void {
    this.#open = [];
    this.#complete = null;
  }

  #close(): void {
    this.#complete = { rows: this.#open, received_ms: this.#received_ms };
    this.#open = [];
  }
}
