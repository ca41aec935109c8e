import { cleanText } from "../frame/clean_text.ts";

/**
 * Says something on standard error, as one line: in the message may be the words of a file, a name or another program.
 * Not by `console.error`, which prints in red on a terminal.
 */
export function say(message: string): void {
  process.stderr.write(`all-smi: ${cleanText(message)}\n`);
}
