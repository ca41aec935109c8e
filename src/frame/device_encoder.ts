import { type Field, type Fields, integerRange } from "./field.ts";

/** A device as it stands on the line. */
export type Encoded = Record<string, unknown>;

type DeviceEncoder = (device: Encoded) => Encoded;
type Convert = (value: unknown) => unknown;

const numberOrNull = (value: unknown): number | null => (isNumber(value) ? value : null);
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const PLATFORMS = new Set(["Intel", "Amd", "AppleSilicon", "Arm"]);
const platformName = (name: string): unknown => (PLATFORMS.has(name) ? name : { Other: name });

/**
 * Gives a value that is not `null` as the Rust tool's reader takes it, itself where it is that already, or `undefined`
 * where that is not possible: unknown.
 */
function converter(field: Field): Convert {
  if (field.fields !== undefined) {
    const encode = deviceEncoder(field.fields) as Convert;
    return field.kind === "list" ? (listEncoder(encode) as Convert) : encode;
  }
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
      return (value) => value;
  }
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

/** Tells of a value `v` that is not `null` that it stands on the line as it is; `convert` is its converter. */
function plainTest(field: Field, convert: string): string {
  if (field.fields !== undefined) return `${convert}(v) === v`;
  switch (field.kind) {
    case "integer": {
      const [lowest, highest] = integerRange(field);
      return `typeof v === "number" && v >= ${lowest} && v <= ${highest} && v % 1 === 0`;
    }
    case "float":
      return 'typeof v === "number" && v - v === 0';
    case "floats":
    case "platform":
      return `${convert}(v) === v`;
    default:
      return "v !== undefined";
  }
}

const mayBeNull = (field: Field): boolean => field.presence === "extension" || field.unknown === "null";

/** Whether a number stands for unknown. */
const hasMark = (field: Field): boolean => field.presence !== "extension" && typeof field.unknown === "number";

/** What is found of a device. */
const OTHERWISE = 0;
const AS_WRITTEN = 1;
/** But for numbers that stand for unknown. */
const TO_BE_MARKED = 2;

/** Leaves where a key's value is not as it is written, or stands in another place. */
function look(key: string, field: Field, n: number): string {
  const name = JSON.stringify(key);
  const isPlain = `(${plainTest(field, `convert[${n}]`)})`;
  const isElsewhere = `keys[at++] !== ${name}`;
  if (hasMark(field)) {
    return `v = device[${name}]; if (${isElsewhere}) return ${OTHERWISE};
    if (v === null) found = ${TO_BE_MARKED}; else if (!${isPlain}) return ${OTHERWISE};`;
  }
  const asIs = mayBeNull(field) ? `(v === null || ${isPlain})` : `v !== null && ${isPlain}`;
  const check = `if (${isElsewhere} || !(${asIs})) return ${OTHERWISE};`;
  return `v = device[${name}]; ${field.presence === "extension" ? `if (v !== undefined) { ${check} }` : check}`;
}

/** Puts the number that stands for unknown into a copy that is as written otherwise. */
const mark = (key: string, field: Field): string =>
  hasMark(field) ? `if (copy[${JSON.stringify(key)}] === null) copy[${JSON.stringify(key)}] = ${field.unknown};` : "";

/** Puts a key's value into the copy. */
function write(key: string, field: Field, n: number): string {
  const name = JSON.stringify(key);
  const known = `v === null || v === undefined ? undefined : convert[${n}](v)`;
  const put = (value: string) => `copy[${name}] = ${value};`;
  if (field.presence === "extension") {
    return `v = device[${name}]; if (v !== undefined) { v = ${known}; ${put("v === undefined ? null : v")} }`;
  }
  const unknown =
    field.unknown === "null" || typeof field.unknown === "number"
      ? put(String(typeof field.unknown === "number" ? field.unknown : null))
      : `${put(JSON.stringify(field.absent ?? 0))} placeholders.push(${name});`;
  return `v = device[${name}]; v = ${known}; if (v !== undefined) ${put("v")} else { ${unknown} }`;
}

/**
 * Compiles a table of fields into what writes one device: itself, where it would stand on the line as it is. It is made
 * as program text from the table's own words, as what reads one is: each frame of a recorder goes through it.
 */
export function deviceEncoder(fields: Fields): DeviceEncoder {
  const entries = Object.entries(fields);
  const lines = (of: typeof look) => entries.map(([key, field], n) => of(key, field, n)).join("\n    ");
  const body = `
  const look = (device) => {
    const keys = Object.keys(device);
    let at = 0, found = ${AS_WRITTEN}, v;
    ${lines(look)}
    return at === keys.length ? found : ${OTHERWISE};
  };
  const marked = (device) => {
    const copy = { ...device };
    ${lines(mark)}
    return copy;
  };
  return (device) => {
    const found = look(device);
    if (found === ${AS_WRITTEN}) return device;
    if (found === ${TO_BE_MARKED}) return marked(device);
    const copy = {}, placeholders = [];
    let v;
    ${lines(write)}
    if (placeholders.length > 0) copy.unknown = placeholders;
    return copy;
  };`;
  return new Function("convert", body)(entries.map(([, field]) => converter(field))) as DeviceEncoder;
}
