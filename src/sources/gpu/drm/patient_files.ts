import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";

/** What a file said; or it is gone; or it has not answered yet. */
export type Answer = { readonly text: string } | "gone" | "late";

/** Each unanswered read keeps one of the runtime's threads, which are as many as the cores: most are for others. */
const MOST_UNANSWERED = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)));

/** Files for whose text a driver may wait for a card that hangs: nobody waits for them longer than they want to. */
export class PatientFiles {
  readonly #most: number;
  readonly #unanswered = new Set<string>();

  /** @param most So many reads may stay unanswered; then nothing is read until one answers. */
  constructor(most = MOST_UNANSWERED) {
    this.#most = most;
  }

  /** One call after the other. An answer that comes too late is not used. */
  async read(file: string, patience_ms: number): Promise<Answer> {
    if (patience_ms <= 0 || this.#unanswered.size >= this.#most || this.#unanswered.has(file)) return "late";
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(late.resolve, patience_ms, "late");
    try {
      return await Promise.race([this.#begin(file), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #begin(file: string): Promise<Answer> {
    this.#unanswered.add(file);
    try {
      return { text: await readFile(file, "utf8") };
    } catch {
      return "gone";
    } finally {
      this.#unanswered.delete(file);
    }
  }
}
