/** A piece of a text between white space, quotes taken into account as a shell does. */
export interface ShellWord {
  /** As it stands in the text, quotes and all. */
  readonly raw: string;
  /** Without quotes and escapes. */
  readonly text: string;
  /** The white space before it. */
  readonly gap: string;
}

/** What is more than a character of a word. */
const SPECIAL = /[\s\\"']/g;
const NO_SPACE = /\S/g;

/** Takes a text apart into words; gaps and raw words put together give the text again. An open quote ends with it. */
export function shellWords(text: string): ShellWord[] {
  const found: ShellWord[] = [];
  let at = 0;
  while (at < text.length) {
    const gapEnd = find(text, NO_SPACE, at);
    const word = readWord(text, gapEnd);
    found.push({ gap: text.slice(at, gapEnd), raw: text.slice(gapEnd, word.end), text: word.text });
    at = word.end;
  }
  return found;
}

/** Where the first such character is from there on, or the end. */
function find(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

function readWord(text: string, from: number): { text: string; end: number } {
  let plain = "";
  let quote = "";
  let at = from;
  while (at < text.length) {
    const special = find(text, SPECIAL, at);
    plain += text.slice(at, special);
    at = special;
    if (at === text.length) break;
    const character = text.charAt(at);
    const isQuote = character === '"' || character === "'";
    if (quote === "" && !isQuote && character !== "\\") break;
    at++;
    if (character === "\\" && quote !== "'" && at < text.length) plain += text.charAt(at++);
    else if (character === quote) quote = "";
    else if (quote === "" && isQuote) quote = character;
    else plain += character;
  }
  return { text: plain, end: at };
}
