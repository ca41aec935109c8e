import type { Entry } from "./model.ts";

/** No filter and no timecode is longer; a paste may be. */
const LONGEST_ENTRY = 200;

/** What a key makes of a line that is being typed. `null`: nothing, the key means something else. */
export function editEntry(entry: Entry, key: string): Entry | null {
  switch (key) {
    case "backspace":
      return { ...entry, text: [...entry.text].slice(0, -1).join(""), problem: null };
    case "ctrl+u":
      return { ...entry, text: "", problem: null };
    case "ctrl+w":
      return { ...entry, text: entry.text.replace(/\S*\s*$/, ""), problem: null };
    default:
      return isTyped(key) ? typeInto(entry, key) : null;
  }
}

/** Whether a key is a character and not the name of one. */
const isTyped = (key: string): boolean => [...key].length === 1;

/** Adds what was typed or pasted; of several lines the first. */
export function typeInto(entry: Entry, text: string): Entry {
  const line = text.split(/[\r\n]/, 1)[0] ?? "";
  const harmless = line.replace(/\p{Cc}|\p{Cf}/gu, "");
  return { ...entry, text: [...entry.text, ...harmless].slice(0, LONGEST_ENTRY).join(""), problem: null };
}
