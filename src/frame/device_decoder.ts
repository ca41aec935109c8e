import { cleanText, MAX_TEXT_BYTES } from "./clean_text.ts";
import { type Field, type Fields, integerRange } from "./field.ts";

/** A JSON object of which nothing is known yet. */
export type Untrusted = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is Untrusted =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An object that was just parsed, and is nobody else's. */
type Parsed = Record<string, unknown>;

/** The device, corrected; `null` where it is none. */
export type DeviceDecoder = (device: Parsed) => unknown;

const REJECT = Symbol("a key without which this is no device");

type Read = (value: unknown) => unknown;

let wrongTypes = 0;

/** How many values of a wrong type have been read so far: whoever reads a line compares before and after. */
export const wrongTypesSoFar = (): number => wrongTypes;

/** What a value of a wrong type is taken for. One that is absent, or null, is of no type and not counted. */
export function wrong<T>(value: unknown, otherwise: T): T {
  if (value !== undefined && value !== null) wrongTypes++;
  return otherwise;
}

/** A number that is none (JSON can write larger ones than there are) is unknown. */
function finite(value: unknown): number | null {
  if (typeof value !== "number") return wrong(value, null);
  return Number.isFinite(value) ? value : null;
}

/** Of so few UTF-16 units a text is never cut. */
const SHORT = Math.floor(MAX_TEXT_BYTES / 3);

const bounded = (text: string): string => (text.length <= SHORT ? text : cleanText(text));

/** No longer than `MAX_TEXT_BYTES`; that it is clean is seen to line by line, where it is parsed. */
export const textOr = (value: unknown, otherwise: string | null): string | null =>
  typeof value === "string" ? bounded(value) : wrong(value, otherwise);

/** The items of a list, each corrected; none where it is no list. */
function items(value: unknown, isSound: (item: unknown) => boolean, correct: (item: unknown) => unknown[]): unknown[] {
  if (!Array.isArray(value)) return wrong(value, []);
  return value.every(isSound) ? value : value.flatMap(correct);
}

/** One level of an untrusted value into our own type: unknown is `null`, whatever the sentinel. */
function reader(field: Field): Read {
  switch (field.kind) {
    case "text":
      return (value) => textOr(value, field.unknown === "never" ? "" : null);
    case "boolean":
      return (value) => (typeof value === "boolean" ? value : wrong(value, false));
    case "integer":
      return field.unknown === "never" ? identifierReader(field) : integerReader(field);
    case "float":
      return (value) => numberValue(value, field);
    case "choice":
      return (value) => {
        const word = textOr(value, null) ?? "";
        return field.choices?.includes(word) ? word : field.choices?.at(-1);
      };
    case "platform":
      return (value) => textOr(isObject(value) ? value.Other : value, "");
    case "labels":
      return labelsValue;
    case "texts":
      return (value) => items(value, isShortText, (one) => (typeof one === "string" ? [bounded(one)] : wrong(one, [])));
    case "floats":
      return (value) => items(value, Number.isFinite, (one) => [finite(one)]);
    case "object": {
      const decode = deviceDecoder(field.fields ?? {});
      return (value) => (isObject(value) ? decode(value) : wrong(value, null));
    }
    case "list": {
      const decode = deviceDecoder(field.fields ?? {});
      return (value) => devices(value, decode);
    }
  }
}

/** What no line of ours could have in its place identifies nothing. */
function identifierReader(field: Field): Read {
  const [lowest, highest] = integerRange(field);
  const otherwise = field.absent ?? REJECT;
  return (value) => {
    // Of -0 the sum with 0 is 0.
    const number = Math.round(finite(value) ?? Number.NaN) + 0;
    return number >= lowest && number <= highest ? number : otherwise;
  };
}

/** A number that no line could have in its place is unknown. */
function integerReader(field: Field): Read {
  const [lowest, highest] = integerRange(field);
  return (value) => {
    const number = numberValue(value, field);
    return number === null || number < lowest || number > highest ? null : number;
  };
}

function numberValue(value: unknown, field: Field): number | null {
  const number = finite(value);
  return number === null || number === field.unknown ? null : number;
}

const isShortText = (value: unknown): value is string => typeof value === "string" && value.length <= SHORT;

function labelsValue(value: unknown): unknown {
  if (!isObject(value)) return wrong(value, {});
  if (hasOnlyShortTexts(value)) return value;
  const texts = Object.entries(value).flatMap(([key, one]) => {
    if (typeof one === "object") return wrong(one, []);
    return [[bounded(key), bounded(String(one))]];
  });
  return Object.fromEntries(texts);
}

function hasOnlyShortTexts(value: Untrusted): boolean {
  for (const key in value) if (!isShortText(value[key]) || key.length > SHORT) return false;
  return true;
}

/** The devices of an untrusted list, in that list itself. */
export function devices(value: unknown, decode: DeviceDecoder): unknown[] {
  if (!Array.isArray(value)) return wrong(value, []);
  let found = 0;
  for (const one of value) {
    const device = isObject(one) ? decode(one as Parsed) : wrong(one, null);
    if (device !== null) value[found++] = device;
  }
  value.length = found;
  return value;
}

const SHORT_TEXT = `typeof v === "string" && v.length <= ${SHORT}`;

/** Tells of a value `v` that it needs no correction; `null` where only its reader can tell. */
function soundTest(field: Field): string | null {
  const known = field.unknown === "listed" ? "unknown === null && " : "";
  const sentinel = typeof field.unknown === "number" ? ` && v !== ${field.unknown}` : "";
  switch (field.kind) {
    case "text":
      return field.unknown === "never" ? SHORT_TEXT : `${known}${SHORT_TEXT} || v === null`;
    case "boolean":
      return "v === true || v === false";
    case "integer": {
      const [lowest, highest] = integerRange(field);
      if (field.unknown === "never") return `typeof v === "number" && v >= ${lowest} && v <= ${highest} && v % 1 === 0`;
      return `${known}typeof v === "number" && v >= ${lowest} && v <= ${highest}${sentinel} || v === null`;
    }
    case "float":
      return `${known}typeof v === "number" && v - v === 0${sentinel} || v === null`;
    case "choice":
      return (field.choices ?? []).map((one) => `v === ${JSON.stringify(one)}`).join(" || ");
    case "platform":
      return SHORT_TEXT;
    default:
      return null;
  }
}

function statement(key: string, field: Field, n: number): string {
  const correct = `if (correct[${n}](device, v, unknown)) return null;`;
  const sound = soundTest(field);
  const checked = sound === null ? correct : `if (!(${sound})) ${correct}`;
  const name = JSON.stringify(key);
  return field.presence === "extension"
    ? `v = device[${name}]; if (v !== undefined) { known++; if (v !== null) { ${checked} } }`
    : `v = device[${name}]; ${checked}`;
}

type Correct = (device: Parsed, value: unknown, unknown: readonly unknown[] | null) => boolean;

/** Puts right what stands under a key; `true` where that makes the device none. */
function correction(key: string, field: Field): Correct {
  const read = reader(field);
  const isListed = field.unknown === "listed";
  return (device, value, unknown) => {
    const known = read(value);
    const result = isListed && unknown?.includes(key) ? null : known;
    if (result === REJECT) return true;
    if (result !== value) device[key] = result;
    return false;
  };
}

/**
 * Compiles a table of fields into what reads one untrusted device; `null` where it is none. Devices are corrected where
 * they stand: most of a line needs no correction, and to build it anew takes three times as long as to look. What looks
 * is made as program text, from the table's own words: a loop over the table takes three times as long once more.
 */
export function deviceDecoder(fields: Fields): DeviceDecoder {
  const entries = Object.entries(fields);
  const keys = Object.keys(fields);
  const required = entries.filter(([, { presence }]) => presence === "required").length;
  const body = `return (device) => {
    const listed = device.unknown;
    const unknown = Array.isArray(listed) ? (listed.length > 0 ? listed : null) : wrong(listed, null);
    let known = ${required}, v;
    ${entries.map(([key, field], n) => statement(key, field, n)).join("\n    ")}
    return Object.keys(device).length === known ? device : only(device);
  };`;
  const corrections = entries.map(([key, field]) => correction(key, field));
  const known = (device: Parsed) => only(keys, device);
  return new Function("correct", "only", "wrong", body)(corrections, known, wrong) as DeviceDecoder;
}

/** Without what the table does not know. */
function only(keys: readonly string[], device: Parsed): Parsed {
  const known: Parsed = {};
  for (const key of keys) {
    const value = device[key];
    if (value !== undefined) known[key] = value;
  }
  return known;
}
