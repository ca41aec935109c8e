import { AUTHORIZATION_SCHEMES, isPlainValue, maskInline } from "./mask_inline.ts";
import { MASK } from "./mask_urls.ts";
import { isSecretName } from "./secret_names.ts";
import { maskOption, optionsOfProgram } from "./secret_options.ts";
import { shellWords } from "./shell_words.ts";

/** How much of a command line goes into a frame: with its secrets as `***`, all of it, or the process's name only. */
export type CommandMode = "masked" | "full" | "name";

/**
 * Hides the secrets in a command line, argument by argument, so that a value with white space goes as a whole. Where
 * it is not clear how far a secret reaches, more is hidden rather than less.
 */

/** A command line in an argument of another (`sh -c "ssh host 'curl …'"`) is followed to this depth, and hidden below. */
const MAX_DEPTH = 6;

/** Behind a sign, too: `+model.token=x` is an override of Hydra's. */
const named = /((?:-{1,2}|\/|[+~@%!^*]{1,2})?[A-Za-z_][\w.-]*)(\s*(?:\[\d{0,6}\])?[+?]?[=:])/y;
const option = /^--?[A-Za-z][\w.-]*$/;
const authorizationScheme = new RegExp(`^(?:${AUTHORIZATION_SCHEMES})$`, "i");

/** Looks like an option of its own; a password that begins with a dash is rarely of this form. */
const isOption = (argument: string): boolean => /^(?:--[A-Za-z]|-[A-Za-z]$)/.test(argument);

interface MaskedArgument {
  readonly text: string;
  /** The next argument is its value. */
  readonly hidesNext: boolean;
}

const plain = (text: string): MaskedArgument => ({ text, hidesNext: false });

/** The same argument list with every secret replaced by `***`. */
export const maskArguments = (argv: readonly string[]): string[] => maskList(argv, 0);

function maskList(argv: readonly string[], depth: number): string[] {
  const words = new Set(argv);
  let options: ReturnType<typeof optionsOfProgram> = null;
  let hidden = false;
  return argv.map((argument) => {
    if (hidden && argument.trim() === "") return argument;
    if (hidden && !isOption(argument)) {
      // `Authorization: Bearer x` in pieces: the secret is the one after the scheme.
      hidden = authorizationScheme.test(argument);
      return isPlainValue(argument) ? argument : MASK;
    }
    const byLetter = options && maskOption(argument, options);
    options = optionsOfProgram(argument, words) ?? options;
    hidden = byLetter === "next";
    if (byLetter && byLetter !== "next") return byLetter.masked;
    const masked = maskArgument(argument, depth);
    hidden ||= masked.hidesNext;
    return masked.text;
  });
}

function maskArgument(argument: string, depth: number): MaskedArgument {
  let at = 0;
  // `a=b=c`: each value may be a name in its turn.
  for (let found = nameAt(argument, at); found !== null; found = nameAt(argument, at)) {
    const end = at + found.name.length + found.separator.length;
    if (isSecretName(found.name)) return maskNamed(argument.slice(0, end), argument.slice(end), at > 0);
    if (!found.separator.endsWith("=")) break;
    at = end;
  }
  const masked = maskUnnamed(argument.slice(at), depth);
  return at === 0 ? masked : plain(argument.slice(0, at) + masked.text);
}

function nameAt(argument: string, at: number): { name: string; separator: string } | null {
  named.lastIndex = at;
  const [, name = "", separator = ""] = named.exec(argument) ?? [];
  return name === "" ? null : { name, separator };
}

function maskUnnamed(argument: string, depth: number): MaskedArgument {
  if (option.test(argument)) return { text: maskInline(argument), hidesNext: isSecretName(argument) };
  if (/^bearer$/i.test(argument)) return { text: argument, hidesNext: true };
  return plain(maskText(maskInline(argument), depth));
}

function maskNamed(name: string, value: string, isValue: boolean): MaskedArgument {
  if (value.trim() === "") return { text: name + value, hidesNext: !isValue && name.endsWith(":") };
  if (authorizationScheme.test(value.trim())) return { text: name + value, hidesNext: true };
  if (isPlainValue(value.trim())) return plain(name + value);
  return plain(name + (/^\s*/.exec(value)?.[0] ?? "") + MASK);
}

/** An argument with white space may be a command line of its own, as behind `sh -c`. */
function maskText(text: string, depth: number): string {
  if (!/\s/.test(text)) return text;
  if (depth >= MAX_DEPTH) return MASK;
  const words = shellWords(text);
  const masked = maskList(
    words.map((word) => word.text),
    depth + 1,
  );
  return words.map((word, at) => word.gap + requote(word.raw, word.text, masked[at] ?? "")).join("");
}

function requote(raw: string, before: string, after: string): string {
  if (before === after) return raw;
  const quote = /^["']/.exec(raw)?.[0] ?? "";
  return quote + after + quote;
}
