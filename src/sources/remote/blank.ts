import type { Field, Fields, Shape } from "../../frame/field.ts";

/** A device that is still being filled in. */
export type Draft<T> = T extends readonly (infer I)[]
  ? Draft<I>[]
  : T extends object
    ? { -readonly [K in keyof T]: Draft<T[K]> }
    : T;

/** What stands under a required key of which nothing has been told yet. */
function nothing(field: Field): () => unknown {
  switch (field.kind) {
    case "list":
    case "texts":
    case "floats":
      return () => [];
    case "labels":
      return () => ({});
    case "boolean":
      return () => false;
    case "choice":
      return () => field.choices?.at(-1) ?? "";
    case "text":
      return () => (field.unknown === "never" ? "" : null);
    case "platform":
      return () => "";
    default:
      return () => (field.unknown === "never" ? 0 : null);
  }
}

/** Compiles a table of fields into what makes a device of which nothing is known. */
export function blankMaker<F extends Fields>(fields: F): () => Draft<Shape<F>> {
  const required = Object.entries(fields).filter(([, field]) => field.presence === "required");
  const makers = required.map(([key, field]) => [key, nothing(field)] as const);
  return () => Object.fromEntries(makers.map(([key, make]) => [key, make()])) as Draft<Shape<F>>;
}
