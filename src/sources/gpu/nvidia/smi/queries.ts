import { GPU_FIELDS, PROCESS_FIELDS } from "./fields.ts";
import type { NvidiaSmi } from "./program.ts";
import { parseHelp, Query } from "./query.ts";

/** What is asked for, of what the nvidia-smi of this machine knows. */
export interface Queries {
  readonly gpu: Query<typeof GPU_FIELDS>;
  readonly processes: Query<typeof PROCESS_FIELDS>;
}

/** One that did not even tell its fields is asked again after so long. */
const RETRY_MS = 10_000;

/** Finds out once what can be asked for. */
export class QueryFinder {
  readonly #smi: NvidiaSmi;
  #queries: Promise<Queries> | null = null;
  #asked_ms = 0;
  #hasFailed = false;

  constructor(smi: NvidiaSmi) {
    this.#smi = smi;
  }

  find(): Promise<Queries> {
    const isTimeAgain = this.#hasFailed && performance.now() - this.#asked_ms >= RETRY_MS;
    if (this.#queries === null || isTimeAgain) {
      this.#asked_ms = performance.now();
      this.#hasFailed = false;
      this.#queries = this.#ask();
      this.#queries.catch(() => {
        this.#hasFailed = true;
      });
    }
    return this.#queries;
  }

  async #ask(): Promise<Queries> {
    const [gpu, processes] = await Promise.all([
      this.#smi.ask(["--help-query-gpu"]),
      this.#smi.ask(["--help-query-compute-apps"]),
    ]);
    const queries = {
      gpu: new Query(GPU_FIELDS, parseHelp(gpu)),
      processes: new Query(PROCESS_FIELDS, parseHelp(processes)),
    };
    if (!queries.gpu.asksFor("uuid")) throw new Error("nvidia-smi does not tell what it can be asked for");
    return queries;
  }
}
