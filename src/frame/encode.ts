import { type Field, type Fields, integerRange } from "./field.ts";
import { type Frame, SCHEMA } from "./frame.ts";
import { eventFields, type SectionName, scrapeFields, sections } from "./schema.ts";

/** A device as it stands on the line. */
export type Encoded = Record<string, unknown>;

type Put = (from: Encoded, to: Encoded, placeholders: string[]) => void;

const numberOrNull = (value: unknown): number | null => (isNumber(value) ? value : null);
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

type Convert = (value: unknown) => unknown;

/** Gives the value as the Rust tool's reader takes it, or `undefined` where that is not possible: unknown. */
function knownValue(field: Field): Convert {
  switch (field.kind) {
    case "integer": {
      const [lowest, highest] = integerRange(field);
      return (value) => {
        if (!isNumber(value)) return undefined;
        const whole = Math.round(value);
        return whole >= lowest && whole <= highest ? whole : undefined;
      };
    }
    case "float":
      return (value) => (isNumber(value) ? value : undefined);
    case "floats":
      return (value) => ((value as unknown[]).every(isNumber) ? value : (value as unknown[]).map(numberOrNull));
    case "platform":
      return (value) => platformName(value as string);
    default:
      return (value) => value ?? undefined;
  }
}

const PLATFORMS = new Set(["Intel", "Amd", "AppleSilicon", "Arm"]);
const platformName = (name: string): unknown => (PLATFORMS.has(name) ? name : { Other: name });

function nested(fields: Fields): (value: unknown) => unknown {
  const encode = deviceEncoder(fields);
  return (value) => encode(value as Encoded);
}

function writer(key: string, field: Field, convert: Convert): Put {
  const extension = field.presence === "extension";
  return (from, to, placeholders) => {
    const value = from[key];
    if (value === undefined && extension) return;
    const encoded = value === null || value === undefined ? undefined : convert(value);
    if (encoded !== undefined) {
      to[key] = encoded;
    } else if (extension || field.unknown === "null") {
      to[key] = null;
    } else if (typeof field.unknown === "number") {
      to[key] = field.unknown;
    } else {
      to[key] = field.absent ?? 0;
      placeholders.push(key);
    }
  };
}

function converter(field: Field): Convert {
  if (field.fields === undefined) return knownValue(field);
  const one = nested(field.fields);
  if (field.kind !== "list") return one;
  const list = listEncoder(one);
  return (value) => list(value as unknown[]);
}

/** Looking through a shorter list is as fast as remembering it. */
const SHORT_LIST = 8;

/**
 * Remembers lists that stand on the line as they are: nothing in a frame changes any more, and the NVLinks of a machine's
 * GPUs, which are hundreds, are the same ones in frame after frame.
 */
function listEncoder(convert: Convert): (list: unknown[]) => unknown[] {
  const plain = new WeakSet<unknown[]>();
  return (list) => {
    if (plain.has(list)) return list;
    if (list.some((one) => convert(one) !== one)) return list.map(convert);
    if (list.length > SHORT_LIST) plain.add(list);
    return list;
  };
}

/** Compiles a table of fields into what writes one device: itself, where it would stand on the line as it is. */
function deviceEncoder(fields: Fields): (device: Encoded) => Encoded {
  const converters = Object.entries(fields).map(([key, field]) => ({ key, field, convert: converter(field) }));
  const writers = converters.map(({ key, field, convert }) => writer(key, field, convert));
  const copy = (device: Encoded): Encoded => {
    const encoded: Encoded = {};
    const placeholders: string[] = [];
    for (const write of writers) write(device, encoded, placeholders);
    if (placeholders.length > 0) encoded.unknown = placeholders;
    return encoded;
  };
  const looks = converters.map(({ key, field, convert }) => {
    const isExtension = field.presence === "extension";
    return { key, convert, isExtension, mayBeNull: isExtension || field.unknown === "null" };
  });
  const isAsWritten = (device: Encoded): boolean => {
    const keys = Object.keys(device);
    let at = 0;
    for (const { key, convert, isExtension, mayBeNull } of looks) {
      const value = device[key];
      if (value === undefined && isExtension) continue;
      if (keys[at++] !== key) return false;
      if (value === null ? !mayBeNull : convert(value) !== value) return false;
    }
    return at === keys.length;
  };
  return (device) => (isAsWritten(device) ? device : copy(device));
}

const sectionEncoders = Object.entries(sections).map(([name, fields]) => ({
  name: name as SectionName,
  encode: deviceEncoder(fields),
}));
const encodeScrape = deviceEncoder(scrapeFields);
const encodeEvent = deviceEncoder(eventFields);

/** RFC 3339, UTC, milliseconds. */
export const formatTime = (t_ms: number): string => new Date(t_ms).toISOString();

/**
 * A frame as the one line (without its newline) that recordings, snapshots and streams carry. Keys stand in the order
 * of the schema; `timestamp` is `t` in whole seconds, for the Rust tool's reader.
 */
export function frameLine(frame: Frame): string {
  const t = formatTime(frame.t_ms);
  const line: Encoded = { schema: SCHEMA, t };
  if (frame.seq !== null) line.seq = frame.seq;
  if (frame.elapsed_ms !== null) line.elapsed_ms = Math.round(frame.elapsed_ms);
  if (frame.source !== null) line.source = frame.source;
  line.timestamp = `${t.slice(0, -5)}Z`;
  line.hostname = frame.hostname;
  for (const { name, encode } of sectionEncoders) {
    const devices = frame[name];
    if (devices !== undefined) line[name] = (devices as unknown as Encoded[]).map(encode);
  }
  if (frame.scrapes !== undefined) line.scrapes = frame.scrapes.map((one) => encodeScrape(one as unknown as Encoded));
  if (frame.events !== undefined) line.events = frame.events.map((one) => encodeEvent(one as unknown as Encoded));
  line.errors = frame.errors;
  return JSON.stringify(line);
}
