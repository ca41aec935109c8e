import { cleanText, cutBytes, MAX_TEXT_BYTES, mayBeCut } from "../../frame/clean_text.ts";
import { type CommandMode, maskArguments } from "./mask.ts";
import { MASK } from "./mask_urls.ts";

/** Bytes of UTF-8 that a frame holds of one command line. */
export const MAX_COMMAND_BYTES = 512;

type ShownMode = Exclude<CommandMode, "name">;

/**
 * What a frame shows of a command line as `/proc/PID/cmdline` holds it (arguments, each ended by a NUL); `null` where
 * there is nothing to show (kernel threads and zombies have none). Cut to 8 KiB, cleaned, masked, cut to what is kept:
 * whatever the first cut leaves open may be a secret that is no longer told as one, and is masked to its end.
 */
export function commandText(cmdline: Uint8Array, mode: ShownMode): string | null {
  const { buffer, byteOffset, length } = cmdline;
  const argv = Buffer.from(buffer, byteOffset, Math.min(length, MAX_TEXT_BYTES))
    .toString("utf8")
    .split("\0")
    .map((argument) => cleanText(argument));
  return shownText(argv, mode, length > MAX_TEXT_BYTES) || null;
}

/** As {@link commandText}, of a command line that another machine serves as one text. */
export function shownCommand(command: string, mode: ShownMode): string {
  const text = cleanText(command);
  return shownText([text], mode, mayBeCut(text));
}

function shownText(argv: readonly string[], mode: ShownMode, isCut: boolean): string {
  const shown = mode === "full" ? argv : isCut ? maskCut(argv) : maskArguments(argv);
  return cutBytes(shown.join(" ").trimEnd(), MAX_COMMAND_BYTES);
}

/** The last word is masked whatever it is. */
function maskCut(argv: readonly string[]): string[] {
  const last = argv.at(-1) ?? "";
  const begin = lastSpace(last) + 1;
  const whole = begin === 0 ? argv.slice(0, -1) : [...argv.slice(0, -1), last.slice(0, begin)];
  const masked = maskArguments(whole.map((argument) => argument.trimEnd()));
  return masked.at(-1)?.trimEnd().endsWith(MASK) ? masked : [...masked, MASK];
}

function lastSpace(text: string): number {
  let at = text.length - 1;
  while (at >= 0 && text.charAt(at).trim() !== "") at--;
  return at;
}
