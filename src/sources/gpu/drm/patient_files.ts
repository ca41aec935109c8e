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
    const answer = await this.#threads.run(dirname(file), patience_ms, () => this.#read(file));
    return typeof answer === "string" ? "late" : answer.answer;
  }

  async #read(file: string): Promise<{ answer: Answer }> {
    this.#unanswered.add(file);
    try {
      return { answer: { text: await readFile(file, "utf8") } };
    } catch {
      return { answer: "gone" };
    } finally {
      this.#unanswered.delete(file);
    }
  }
}
