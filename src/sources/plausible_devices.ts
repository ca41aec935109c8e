import type { Fields } from "../frame/field.ts";
import type { Sections } from "../frame/frame.ts";
import { type SectionName, sections } from "../frame/schema.ts";
import { plausible, type Quantity, quantityOf, soundRange } from "./plausible.ts";

type Bag = Record<string, unknown>;

interface NumberCheck {
  readonly key: string;
  readonly quantity: Quantity;
  /** Between them a number is as it should be. */
  readonly lowest: number;
  readonly highest: number;
}

function numberCheck(key: string, quantity: Quantity): NumberCheck {
  const [lowest, highest] = soundRange(quantity);
  return { key, quantity, lowest, highest };
}

/** What is looked at in a device, or in a part of one. */
interface Checks {
  readonly numbers: readonly NumberCheck[];
  readonly parts: readonly (readonly [key: string, checks: Checks])[];
}

function checksOf(fields: Fields): Checks {
  const entries = Object.entries(fields);
  return {
    numbers: entries.flatMap(([key, field]) => {
      const quantity = field.fields === undefined && field.unknown !== "never" ? quantityOf(key, field) : null;
      return quantity === null ? [] : [numberCheck(key, quantity)];
    }),
    parts: entries.flatMap(([key, { fields: inside }]) => {
      const checks = inside === undefined ? null : checksOf(inside);
      return checks === null || checks.numbers.length + checks.parts.length === 0 ? [] : [[key, checks] as const];
    }),
  };
}

/** In its place: a frame that was decoded is nobody else's. */
function clean(bag: Bag, { numbers, parts }: Checks): void {
  for (const { key, quantity, lowest, highest } of numbers) {
    const value = bag[key];
    if (typeof value !== "number" || (value >= lowest && value <= highest)) continue;
    if (plausible(quantity, value) === null) bag[key] = null;
  }
  for (const [key, checks] of parts) {
    const part = bag[key];
    if (Array.isArray(part)) for (const one of part) clean(one, checks);
    else if (typeof part === "object" && part !== null) clean(part as Bag, checks);
  }
}

const CHECKS = Object.entries(sections).map(([name, fields]) => [name as SectionName, checksOf(fields)] as const);

/** Makes unknown, in place, what of devices cannot be so. */
export function onlyPlausible(devices: Sections): Sections {
  for (const [name, checks] of CHECKS) {
    for (const device of devices[name] ?? []) clean(device as unknown as Bag, checks);
  }
  return devices;
}
