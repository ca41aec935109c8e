/**
 * Labels of the Prometheus text format, written so that both Prometheus and the Rust tool's remote reader take them:
 * that one ends the labels at the first `}` and drops lines with more than 1024 bytes of labels.
 */

export type Label = readonly [name: string, value: string | number | null | undefined];

const LONGEST_BYTES = 1024;

const REPLACED: { readonly [character: string]: string } = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "{": "(",
  "}": ")",
};

/** Escaped; control characters are stripped. */
const escapeValue = (value: string): string =>
  value.toWellFormed().replace(/[\\"{}\p{Cc}\p{Zl}\p{Zp}]/gu, (character) => REPLACED[character] ?? "");

const pair = (name: string, value: string): string => `${name}="${value}"`;

/** The longest beginning of an escaped text within so many bytes that cuts no character and no escape. */
function cut(escaped: string, bytes: number): string {
  let kept = "";
  for (const character of escaped) {
    bytes -= Buffer.byteLength(character);
    if (bytes < 0) break;
    kept += character;
  }
  const backslashes = /\\*$/.exec(kept)?.[0].length ?? 0;
  return backslashes % 2 === 0 ? kept : kept.slice(0, -1);
}

/** What stands between the braces. Where it would be too long, the longest values are shortened. */
export function labelText(labels: readonly Label[]): string {
  const values = labels.map(([, value]) => escapeValue(String(value ?? "")));
  const join = () => labels.map(([name], n) => pair(name, values[n] ?? "")).join(", ");
  let text = join();
  for (let excess = Buffer.byteLength(text) - LONGEST_BYTES; excess > 0; ) {
    const lengths = values.map((value) => Buffer.byteLength(value));
    const longest = Math.max(...lengths);
    const n = lengths.indexOf(longest);
    values[n] = cut(values[n] ?? "", Math.max(0, longest - excess));
    text = join();
    excess = Buffer.byteLength(text) - LONGEST_BYTES;
  }
  return text;
}

/** Adds labels that inform but identify nothing: one that has no value or no room is left out. */
export function withExtraLabels(text: string, labels: readonly Label[]): string {
  let result = text;
  let bytes = Buffer.byteLength(text);
  for (const [name, value] of labels) {
    if (value === null || value === undefined || value === "") continue;
    const added = `, ${pair(name, escapeValue(String(value)))}`;
    if (bytes + Buffer.byteLength(added) > LONGEST_BYTES) continue;
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
