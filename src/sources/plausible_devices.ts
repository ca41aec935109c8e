import type { Field, Fields } from "../frame/field.ts";
import type { Sections } from "../frame/frame.ts";
import { type SectionName, sections } from "../frame/schema.ts";
import { plausible, quantityOf } from "./plausible.ts";

type Bag = Record<string, unknown>;
type Clean = (device: Bag) => void;

/** What makes unknown, in place, what of a device cannot be so; `null`: nothing of it could be wrong. */
function cleanerOf(fields: Fields): Clean | null {
  const cleaners = Object.entries(fields).flatMap(([key, field]) => fieldCleaner(key, field) ?? []);
  if (cleaners.length === 0) return null;
  return (device) => {
    for (const clean of cleaners) clean(device);
  };
}

function fieldCleaner(key: string, field: Field): Clean | null {
  if (field.fields !== undefined) return insideCleaner(key, field.fields);
  const quantity = quantityOf(key, field);
  if (quantity === null || field.unknown === "never") return null;
  return (device) => {
    const value = device[key];
    if (typeof value === "number" && plausible(quantity, value) === null) device[key] = null;
  };
}

function insideCleaner(key: string, fields: Fields): Clean | null {
  const clean = cleanerOf(fields);
  if (clean === null) return null;
  return (device) => {
    const inside = device[key];
    if (Array.isArray(inside)) for (const one of inside) clean(one);
    else if (typeof inside === "object" && inside !== null) clean(inside as Bag);
  };
}

const CLEANERS = new Map(Object.entries(sections).map(([name, fields]) => [name as SectionName, cleanerOf(fields)]));

/** Makes unknown, in place, what of devices cannot be so. */
export function onlyPlausible(devices: Sections): Sections {
  for (const [name, clean] of CLEANERS) for (const device of devices[name] ?? []) clean?.(device as unknown as Bag);
  return devices;
}
