import { cleanText, isCleanText } from "./clean_text.ts";
import type { Field, Fields } from "./field.ts";
import type { Frame } from "./frame.ts";
import { eventFields, scrapeFields, sections } from "./schema.ts";

type Device = Record<string, unknown>;
type Clean = (device: Device) => void;

/** Cleans what stands under a key; `null` for a key that holds no text. */
function cleaner(key: string, field: Field): Clean | null {
  switch (field.kind) {
    case "text":
    case "platform":
      return (device) => {
        const value = device[key];
        if (typeof value === "string" && !isCleanText(value)) device[key] = cleanText(value);
      };
    case "labels":
      return (device) => {
        const value = device[key] as Readonly<Record<string, string>> | null | undefined;
        if (value && !isCleanMap(value)) device[key] = cleanMap(value);
      };
    case "texts":
      return (device) => {
        const value = device[key] as readonly string[] | null | undefined;
        if (value?.every(isCleanText) === false) device[key] = value.map((one) => cleanText(one));
      };
    case "object":
    case "list":
      return nested(key, field.fields ?? {});
    default:
      return null;
  }
}

function nested(key: string, fields: Fields): Clean | null {
  const clean = deviceCleaner(fields);
  if (clean === null) return null;
  return (device) => {
    const value = device[key] as Device | Device[] | null | undefined;
    if (Array.isArray(value)) value.forEach(clean);
    else if (value) clean(value);
  };
}

function isCleanMap(map: Readonly<Record<string, string>>): boolean {
  for (const key in map) if (!isCleanText(key) || !isCleanText(map[key] ?? "")) return false;
  return true;
}

const cleanMap = (map: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [cleanText(key), cleanText(value)]));

/** `null` for a table without texts. */
function deviceCleaner(fields: Fields): Clean | null {
  const cleaners = Object.entries(fields)
    .map(([key, field]) => cleaner(key, field))
    .filter((clean) => clean !== null);
  if (cleaners.length === 0) return null;
  return (device) => {
    for (const clean of cleaners) clean(device);
  };
}

const cleaners = Object.entries({ ...sections, scrapes: scrapeFields, events: eventFields }).map(([name, fields]) => ({
  name: name as keyof typeof sections | "scrapes" | "events",
  clean: deviceCleaner(fields),
}));

/** Cleans every text that a source read, in its place: what drivers, files, processes and other machines say. */
export function cleanReading(reading: Partial<Frame>): void {
  for (const { name, clean } of cleaners) {
    const devices = reading[name] as Device[] | undefined;
    if (clean !== null) devices?.forEach(clean);
  }
  if (reading.errors?.every(isCleanText) === false) reading.errors = reading.errors.map((error) => cleanText(error));
}
