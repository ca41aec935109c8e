import { isUtf8 } from "node:buffer";
import { cleanJson, cleanText, mayHoldUnclean } from "./clean_text.ts";
import { deviceDecoder, devices, isObject, textOr, type Untrusted, wrong, wrongTypesSoFar } from "./device_decoder.ts";
import { type Frame, SCHEMA, type Sections } from "./frame.ts";
import { eventFields, type FrameEvent, type Scrape, type SectionName, scrapeFields, sections } from "./schema.ts";

export { isObject, type Untrusted } from "./device_decoder.ts";

/** A number that counts or places something. */
export const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** What a line of a recording turned out to be. `bad`: to be skipped and counted; `refused`: another schema. */
export type Line =
  | { readonly kind: "frame"; readonly frame: Frame }
  | { readonly kind: "header"; readonly value: Untrusted }
  | { readonly kind: "index"; readonly value: Untrusted }
  | { readonly kind: "refused"; readonly schema: number }
  | { readonly kind: "bad"; readonly reason: string };

const sectionDecoders = Object.entries(sections).map(([name, fields]) => ({
  name: name as SectionName,
  decode: deviceDecoder(fields),
}));
const decodeScrape = deviceDecoder(scrapeFields);
const decodeEvent = deviceDecoder(eventFields);

/** The first and the last moment that RFC 3339 can name: its years have four digits. */
const FIRST_T_MS = Date.parse("0000-01-01T00:00:00.000Z");
const LAST_T_MS = Date.parse("9999-12-31T23:59:59.999Z");

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Of a month from 1 to 12, in the Gregorian calendar; 0 for another number. */
export function daysInMonth(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (MONTH_DAYS[month - 1] ?? 0);
}

/** `Date.parse` takes the 31st of February for the 3rd of March, and 24:00 for the next day. */
const isInCalendar = (text: string): boolean =>
  Number(text.slice(8, 10)) <= daysInMonth(Number(text.slice(0, 4)), Number(text.slice(5, 7))) &&
  text.slice(11, 13) !== "24";

/** RFC 3339 into ms since the epoch; `null` for anything that is no time. */
export function parseTime(text: unknown): number | null {
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const t_ms = Date.parse(text);
  return t_ms >= FIRST_T_MS && t_ms <= LAST_T_MS && isInCalendar(text) ? t_ms : null;
}

/** The Rust tool's `{section, kind, message}` and our own texts. */
function errorTexts(value: unknown): string[] {
  if (!Array.isArray(value)) return wrong(value, []);
  return value.flatMap((one: unknown) => {
    if (typeof one === "string") return [cleanText(one)];
    if (!isObject(one)) return wrong(one, []);
    const message = textOr(one.message, null);
    if (message === null) return [];
    const section = textOr(one.section, null);
    return [cleanText(section === null ? message : `${section}: ${message}`)];
  });
}

function decodeSections(value: Untrusted): Sections | null {
  const decoded: Record<string, unknown> = {};
  for (const { name, decode } of sectionDecoders) {
    const section = value[name];
    if (section === undefined || section === null) continue;
    if (typeof section !== "object") return null;
    decoded[name] = devices(Array.isArray(section) ? section : [section], decode);
  }
  return decoded as Sections;
}

function decodeFrame(value: Untrusted): Line {
  const [t, timestamp] = [textOr(value.t, null), textOr(value.timestamp, null)];
  const t_ms = parseTime(t) ?? parseTime(timestamp);
  if (t_ms === null) return { kind: "bad", reason: "no time" };
  const found = decodeSections(value);
  if (found === null) return { kind: "bad", reason: "a section is neither a list nor an object" };
  const source = textOr(value.source, null);
  const frame: Frame = {
    t_ms,
    seq: position(value.seq),
    elapsed_ms: position(value.elapsed_ms),
    source: source === "local" || source === "remote" ? source : null,
    hostname: textOr(value.hostname, "") ?? "",
    errors: errorTexts(value.errors),
    ...found,
  };
  if (Array.isArray(value.scrapes)) frame.scrapes = devices(value.scrapes, decodeScrape) as Scrape[];
  else wrong(value.scrapes, null);
  if (Array.isArray(value.events)) frame.events = devices(value.events, decodeEvent) as FrameEvent[];
  else wrong(value.events, null);
  return { kind: "frame", frame };
}

/** A recorder goes on counting from there, and what it writes must be exact as well. */
const HIGHEST_POSITION = 2 ** 52;

/** Of a number that cannot count anything nothing is known. */
function position(value: unknown): number | null {
  if (isPosition(value) && value < HIGHEST_POSITION) return value;
  return typeof value === "number" ? null : wrong(value, null);
}

/**
 * Objects and lists in a line. A true one has one in some hundred bytes; empty ones take sixty times the memory of
 * their text, which of a line as long as they may be is a gigabyte.
 */
const MOST_CONTAINERS = 1 << 18;
/** Shorter lines have room for no more. */
const SAFE_LENGTH = 2 * MOST_CONTAINERS;

/** Whether a line has more objects and lists than a reader takes. */
export function hasTooManyContainers(text: string): boolean {
  if (text.length <= SAFE_LENGTH) return false;
  return countOf(text, "{") + countOf(text, "[") > MOST_CONTAINERS;
}

/** Up to one more than what is too many. */
function countOf(text: string, bracket: string): number {
  let count = 0;
  for (let at = text.indexOf(bracket); at >= 0 && count <= MOST_CONTAINERS; at = text.indexOf(bracket, at + 1)) count++;
  return count;
}

/**
 * Reads one untrusted line: ours or the Rust tool's. What is absent is unknown, devices that are none are dropped, texts
 * are cleaned and cut; a line that holds a value of another type than the schema's is bad. Never throws.
 */
export function decodeLine(text: string): Line {
  const before = wrongTypesSoFar();
  const line = decodeChosen(text, (frame) => frame);
  return line.kind === "frame" && wrongTypesSoFar() > before ? WRONG_TYPE : line;
}

const WRONG_TYPE: Line = { kind: "bad", reason: "a value of a wrong type" };
const NOT_UTF8: Line = { kind: "bad", reason: "no UTF-8" };

/** The same of the bytes from `start` to `end`; a byte order mark is passed over. */
export function decodeBytes(bytes: Buffer, start: number, end: number): Line {
  const line = bytes.subarray(afterMark(bytes, start), end);
  return isUtf8(line) ? decodeLine(line.toString()) : NOT_UTF8;
}

/** Where a line begins behind a byte order mark, which some editors and shells write. */
export const afterMark = (bytes: Uint8Array, start: number): number =>
  bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? start + 3 : start;

/**
 * Reads a line of which only what is chosen counts: what is left out takes half of the time and more. Values of a wrong
 * type are unknown.
 */
export function decodeChosen(text: string, choose: (frame: Untrusted) => Untrusted): Line {
  if (hasTooManyContainers(text)) return { kind: "bad", reason: "too many objects and lists" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "bad", reason: "no JSON" };
  }
  if (!isObject(value)) return { kind: "bad", reason: "no JSON object" };
  if (mayHoldUnclean(text)) cleanJson(value);
  const { schema, header, index } = value;
  if (typeof schema !== "number") return { kind: "bad", reason: "no schema" };
  if (schema !== SCHEMA) return { kind: "refused", schema };
  if (header === true) return { kind: "header", value };
  if (index === true) return { kind: "index", value };
  for (const mark of [header, index]) if (typeof mark !== "boolean") wrong(mark, null);
  return decodeFrame(choose(value));
}
