import { cleanText, MAX_TEXT_BYTES } from "../frame/clean_text.ts";

/** Longer texts are cut, so that what an index line says of events stays small. */
const MAX_TEXT = 240;
const MAX_HOST = 100;
const MAX_NAME = 64;

/** Several control characters become one space. At most so many UTF-16 units, without half a surrogate pair at the end. */
function plain(text: string, most: number): string {
  const line = /\p{Cc}/u.test(text) ? text.slice(0, MAX_TEXT_BYTES).replace(/\p{Cc}+/gu, " ") : text;
  const cut = cleanText(line).slice(0, most);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** A text as an event holds it: one line, of bounded length. */
export const eventText = (text: string): string => plain(text, MAX_TEXT);

/** A host likewise. */
export const eventHost = (host: string): string => plain(host, MAX_HOST);

/** A kind or a device likewise. */
export const eventName = (name: string): string => plain(name, MAX_NAME);

/** What an event with subjects is about: `cpu@dgx-02` of `cpu@dgx-02: no such file`. */
export function subjectOf(text: string): string {
  const end = text.indexOf(": ");
  return end < 0 || end > MAX_HOST ? text.slice(0, MAX_HOST) : text.slice(0, end);
}
