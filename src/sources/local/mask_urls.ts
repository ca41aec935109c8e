/** What takes the place of a secret. */
export const MASK = "***";

const LONGEST_SCHEME = 32;
const schemePart = /[a-z0-9+.-]/i;
const letter = /[a-z]/i;

/** Whether a scheme stands before the colon of a `://`. */
function hasScheme(text: string, colon: number): boolean {
  for (let at = colon - 1; at >= Math.max(0, colon - LONGEST_SCHEME) && schemePart.test(text.charAt(at)); at--) {
    if (letter.test(text.charAt(at))) return true;
  }
  return false;
}

/** Over HTTP a user without a password is a token; over ssh:// it is a user. */
const isHttp = (text: string, colon: number): boolean => /https?$/i.test(text.slice(Math.max(0, colon - 5), colon));

/** A password may hold an unescaped `/`, but what stands between a colon and a slash may as well be a port. */
const port = /^\d{1,5}(?:[/?#]|$)/;

/** Where the first character of a class stands from `from` on, or the end of the text. */
function find(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

/** A word with URLs in it, and where its last `@` is. */
interface Word {
  readonly end: number;
  readonly lastAt: number;
}

function wordFrom(text: string, from: number): Word {
  const end = find(text, /\s/g, from);
  return { end, lastAt: text.slice(from, end).lastIndexOf("@") + from };
}

/** Where the user and the password of an authority are. */
interface UserInfo {
  /** Before the password; -1 where there is no more than a user. */
  readonly colon: number;
  /** The `@` behind. */
  readonly at: number;
}

/** `null` where the authority that begins at `from` has none. */
function userInfo(text: string, from: number, word: Word): UserInfo | null {
  const authority = text.slice(from, Math.min(find(text, /[/?#\s]/g, from), word.end));
  const colon = authority.indexOf(":");
  let at = authority.lastIndexOf("@");
  if (at < 0 && colon >= 0) {
    const behind = from + colon + 1;
    if (!port.test(text.slice(behind, Math.min(word.end, behind + 7)))) at = word.lastAt - from;
  }
  return at < 0 ? null : { colon: colon >= 0 && colon < at ? from + colon : -1, at: from + at };
}

/** GitHub takes a token as the user, with a password that everybody knows. */
const isTokenUser = (text: string, { colon, at }: UserInfo): boolean =>
  /^(?:x-oauth-basic|x-oauth-token)?$/i.test(text.slice(colon + 1, at));

/**
 * Masks the password of every URL, and the token of those that have one in its place. Goes once through the text: each
 * authority ends where the next URL begins, and the last `@` is looked for once a word.
 */
export function maskUrls(text: string): string {
  let masked = "";
  let copied = 0;
  let word: Word = { end: 0, lastAt: -1 };
  let next = 0;
  for (let found = text.indexOf("://"); found >= 0; found = text.indexOf("://", next)) {
    const from = found + 3;
    next = from;
    if (!hasScheme(text, found)) continue;
    if (from >= word.end) word = wordFrom(text, from);
    const user = userInfo(text, from, word);
    if (user === null) continue;
    next = user.at;
    const begin = user.colon >= 0 && !isTokenUser(text, user) ? user.colon + 1 : from;
    if (user.colon < 0 && !isHttp(text, found)) continue;
    masked += text.slice(copied, begin) + MASK;
    copied = user.at;
  }
  return masked + text.slice(copied);
}
