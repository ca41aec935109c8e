import { InvalidArgumentError } from "commander";
import { cleanText } from "../frame/clean_text.ts";
import type { SectionName } from "../frame/schema.ts";
import { parseSections } from "../frame/section_words.ts";

/** Parsers of option values. Each says what was wrong and what would be right. */

const UNITS_S: Record<string, number> = { "": 1, s: 1, m: 60, h: 3600, d: 86400 };

/** `30s`, `5m`, `1h`, `1d` or plain seconds, in ms. */
export function duration_ms(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("Give a duration such as 30s, 5m, 1h or 1d.");
  return Number(number) * (UNITS_S[unit ?? ""] ?? 1) * 1000;
}

const SHORTEST_INTERVAL_S = 0.1;
const LONGEST_INTERVAL_S = 86400;

/** Seconds, with fractions, in ms. */
export function interval_ms(text: string): number {
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= SHORTEST_INTERVAL_S && seconds <= LONGEST_INTERVAL_S)) {
    throw new InvalidArgumentError(`Give seconds from ${SHORTEST_INTERVAL_S} to ${LONGEST_INTERVAL_S}.`);
  }
  return Math.round(seconds * 1000);
}

const UNITS_BYTES: Record<string, number> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `1K`, `10M`, `2G` (powers of 1024) or plain bytes. */
export function sizeBytes(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError("Give a size such as 512K, 100M or 2G.");
  return Math.round(Number(number) * (UNITS_BYTES[(unit ?? "").toUpperCase()] ?? 1));
}

/** A whole number of at least `lowest`. */
export const wholeNumber =
  (lowest: number, highest = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= lowest && number <= highest)) {
      const range = highest === Number.MAX_SAFE_INTEGER ? `of at least ${lowest}` : `from ${lowest} to ${highest}`;
      throw new InvalidArgumentError(`Give a whole number ${range}.`);
    }
    return number;
  };

/** A list of sections, by the words of the command line, in the order of the frame. */
export function sectionList(text: string): SectionName[] {
  const found = parseSections(text);
  if (typeof found === "string") throw new InvalidArgumentError(found);
  return found;
}

/** As long as a name of the DNS. */
const MAX_NAME_BYTES = 253;

/** A name of a machine, which goes into every frame. */
export function machineName(value: string): string {
  const name = cleanText(value, MAX_NAME_BYTES).trim();
  if (name === "") throw new InvalidArgumentError("Give a name, or leave the option out.");
  return name;
}
