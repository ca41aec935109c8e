import type { SupervisedChild } from "../../child.ts";
import { sentenceOf } from "./complaint.ts";
import type { Fields, Values } from "./fields.ts";
import { type NvidiaSmi, START_MS } from "./program.ts";
import type { Query } from "./query.ts";

export interface LoopOptions {
  readonly smi: NvidiaSmi;
  readonly period_ms: number;
  /** The cards to be asked, by the addresses that nvidia-smi has for them; `null`: all. */
  readonly only: readonly string[] | null;
}

/** So many of its words are kept. */
const MOST_WORDS = 20;

/** What comes of what it prints. */
export interface LoopHandlers<F extends Fields> {
  readonly onRow: (cells: readonly string[], values: Values<F>) => void;
  /** Each line that is neither row nor header, also one that it said before. */
  readonly onWords?: (line: string) => void;
}

/** A query that nvidia-smi repeats, in one process as long as that goes well. */
export class Loop<F extends Fields> {
  readonly #child: SupervisedChild;
  #words: string[] = [];
  #hasRows = false;
  #ending: string | null = null;
  #began_ms: number | null = null;

  constructor(
    name: "gpu" | "compute-apps",
    query: Query<F>,
    { smi, period_ms, only }: LoopOptions,
    { onRow, onWords }: LoopHandlers<F>,
  ) {
    const chosen = only === null ? [] : ["-i", only.join(",")];
    const args = [`--query-${name}=${query.names}`, "--format=csv,nounits", "-lms", String(period_ms)];
    this.#child = smi.loop([...args, ...chosen], {
      onLine: (line) => {
        const cells = query.cells(line);
        this.#hasRows ||= cells !== null;
        if (cells !== null) onRow(cells, query.values(cells));
        else if (query.isHeader(line)) this.#began_ms = performance.now();
        else {
          this.#keep(line);
          onWords?.(line);
        }
      },
      onEnd: (why) => {
        this.#ending = sentenceOf(this.#words, why);
      },
    });
  }

  /** Of the process that runs, or ran last: whether it said something of use. */
  get hasRows(): boolean {
    return this.#hasRows;
  }

  /** When it printed the header, behind which the first rows stand; of a clock that nobody steps. */
  get began_ms(): number | null {
    return this.#began_ms;
  }

  /** What it said besides, each once: of cards that it cannot open, of why it ends. */
  get words(): readonly string[] {
    return this.#words;
  }

  /** Why it does not run, as a sentence for people. */
  get ending(): string | null {
    return this.#ending;
  }

  /** Starts it unless it runs; after it ended, not at once. Whether there is a new process. */
  start(): boolean {
    if (this.#child.isRunning) return false;
    this.#child.start();
    if (!this.#child.isRunning) return false;
    this.#words = [];
    this.#hasRows = false;
    this.#ending = null;
    this.#began_ms = null;
    this.#child.expect(START_MS, "did not answer");
    return true;
  }

  /** It is killed unless a row comes in this time, or it is told otherwise. */
  expect(limit_ms: number): void {
    this.#child.expect(limit_ms, "printed nothing any more");
  }

  met(): void {
    this.#child.met();
  }

  dismiss(smi: NvidiaSmi): void {
    smi.dismiss(this.#child);
  }

  #keep(line: string): void {
    if (this.#words.length < MOST_WORDS && !this.#words.includes(line)) this.#words.push(line);
  }
}
