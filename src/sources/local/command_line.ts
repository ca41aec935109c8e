import { type CommandMode, maskArguments } from "./mask.ts";

/** Bytes of UTF-8 that a frame holds of one command line. */
export const MAX_COMMAND_BYTES = 512;

/** What is looked at; masking makes a text shorter, so this is more than what is kept. */
const MAX_READ_BYTES = 4096;

// Beside the control characters: what would end a line or turn the direction of writing on the reader's screen.
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Well-formed text on one line: control characters become spaces. */
export const printable = (text: string): string => text.toWellFormed().replace(unprintable, " ");

/** The longest beginning of a well-formed text that takes at most `limit` bytes of UTF-8 and ends with a whole character. */
export function cutBytes(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let end = limit;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/**
 * What a frame shows of a command line as `/proc/PID/cmdline` holds it (arguments, each ended by a NUL); `null` where
 * there is nothing to show (kernel threads and zombies have none). Masked before it is cut: a cut reveals nothing.
 */
export function commandText(cmdline: Uint8Array, mode: Exclude<CommandMode, "name">): string | null {
  const argv = parseArguments(cmdline);
  const text = (mode === "full" ? argv : maskArguments(argv)).join(" ").trimEnd();
  return text === "" ? null : cutBytes(text, MAX_COMMAND_BYTES);
}

function parseArguments(cmdline: Uint8Array): string[] {
  const text = printableArguments(cmdline.subarray(0, MAX_READ_BYTES));
  if (cmdline.length <= MAX_READ_BYTES) return text.split("\0");
  // Half an argument could be half a secret that is no longer told as one.
  const end = text.search(/[\0\s][^\0\s]*$/);
  return text.slice(0, Math.max(end, 0)).split("\0");
}

const printableArguments = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8").split("\0").map(printable).join("\0");
