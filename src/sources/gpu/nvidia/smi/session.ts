import { type Batch, Batches, QUIET_MS } from "./batch.ts";
import { lostReason } from "./cells.ts";
import { type LostCard, lostCardIn, refusedIn, saysNoDevices } from "./complaint.ts";
import type { GPU_FIELDS, GpuValues, PROCESS_FIELDS, ProcessValues } from "./fields.ts";
import { Loop, type LoopOptions } from "./loop.ts";
import type { Queries } from "./queries.ts";
import { UnopenedCards } from "./unopened.ts";

/** A card in one round. */
export interface GpuRow {
  readonly values: GpuValues;
  /** Why the card does not answer. */
  readonly lost: string | null;
}

/** After so many periods without a row, what it said last is no news any more. */
const STALE_PERIODS = 2.5;
/** A loop that says nothing for so long hangs, however short its period is. */
const HUNG_MS = 10_000;
const HUNG_PERIODS = 5;

/** The two queries, repeated at one period, of the same cards. */
export class Session {
  readonly options: LoopOptions;
  readonly #asked: readonly string[];
  readonly #gpus: Loop<typeof GPU_FIELDS>;
  readonly #processes: Loop<typeof PROCESS_FIELDS>;
  readonly #gpuRounds = new Batches<GpuRow>(isNextRound);
  readonly #processRounds: Batches<ProcessValues>;
  readonly #unopened = new UnopenedCards();

  constructor(queries: Queries, options: LoopOptions) {
    const { period_ms, only } = options;
    this.options = options;
    this.#asked = queries.gpu.names.split(",");
    this.#processRounds = new Batches((row, round) => isLater(row, round, period_ms / 2));
    this.#gpus = new Loop("gpu", queries.gpu, options, {
      onRow: (cells, values) => {
        this.#goesOn();
        this.#unopened.answered();
        const total = only === null ? values.count : only.length;
        this.#gpuRounds.add({ values, lost: lostReason(cells) }, performance.now(), total);
      },
      onWords: (line) => this.#hear(line),
    });
    this.#processes = new Loop("compute-apps", queries.processes, options, {
      onRow: (_, values) => this.#processRounds.add(values, performance.now(), null),
    });
  }

  /** Starts what does not run, and did not end just now. */
  start(): void {
    if (this.#gpus.start()) {
      this.#gpuRounds.clear();
      this.#unopened.clear();
    }
    if (this.#processes.start()) this.#processRounds.clear();
  }

  /** The cards as of the last round; `null` where that is old, or none was yet; none, where none could be opened. */
  gpus(): readonly GpuRow[] | null {
    return this.#fresh(this.#gpuRounds.latest(performance.now()));
  }

  /** Whether the first round of the processes is over: where there are none, nothing is printed of them. */
  get knowsProcesses(): boolean {
    if (this.#processes.ending !== null) return true;
    const { began_ms } = this.#processes;
    return began_ms !== null && performance.now() - began_ms >= QUIET_MS;
  }

  processes(): readonly ProcessValues[] {
    return this.#fresh(this.#processRounds.latest(performance.now())) ?? [];
  }

  /** Why no cards are told; `null` where that is only a matter of time. */
  get trouble(): string | null {
    if (this.#gpus.ending !== null) return this.#gpus.ending;
    const last = this.#gpuRounds.latest(performance.now());
    if (last === null) return null;
    return `nvidia-smi printed nothing for ${Math.round((performance.now() - last.received_ms) / 1000)} s`;
  }

  /** The names of what it was asked for and does not know, though its help tells of it. */
  get refused(): readonly string[] {
    return this.#gpus.words.flatMap(refusedIn).filter((name) => this.#asked.includes(name));
  }

  /** Why no processes are told. */
  get processTrouble(): string | null {
    return this.#processes.ending;
  }

  /** The driver runs, and has no card. */
  get hasNoDevices(): boolean {
    return this.#gpus.ending !== null && this.#gpus.words.some(saysNoDevices) && this.unopened.length === 0;
  }

  /** The cards of which it said that they cannot be opened; one that has a row by now can be. */
  get unopened(): readonly LostCard[] {
    return this.#unopened.all;
  }

  /** It ended because of a card that cannot be opened, without a word of the others, as older versions do. */
  get gaveUp(): boolean {
    return this.#gpus.ending !== null && !this.#gpus.hasRows && this.unopened.length > 0;
  }

  close(): void {
    this.#gpus.dismiss(this.options.smi);
    this.#processes.dismiss(this.options.smi);
  }

  #hear(line: string): void {
    const card = lostCardIn(line);
    if (card === null || !this.#unopened.note(card)) return;
    this.#goesOn();
    this.#gpuRounds.addNone(performance.now());
  }

  #goesOn(): void {
    this.#gpus.expect(Math.max(HUNG_MS, HUNG_PERIODS * this.options.period_ms));
    // Where no process uses a card nothing is printed: only the other loop tells whether nvidia-smi hangs.
    this.#processes.met();
  }

  #fresh<T>(batch: Batch<T> | null): readonly T[] | null {
    const isOld = batch === null || performance.now() - batch.received_ms > this.options.period_ms * STALE_PERIODS;
    return isOld ? null : batch.rows;
  }
}

/** The cards come in the order of their numbers; one that is lost may have none. */
function isNextRound({ values: { index } }: GpuRow, round: readonly GpuRow[]): boolean {
  const last = round.findLast(({ values }) => values.index !== null)?.values.index ?? null;
  return index !== null && last !== null && index <= last;
}

/** The rows of a round have times that are close together. */
function isLater(row: ProcessValues, round: readonly ProcessValues[], gap_ms: number): boolean {
  const last = round.at(-1);
  return Math.abs((row.timestamp_ms ?? 0) - (last?.timestamp_ms ?? 0)) > gap_ms;
}
