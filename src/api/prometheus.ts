import type { Frame } from "../frame/frame.ts";
import { families } from "./families.ts";
import { type Build, frameRows, type Rows } from "./rows.ts";
import type { Family } from "./schema_families.ts";

const PREFIX = "all_smi_";

/**
 * A number as both Prometheus and the Rust tool's remote reader take it: digits and a point, no sign, no exponent.
 * `null` for what cannot be written so: unknown, negative, not finite.
 */
function decimal(value: unknown): string | null {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return null;
  const text = String(value);
  if (!text.includes("e")) return text;
  return value > 1 ? String(BigInt(value)) : value.toFixed(20).replace(/\.?0+$/, "");
}

/** A family with all its series together; nothing where it has none. The first of two rows with the same labels counts. */
function familyText({ name, help, type, rows, value }: Family, of: Rows): string {
  const written = new Set<string>();
  let series = "";
  for (const { device, labels } of rows(of)) {
    const number = decimal(value(device));
    if (number === null || written.has(labels)) continue;
    written.add(labels);
    series += `${PREFIX}${name}{${labels}} ${number}\n`;
  }
  return series && `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${type}\n${series}`;
}

/**
 * A frame in the Prometheus text format, as `snapshot` prints and an exporter serves it. Unknown values have no
 * series. Families and their help come from the schema; names and labels are those of the Rust tool, so that its
 * remote view reads this as well.
 */
export function prometheusText(frame: Frame, build: Build): string {
  const rows = frameRows(frame, build);
  return families.map((family) => familyText(family, rows)).join("");
}
