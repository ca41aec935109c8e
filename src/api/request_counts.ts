import type { ServiceCounts } from "./health.ts";

type Requests = ServiceCounts["requests"];

/** Paths that nobody serves count as one: a client cannot make series of its own. */
const OTHER = "other";

/** How often each path was asked for, by the status of the answer. */
export class RequestCounts {
  readonly #paths: ReadonlySet<string>;
  readonly #counts = new Map<string, Requests[number]>();

  constructor(paths: readonly string[]) {
    this.#paths = new Set(paths);
  }

  add(asked: string, status: number): void {
    const path = this.#paths.has(asked) ? asked : OTHER;
    const key = `${path} ${status}`;
    this.#counts.set(key, { path, status, count: (this.#counts.get(key)?.count ?? 0) + 1 });
  }

  get all(): Requests {
    return [...this.#counts.values()];
  }
}
