import { cutBytes, MAX_TEXT_BYTES } from "../../frame/clean_text.ts";

/**
 * The Prometheus text format (and OpenMetrics, which differs in what is skipped here), read as it comes in. Every line
 * that is no series is left out and counted; nothing in a text makes it fail. HELP and TYPE are not needed: what a
 * family is, its reader knows.
 */

/** Of a series, unescaped: what becomes of them is cleaned with the rest of a frame. */
export type Labels = ReadonlyMap<string, string>;

/** Takes a series; `null` is a value that is not finite. */
export type Take = (labels: Labels, value: number | null) => void;

/** Whoever wants the series of a family, which then has its labels read; `null`: nobody. */
export type Lookup = (family: string) => Take | null;

/** Longer lines are skipped: ours are below 2 KiB, and no exporter's come near. */
const LONGEST_LINE = 64 * 1024;
const LONGEST_FAMILY = 256;
const MOST_LABELS = 100;
/** The rest of a longer value is cut off: it would stand in every frame. */
const LONGEST_VALUE = 1024;
/** Command lines are masked before they are cut to that: half a secret is none that can be told. */
const COMMANDS = new Set(["command", "process_name"]);

/** Of one page, texts of labels that are remembered. */
const MOST_KNOWN = 1024;
/** Of those of a device none is as long. */
const LONGEST_KNOWN = 4096;

const NOTHING = { labels: new Map(), name: null } as const;

const code = (character: string): number => character.charCodeAt(0);
const [TAB, SPACE, QUOTE, HASH] = [code("\t"), code(" "), code('"'), code("#")];
const [COMMA, EQUALS, BACKSLASH, OPEN, CLOSE] = [code(","), code("="), code("\\"), code("{"), code("}")];

const isBlank = (one: number): boolean => one === SPACE || one === TAB;

/** `a-z A-Z 0-9 _ :` */
const isNamePart = (one: number): boolean =>
  (one >= 97 && one <= 122) || (one >= 65 && one <= 90) || (one >= 48 && one <= 58) || one === 95;

/** Digits can be read in one way only: the time is linear in their number. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^(?:[+-]?inf(?:inity)?|nan)$/i;

/** A value as the format writes it; `undefined` where it is none. */
function parseValue(text: string): number | null | undefined {
  if (!NUMBER.test(text)) return NOT_FINITE.test(text) ? null : undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

function skipBlanks(line: string, at: number): number {
  while (isBlank(line.charCodeAt(at))) at++;
  return at;
}

function nameEnd(line: string, at: number): number {
  while (isNamePart(line.charCodeAt(at))) at++;
  return at;
}

/** Where the quotes end that began before `at`; -1 where they do not. */
function quoteEnd(line: string, at: number): number {
  for (let end = line.indexOf('"', at); end >= 0; end = line.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (end - 1 - backslashes >= at && line.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return -1;
}

const unescaped = (text: string): string =>
  text.includes("\\") ? text.replace(/\\(.)/gs, (_, one: string) => (one === "n" ? "\n" : one)) : text;

interface ParsedLabels {
  readonly labels: Labels;
  /** A metric's name that stands in quotes before its labels: `{"a.b","c"="d"}`; `null`: none does. */
  readonly name: string | null;
  /** Behind the closing brace. */
  readonly end: number;
}

interface ParsedText {
  readonly text: string;
  readonly end: number;
}

/** The text of the quotes that open at `at`; `null` where they do not. */
function parseQuoted(line: string, at: number): ParsedText | null {
  const close = line.charCodeAt(at) === QUOTE ? quoteEnd(line, at + 1) : -1;
  return close < 0 ? null : { text: unescaped(line.slice(at + 1, close)), end: close + 1 };
}

/** A name of a label, in quotes where it holds what other names do not; or the metric's own. */
function parseName(line: string, at: number): ParsedText | null {
  if (line.charCodeAt(at) === QUOTE) return parseQuoted(line, at);
  const end = nameEnd(line, at);
  return end === at ? null : { text: line.slice(at, end), end };
}

/** What stands between the braces; `null` where that breaks the format, or is too much. */
function parseLabels(line: string, open: number): ParsedLabels | null {
  const labels = new Map<string, string>();
  let name: string | null = null;
  let at = skipBlanks(line, open + 1);
  while (line.charCodeAt(at) !== CLOSE) {
    const label = parseName(line, at);
    if (label === null) return null;
    const equals = skipBlanks(line, label.end);
    if (line.charCodeAt(equals) === EQUALS) {
      const value = parseQuoted(line, skipBlanks(line, equals + 1));
      if (value === null || labels.size === MOST_LABELS) return null;
      labels.set(label.text, cutBytes(value.text, COMMANDS.has(label.text) ? MAX_TEXT_BYTES : LONGEST_VALUE));
      at = skipBlanks(line, value.end);
    } else {
      if (name !== null || line.charCodeAt(at) !== QUOTE) return null;
      name = label.text;
      at = equals;
    }
    if (line.charCodeAt(at) === COMMA) at = skipBlanks(line, at + 1);
    else if (line.charCodeAt(at) !== CLOSE) return null;
  }
  return { labels, name, end: at + 1 };
}

/** The value, and whether only a time and an exemplar stand behind it; `undefined` where it is no value. */
function valueAt(line: string, at: number): number | null | undefined {
  const text = line.slice(at).trim();
  const plain = parseValue(text);
  if (plain !== undefined) return plain;
  const [value = "", time, ...more] = text.split(/[ \t]+/, 4);
  const isClean = time === undefined || time.startsWith("#") || (NUMBER.test(time) && (more[0] ?? "#").startsWith("#"));
  return isClean ? parseValue(value) : undefined;
}

export class ExpositionParser {
  readonly #lookup: Lookup;
  readonly #decoder = new TextDecoder();
  /** The beginning of a line whose end has not come yet. */
  #rest = "";
  readonly #known = new Map<string, ParsedLabels>();
  #isSkipping = false;
  #family = "";
  #take: Take | null = null;
  #series = 0;
  #bad = 0;
  #commentLength = 0;

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  /** Lines that were series; of families that nobody wants only the first is looked at closely. */
  get series(): number {
    return this.#series;
  }

  /** Lines that were neither series nor comments. */
  get bad(): number {
    return this.#bad;
  }

  /** Characters of the comments so far. */
  get commentLength(): number {
    return this.#commentLength;
  }

  /** A line without its end is kept until that comes. */
  feed(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true });
    let at = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
      if (this.#isSkipping || this.#rest.length + end - at > LONGEST_LINE) this.#bad++;
      else this.#line(this.#rest + text.slice(at, end));
      this.#rest = "";
      this.#isSkipping = false;
      at = end + 1;
    }
    if (this.#isSkipping) return;
    this.#rest += text.slice(at);
    if (this.#rest.length <= LONGEST_LINE) return;
    this.#rest = "";
    this.#isSkipping = true;
  }

  /** The text is whole: its last line may be without an end. Of one that was cut off half a number is a wrong one. */
  finish(): void {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    if (rest !== "" && !this.#isSkipping) this.#line(rest);
  }

  #line(line: string): void {
    const start = skipBlanks(line, 0);
    const first = line.charCodeAt(start);
    if (first === HASH || line.trim() === "") {
      this.#commentLength += line.length + 1;
      return;
    }
    if (first === OPEN) this.#quotedLine(line, start);
    else this.#plainLine(line, start);
  }

  #plainLine(line: string, start: number): void {
    const end = this.#readFamily(line, start);
    const isWanted = this.#take !== null;
    if (end > start && !isWanted && this.#series > 0) {
      this.#series++;
      return;
    }
    const after = skipBlanks(line, end);
    const parsed = line.charCodeAt(after) === OPEN ? this.#labels(line, after) : { ...NOTHING, end: after };
    const value = parsed === null || parsed.name !== null || end === start ? undefined : valueAt(line, parsed.end);
    this.#count(this.#take, parsed, value);
  }

  /** The metric's name stands in quotes among the labels. */
  #quotedLine(line: string, start: number): void {
    const parsed = this.#labels(line, start);
    const name = parsed?.name ?? "";
    const isName = name !== "" && name.length <= LONGEST_FAMILY;
    const value = parsed === null || name === "" ? undefined : valueAt(line, parsed.end);
    this.#count(isName && value !== undefined ? this.#lookup(name) : null, parsed, value);
  }

  #count(take: Take | null, parsed: ParsedLabels | null, value: number | null | undefined): void {
    if (parsed === null || value === undefined) {
      this.#bad++;
      return;
    }
    this.#series++;
    take?.(parsed.labels, value);
  }

  /** The labels of a device stand in every family it has a series of: they are parsed once a page. */
  #labels(line: string, open: number): ParsedLabels | null {
    const end = line.lastIndexOf("}") + 1;
    const text = line.slice(open, end);
    const known = this.#known.get(text);
    if (known !== undefined) return { ...known, end };
    const parsed = parseLabels(line, open);
    if (parsed?.end === end && text.length <= LONGEST_KNOWN && this.#known.size < MOST_KNOWN)
      this.#known.set(text, parsed);
    return parsed;
  }

  /** Most lines are of the family of the line before. */
  #readFamily(line: string, start: number): number {
    const same = start + this.#family.length;
    if (this.#family !== "" && line.startsWith(this.#family, start) && !isNamePart(line.charCodeAt(same))) return same;
    const end = nameEnd(line, start);
    this.#family = line.slice(start, end);
    this.#take = end === start || end - start > LONGEST_FAMILY ? null : this.#lookup(this.#family);
    return end;
  }
}
