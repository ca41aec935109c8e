import type { Frame } from "../frame/frame.ts";
import { families } from "./families.ts";
import { type Build, frameRows, type Rows } from "./rows.ts";
import type { Family } from "./schema_families.ts";

/** What stands above the series of a family; the name is without its prefix. */
export type FamilyHead = Pick<Family, "name" | "help" | "type">;

export interface Series {
  /** As it stands between the braces. */
  readonly labels: string;
  /** Anything but a number is no series. */
  readonly value: unknown;
}

const PREFIX = "all_smi_";

/**
 * A number as every reader takes it: digits and a point, without an exponent. `null` for what is no number to be told:
 * unknown, or not finite.
 */
function decimal(value: unknown): string | null {
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  const text = String(value);
  if (!text.includes("e")) return text;
  if (Math.abs(value) > 1) return String(BigInt(value));
  const digits = value.toFixed(20).replace(/\.?0+$/, "");
  return digits === "-0" ? "0" : digits;
}

/** A family with all its series together; nothing where it has none. The first of two rows with the same labels counts. */
export function familyText({ name, help, type }: FamilyHead, series: readonly Series[]): string {
  const written = new Set<string>();
  let text = "";
  for (const { labels, value } of series) {
    const number = decimal(value);
    if (number === null || written.has(labels)) continue;
    written.add(labels);
    text += `${PREFIX}${name}{${labels}} ${number}\n`;
  }
  return text && `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${type}\n${text}`;
}

const seriesOf = ({ rows, value }: Family, of: Rows): Series[] =>
  rows(of).map(({ device, labels }) => ({ labels, value: value(device) }));

const textOf = (rows: Rows): string => families.map((family) => familyText(family, seriesOf(family, rows))).join("");

/**
 * A frame in the Prometheus text format, as `snapshot` prints and an exporter serves it. Unknown values have no
 * series. Families and their help come from the schema; names and labels are those of the Rust tool, so that its
 * remote view reads this as well.
 */
export const prometheusText = (frame: Frame, build: Build): string => textOf(frameRows(frame, build, true));

/** What an exporter serves while it has no current frame: that it is not up, and what it is. */
export function prometheusTextWithoutFrame(hostname: string, build: Build): string {
  const nothing: Frame = { t_ms: 0, seq: null, elapsed_ms: null, source: null, hostname, errors: [] };
  return textOf(frameRows(nothing, build, false));
}
