import { parseParts } from "../frame/parts.ts";
import { parseSections } from "../frame/section_words.ts";
import type { Selection } from "./served_cycle.ts";

/** A parameter that will not do; the message says what would. */
export class QueryError extends Error {
  override readonly name = "QueryError";
}

type Parameter = string | undefined;

/** `include=gpu,cpu` and `without=cores,links`; all that there is where both are absent or empty. */
export const selectionOf = (include: Parameter, without: Parameter): Selection => ({
  include: listOf("include", include, parseSections),
  without: listOf("without", without, parseParts) ?? [],
});

function listOf<T>(name: string, text: Parameter, parse: (text: string) => T[] | string): T[] | null {
  if (text === undefined || text === "") return null;
  const found = parse(text);
  if (typeof found === "string") throw new QueryError(`${name}: ${found}`);
  return found;
}

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["true", true],
  ["yes", true],
  ["0", false],
  ["false", false],
  ["no", false],
]);

export function isSet(name: string, text: Parameter): boolean {
  const value = text === undefined ? false : WORDS.get(text.toLowerCase());
  if (value === undefined) throw new QueryError(`${name}: give 1, true or yes, or 0, false or no.`);
  return value;
}

/** Seconds, with fractions, in ms. */
export function secondsOf(name: string, text: Parameter, lowest: number, highest: number): number | null {
  if (text === undefined) return null;
  const seconds = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= lowest && seconds <= highest)) {
    throw new QueryError(`${name}: give seconds from ${lowest} to ${highest}.`);
  }
  return seconds * 1000;
}
