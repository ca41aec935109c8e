/**
 * What every text from outside goes through before anything else sees it: texts of scraped hosts, of recordings, of the
 * kernel, of drivers and of processes. Whoever wrote one may have meant a terminal, a log or a reader with it.
 */

/** Bytes of UTF-8 that are looked at of one text; the rest is cut off before anything else is done. */
export const MAX_TEXT_BYTES = 8192;

/**
 * Control characters (C0, C1, DEL), separators of lines and paragraphs, what turns the direction of writing, and what
 * takes no room, so that two names could look the same. The joiners U+200C and U+200D stay: words and emoji need them.
 */
const UNCLEAN =
  "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]|\\udb40[\\udc00-\\udc7f]";
const unclean = new RegExp(UNCLEAN);
const allUnclean = new RegExp(UNCLEAN, "g");

/** No text of so few UTF-16 units takes more than `MAX_TEXT_BYTES`. */
const SHORT = Math.floor(MAX_TEXT_BYTES / 3);

/** Nothing of {@link cleanText} would change it. */
export const isCleanText = (text: string): boolean =>
  text.length <= SHORT && !unclean.test(text) && text.isWellFormed();

/**
 * A text from outside as one line of well-formed Unicode: cut to 8 KiB first, so that its length costs nothing; what is
 * unclean becomes a space, half a surrogate U+FFFD; then cut to `limit` bytes of UTF-8, never inside of a character.
 */
export function cleanText(text: string, limit = MAX_TEXT_BYTES): string {
  if (text.length * 3 <= limit && isCleanText(text)) return text;
  const begun = text.slice(0, MAX_TEXT_BYTES).toWellFormed();
  return cutBytes(unclean.test(begun) ? begun.replace(allUnclean, " ") : begun, Math.min(limit, MAX_TEXT_BYTES));
}

/** A clean text of this length may be the beginning of a longer one. */
export const mayBeCut = (text: string): boolean => text.length >= SHORT && Buffer.byteLength(text) > MAX_TEXT_BYTES - 4;

/** The longest beginning of a well-formed text that takes at most `limit` bytes of UTF-8 and ends with a whole character. */
export function cutBytes(text: string, limit: number): string {
  if (text.length * 3 <= limit) return text;
  // Also what fits becomes a text of its own: a part of a text keeps the whole of it in memory.
  const bytes = Buffer.from(text);
  let end = Math.min(limit, bytes.length);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

const ESCAPED = /\\[bfnrtu]/;

/** A line of JSON may hold an unclean text or key, however long it is. Most have none, and to see that costs little. */
export function mayHoldUnclean(json: string): boolean {
  if (json.includes("\\") && ESCAPED.test(json)) return true;
  // JSON has no other control characters within its texts, and what is ASCII has nothing else.
  return (
    json.includes("\x7f") || (Buffer.byteLength(json) !== json.length && (unclean.test(json) || !json.isWellFormed()))
  );
}

type Container = { [key: string]: unknown } | unknown[];

/** Cleans every text and key of a value that was just parsed, in its place. */
export function cleanJson(value: unknown): void {
  const waiting: Container[] = [];
  const take = (one: unknown): unknown => {
    if (typeof one === "object" && one !== null) waiting.push(one as Container);
    return typeof one === "string" ? cleanText(one) : one;
  };
  take(value);
  for (let container = waiting.pop(); container !== undefined; container = waiting.pop()) {
    if (Array.isArray(container)) for (const [n, one] of container.entries()) container[n] = take(one);
    else cleanObject(container, take);
  }
}

function cleanObject(object: { [key: string]: unknown }, take: (one: unknown) => unknown): void {
  for (const key of Object.keys(object)) {
    const value = take(object[key]);
    if (isCleanText(key)) {
      if (value !== object[key]) object[key] = value;
      continue;
    }
    delete object[key];
    object[cleanText(key)] ??= value;
  }
}
