import type { Process } from "../../frame/schema.ts";
import { shownCommand } from "../local/command_line.ts";
import type { CommandMode } from "../local/mask.ts";

/** Characters of the texts that are known, in each of two generations. A thousand machines have less to say. */
const MOST_KNOWN = 1 << 20;
/** Whoever serves longer ones may serve new ones every time, and is not to drive out those of others. */
const LONGEST_KNOWN = 2048;

/**
 * Command lines of other machines as those of this one are shown: whoever serves them may serve all of them. To mask one
 * takes 50 µs, and hardly one is new in a cycle: those that were shown lately are known.
 */
export class Commands {
  readonly #mode: CommandMode;
  #young = new Map<string, string>();
  /** Of the generation before: what of it is shown again becomes young. */
  #old = new Map<string, string>();
  #size = 0;

  constructor(mode: CommandMode) {
    this.#mode = mode;
  }

  shown({ command, process_name }: Process): string {
    return this.#masked(this.#mode === "name" ? process_name : command);
  }

  /** Some exporters tell a process's arguments in its name. */
  named({ process_name }: Process): string {
    return this.#masked(process_name);
  }

  /** What it says in words: an error may name a command. */
  said(text: string): string {
    return this.#masked(text);
  }

  #masked(command: string): string {
    const known = this.#young.get(command);
    if (known !== undefined) return known;
    const text = this.#old.get(command) ?? shownCommand(command, this.#mode === "full" ? "full" : "masked");
    if (command.length <= LONGEST_KNOWN) this.#remember(command, text);
    return text;
  }

  #remember(command: string, text: string): void {
    if (this.#size > MOST_KNOWN) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#size = 0;
    }
    this.#young.set(command, text);
    this.#size += command.length + text.length;
  }
}
