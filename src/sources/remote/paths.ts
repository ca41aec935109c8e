import { type Field, type Fields, integerRange } from "../../frame/field.ts";
import { isUnknownNumber, plausible, type Quantity, quantityOf } from "../plausible.ts";
import { blankMaker } from "./blank.ts";

/** Puts a number where it belongs in a device; `false` where it has no place for such a value. */
export type Setter = (device: object, value: number) => boolean;

type Bag = Record<string, unknown>;

/** `value` in the field's own unit and type; `null` where the field cannot hold it, or no such thing can be so. */
function fitting(field: Field, quantity: Quantity | null, value: number): number | null {
  const number = quantity === null ? value : plausible(quantity, value);
  if (number === null || field.kind !== "integer") return number;
  const whole = Math.round(number);
  const [lowest, highest] = integerRange(field);
  return whole >= lowest && whole <= highest ? whole : null;
}

/** Digits after the point of a number that was converted, whose further ones are mostly noise. */
const THOUSANDTHS = 1000;

/**
 * What sets the number at a path of the schema, `"health.ecc.corrected_volatile"`, and makes the objects on the way
 * there; `factor` turns the value given into the schema's unit.
 */
export function setterOf(fields: Fields, path: string, factor = 1): Setter {
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const makers: (readonly [key: string, make: () => object])[] = [];
  let inside = fields;
  for (const key of keys) {
    inside = inside[key]?.fields ?? {};
    makers.push([key, blankMaker(inside)]);
  }
  const field = inside[last];
  if (field === undefined) throw new RangeError(`the schema has no ${path}`);
  const quantity = quantityOf(last, field);
  return (device, value) => {
    // What stands for "unknown" in the source's own unit may be possible in another.
    if (isUnknownNumber(value)) return false;
    const scaled = factor === 1 ? value : Math.round(value * factor * THOUSANDTHS) / THOUSANDTHS;
    const number = fitting(field, quantity, scaled);
    if (number === null) return false;
    let bag = device as Bag;
    for (const [key, make] of makers) {
      bag[key] ??= make();
      bag = bag[key] as Bag;
    }
    bag[last] = number;
    return true;
  };
}

/** Where each family's value goes: a path, or a path and a factor. */
export type Places = Readonly<Record<string, string | readonly [path: string, factor: number]>>;

export const settersOf = (fields: Fields, places: Places): ReadonlyMap<string, Setter> =>
  new Map(
    Object.entries(places).map(([family, place]) => {
      const [path, factor] = typeof place === "string" ? [place, 1] : place;
      return [family, setterOf(fields, path, factor)];
    }),
  );
