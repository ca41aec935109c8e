import { cleanJson, cleanText, mayHoldUnclean } from "./clean_text.ts";
import { deviceDecoder, devices, isObject, textOr, type Untrusted } from "./device_decoder.ts";
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

/** RFC 3339 into ms since the epoch; `null` for anything that is no time. */
export function parseTime(text: unknown): number | null {
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const t_ms = Date.parse(text);
  return t_ms >= FIRST_T_MS && t_ms <= LAST_T_MS ? t_ms : null;
}

/** The Rust tool's `{section, kind, message}` and our own texts. */
function errorTexts(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    if (typeof one === "string") return [cleanText(one)];
    if (!isObject(one) || typeof one.message !== "string") return [];
    return [cleanText(typeof one.section === "string" ? `${cleanText(one.section)}: ${one.message}` : one.message)];
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
  const t_ms = parseTime(value.t) ?? parseTime(value.timestamp);
  if (t_ms === null) return { kind: "bad", reason: "no time" };
  const found = decodeSections(value);
  if (found === null) return { kind: "bad", reason: "a section is neither a list nor an object" };
  const source = value.source;
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
  if (Array.isArray(value.events)) frame.events = devices(value.events, decodeEvent) as FrameEvent[];
  return { kind: "frame", frame };
}

const position = (value: unknown): number | null => (isPosition(value) ? value : null);

/**
 * Objects and lists in a line. A true one has one in some hundred bytes; empty ones take sixty times the memory of
 * their text, which of a line as long as they may be is a gigabyte.
 */
const MOST_CONTAINERS = 1 << 18;
/** Shorter lines have room for no more. */
const SAFE_LENGTH = 2 * MOST_CONTAINERS;

function hasTooManyContainers(text: string): boolean {
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
 * Reads one untrusted line: ours or the Rust tool's. Keys that are absent or of a wrong type are unknown, devices that
 * are none are dropped, texts are cleaned and cut; never throws.
 */
export const decodeLine = (text: string): Line => decodeChosen(text, (frame) => frame);

/** As {@link decodeLine}, of a frame only what is chosen: what is left out takes half of the time and more. */
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
  const schema = value.schema;
  if (typeof schema !== "number") return { kind: "bad", reason: "no schema" };
  if (schema !== SCHEMA) return { kind: "refused", schema };
  if (value.header === true) return { kind: "header", value };
  if (value.index === true) return { kind: "index", value };
  return decodeFrame(choose(value));
}
