/** Labels of the Prometheus text format (and of OpenMetrics, which has the same). */

export type Label = readonly [name: string, value: string | number | null | undefined];

const ESCAPES: { readonly [character: string]: string } = { "\\": "\\\\", '"': '\\"', "\n": "\\n" };

const escapeValue = (value: string): string =>
  value.toWellFormed().replace(/[\\"\n]/g, (character) => ESCAPES[character] ?? "");

const pair = ([name, value]: Label): string => `${name}="${escapeValue(String(value ?? ""))}"`;

/** What stands between the braces. */
export const labelText = (labels: readonly Label[]): string => labels.map(pair).join(", ");

/** Labels that tell a series from others of its row. One that has no value is left out. */
export const withMoreLabels = (text: string, labels: readonly Label[]): string =>
  [text, ...labels.filter(hasValue).map(pair)].join(", ");

const hasValue = ([, value]: Label): boolean => value !== null && value !== undefined && value !== "";

/** The Rust tool's remote reader skips lines with more than so many bytes of labels. */
const MOST_INFORMING_BYTES = 1024;

/** Adds labels that inform but identify nothing: one that has no value or no room is left out. */
export function withExtraLabels(text: string, labels: readonly Label[]): string {
  let result = text;
  let bytes = Buffer.byteLength(text);
  for (const label of labels.filter(hasValue)) {
    const added = `, ${pair(label)}`;
    if (bytes + Buffer.byteLength(added) > MOST_INFORMING_BYTES) continue;
    result += added;
    bytes += Buffer.byteLength(added);
  }
  return result;
}

/** A free-form key as the name of a label: `Driver Version` is `driver_version`; `""` where nothing is left of it. */
function labelName(key: string): string {
  const name = key
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "_")
    .replace(/^_+/, "");
  return /^\d/.test(name) ? `_${name}` : name;
}

/** Free-form keys and values as labels, without those whose name is taken already. */
export function detailLabels(detail: Readonly<Record<string, string>>, taken: readonly string[]): Label[] {
  const labels = new Map<string, string>();
  for (const [key, value] of Object.entries(detail)) {
    const name = labelName(key);
    if (name !== "" && !taken.includes(name) && !labels.has(name)) labels.set(name, value);
  }
  return [...labels];
}
