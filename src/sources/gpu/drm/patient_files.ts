import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type FileThreads, fileThreads } from "../../file_threads.ts";

/** What a file said; or it is gone; or it has not answered yet. */
export type Answer = { readonly text: string } | "gone" | "late";

/** Of all processes together: other sources need threads, too. */
const MOST_UNANSWERED = 4;

/** Files for whose text a driver may wait for a card that hangs: nobody waits for them longer than they want to. */
export class PatientFiles {
  readonly #threads: FileThreads;
  readonly #unanswered = new Set<string>();

  constructor(threads = fileThreads) {
    this.#threads = threads;
  }

  /** One call after the other. An answer that comes too late is not used. */
  async read(file: string, patience_ms: number): Promise<Answer> {
    if (patience_ms <= 0 || this.#unanswered.size >= MOST_UNANSWERED || this.#unanswered.has(file)) return "late";
    if (this.#threads.isStuck) return "late";
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
      const bytes = await this.#threads.run(dirname(file), () => readFile(file));
      return bytes === "blocked" ? "late" : { text: bytes.toString("utf8") };
    } catch {
      return "gone";
    } finally {
      this.#unanswered.delete(file);
    }
  }
}
