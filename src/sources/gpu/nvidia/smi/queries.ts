import { GPU_FIELDS, PROCESS_FIELDS } from "./fields.ts";
import type { NvidiaSmi } from "./program.ts";
import { parseHelp, Query } from "./query.ts";

/** What is asked for, of what the nvidia-smi of this machine knows. */
export interface Queries {
  readonly gpu: Query<typeof GPU_FIELDS>;
  readonly processes: Query<typeof PROCESS_FIELDS>;
}

/** So old, help may be another version's; one that told nothing of use is asked again after so long. */
const RETRY_MS = 10_000;

type Help = readonly [gpu: ReadonlySet<string>, processes: ReadonlySet<string>];

/** Finds out once what can be asked for. */
export class QueryFinder {
  readonly #smi: NvidiaSmi;
  #help: Promise<Help> | null = null;
  #asked_ms = 0;
  #queries: Promise<Queries> | null = null;
  #hasFailed = false;
  /** What it does not know, whatever its help says. */
  readonly #refused = new Set<string>();

  constructor(smi: NvidiaSmi) {
    this.#smi = smi;
  }

  find(): Promise<Queries> {
    if (this.#hasFailed && this.#isHelpOld) this.#forget();
    this.#queries ??= this.#make();
    return this.#queries;
  }

  /** Of the cards, these names are not asked for any more; with help that is old, what another version calls them is. */
  leaveOut(names: readonly string[]): void {
    for (const name of names) this.#refused.add(name);
    if (this.#isHelpOld) this.#help = null;
    this.#queries = null;
  }

  get #isHelpOld(): boolean {
    return performance.now() - this.#asked_ms >= RETRY_MS;
  }

  #forget(): void {
    this.#refused.clear();
    this.#help = null;
    this.#queries = null;
  }

  #make(): Promise<Queries> {
    this.#hasFailed = false;
    this.#help ??= this.#askForHelp();
    const queries = this.#help.then((help) => this.#queriesOf(help));
    queries.catch(() => {
      this.#hasFailed = true;
    });
    return queries;
  }

  async #askForHelp(): Promise<Help> {
    this.#asked_ms = performance.now();
    const [gpu, processes] = await Promise.all([
      this.#smi.ask(["--help-query-gpu"]),
      this.#smi.ask(["--help-query-compute-apps"]),
    ]);
    return [parseHelp(gpu), parseHelp(processes)];
  }

  #queriesOf([gpu, processes]: Help): Queries {
    const queries = {
      gpu: new Query(GPU_FIELDS, gpu.difference(this.#refused)),
      processes: new Query(PROCESS_FIELDS, processes),
    };
    if (!queries.gpu.asksFor("timestamp_ms") || !queries.gpu.asksFor("uuid"))
      throw new Error("nvidia-smi does not tell what it can be asked for");
    return queries;
  }
}
