import { cleanText } from "../../frame/clean_text.ts";

/** A line is cut there: a child may have gone mad. */
const LONGEST_LINE = 64 * 1024;
/** What is kept of what was said last, in characters; of its last line so many bytes are shown. */
const LAST_WORDS = 2048;
const SHOWN = 200;

/** Hands on whole lines, without their ends. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = (lines.pop() ?? "").slice(0, LONGEST_LINE);
    for (const line of lines) this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}

/** What a child said last on stderr. */
export class LastWords {
  #text = "";

  add(text: string): void {
    this.#text = (this.#text + text).slice(-LAST_WORDS);
  }

  /** The last line that is not empty, fit for a terminal. */
  get line(): string {
    return cleanText(this.#text.trim().split("\n").at(-1) ?? "", SHOWN).trim();
  }
}
