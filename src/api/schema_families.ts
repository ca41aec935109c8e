import type { Field, Fields, Metric } from "../frame/field.ts";
import { type Memory, type SectionName, sections } from "../frame/schema.ts";
import type { Row, Rows, RowsName } from "./rows.ts";

/** One Prometheus family: which rows of a frame have a series in it, and their values. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "gauge" | "counter";
  readonly rows: (rows: Rows) => readonly Row[];
  /** The value of a row; anything but a number is no series. */
  readonly value: (device: unknown) => unknown;
}

interface Found {
  readonly family: Family;
  readonly extension: boolean;
}

/** The families that a table of fields names, those of nested tables included. */
function* walk(fields: Fields, of: string, path: readonly string[], extension: boolean): Generator<Found> {
  for (const [key, field] of Object.entries(fields)) {
    const here = [...path, key];
    const ours = extension || field.presence === "extension";
    if (field.metric) yield { family: fromField(field, field.metric, of, here), extension: ours };
    if (field.fields === undefined) continue;
    if (field.kind === "list") yield* walk(field.fields, `${of}.${here.join(".")}`, [], ours);
    else yield* walk(field.fields, of, here, ours);
  }
}

/** Only temperatures may be below 0: a load or a size of -1 is a source's word for unknown. */
const isTold = ({ unit }: Field, value: unknown): boolean =>
  unit === "celsius" || typeof value !== "number" || value >= 0;

function fromField(field: Field, metric: Metric, of: string, path: readonly string[]): Family {
  return {
    name: metric.family,
    help: metric.help,
    type: metric.counter ? "counter" : "gauge",
    rows: metric.family.startsWith("swap_") ? swapRows : (rows) => rows[of as RowsName] ?? [],
    value: (device) => {
      const value = path.reduce((one, key) => (one as Record<string, unknown> | null | undefined)?.[key], device);
      return isTold(field, value) ? value : null;
    },
  };
}

/** A machine without swap has no series of it, as in the Rust tool. */
const swapRows = ({ memory }: Rows): Row<Memory>[] => memory.filter(({ device }) => (device.swap_total_bytes ?? 0) > 0);

const foundIn = (section: SectionName): Found[] => [...walk(sections[section], section, [], false)];
const familiesOf = (section: SectionName, extension: boolean): Family[] =>
  foundIn(section).flatMap((one) => (one.extension === extension ? [one.family] : []));

/** The families of a section that the Rust tool's keys feed. */
export const schemaFamilies = (section: SectionName): Family[] => familiesOf(section, false);

/** The families of a section that only our own keys feed. */
export const extensionFamilies = (section: SectionName): Family[] => familiesOf(section, true);
