import { type Field, type Fields, integerRange } from "../../frame/field.ts";
import { blankMaker } from "./blank.ts";

/** Puts a number where it belongs in a device; `false` where it has no place for such a value. */
export type Setter = (device: object, value: number) => boolean;

type Bag = Record<string, unknown>;

/** `value` in the field's own unit and type; `null` where the field cannot hold it. */
function fitting(field: Field, value: number): number | null {
  if (field.kind !== "integer") return value;
  const whole = Math.round(value);
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
  const [key = "", ...rest] = path.split(".");
  const field = fields[key];
  if (field === undefined) throw new RangeError(`the schema has no ${path}`);
  if (rest.length === 0) {
    return (device, value) => {
      const scaled = factor === 1 ? value : Math.round(value * factor * THOUSANDTHS) / THOUSANDTHS;
      const number = fitting(field, scaled);
      if (number !== null) (device as Bag)[key] = number;
      return number !== null;
    };
  }
  const blank = blankMaker(field.fields ?? {});
  const inner = setterOf(field.fields ?? {}, rest.join("."), factor);
  return (device, value) => {
    const bag = device as Bag;
    bag[key] ??= blank();
    return inner(bag[key] as object, value);
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
