import type { Process } from "../../frame/schema.ts";
import { cutBytes, MAX_COMMAND_BYTES, printable } from "../local/command_line.ts";
import { type CommandMode, maskArguments } from "../local/mask.ts";

/** To mask one takes 50 µs, and hardly one is new in a cycle. So many are known, then it begins again. */
const MOST_KNOWN = 16_384;

/** Command lines of other machines as those of this one are shown: whoever serves them may serve all of them. */
export class Commands {
  readonly #mode: CommandMode;
  readonly #known = new Map<string, string>();

  constructor(mode: CommandMode) {
    this.#mode = mode;
  }

  shown({ command, process_name }: Process): string {
    if (this.#mode === "name") return process_name;
    const known = this.#known.get(command);
    if (known !== undefined) return known;
    if (this.#known.size === MOST_KNOWN) this.#known.clear();
    const text = this.#make(command);
    this.#known.set(command, text);
    return text;
  }

  #make(command: string): string {
    const text = printable(command);
    return cutBytes(this.#mode === "full" ? text : (maskArguments([text])[0] ?? ""), MAX_COMMAND_BYTES);
  }
}
