/** A piece of a text between white space, quotes taken into account as a shell does. */
export interface ShellWord {
  /** As it stands in the text, quotes and all. */
  readonly raw: string;
  /** Without quotes and escapes. */
  readonly text: string;
  /** The white space before it. */
  readonly gap: string;
}

const isSpace = (character: string): boolean => character.trim() === "";

/** Takes a text apart into words; gaps and raw words put together give the text again. An open quote ends with it. */
export function shellWords(text: string): ShellWord[] {
  const found: ShellWord[] = [];
  let at = 0;
  while (at < text.length) {
    const gapEnd = skipSpace(text, at);
    const word = readWord(text, gapEnd);
    found.push({ gap: text.slice(at, gapEnd), raw: text.slice(gapEnd, word.end), text: word.text });
    at = word.end;
  }
  return found;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charAt(at))) at++;
  return at;
}

function readWord(text: string, from: number): { text: string; end: number } {
  let plain = "";
  let quote = "";
  let at = from;
  for (; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote === "" && isSpace(character)) break;
    if (character === "\\" && quote !== "'" && at + 1 < text.length) plain += text.charAt(++at);
    else if (character === quote) quote = "";
    else if (quote === "" && (character === '"' || character === "'")) quote = character;
    else plain += character;
  }
  return { text: plain, end: at };
}
