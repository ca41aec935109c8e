/** `node-[001-100]:9090`, as it is written for all of them. */

const RANGE = /\[(\d{1,9})-(\d{1,9})\]/;

/** More than anybody asks for at once; beyond it a range is a slip. */
export const MOST_HOSTS = 4096;

/** Every text that one with ranges stands for, in order; a message where a range is none. */
export function expandRanges(text: string): string[] | string {
  const found = RANGE.exec(text);
  if (found === null) return [text];
  const [all, first = "", last = ""] = found;
  const [from, to] = [Number(first), Number(last)];
  if (from > to) return `${all} goes backwards`;
  if (to - from >= MOST_HOSTS) return `${all} is more than ${MOST_HOSTS}`;
  const rest = expandRanges(text.slice(found.index + all.length));
  if (typeof rest === "string") return rest;
  if (rest.length * (to - from + 1) > MOST_HOSTS) return `${text} is more than ${MOST_HOSTS}`;
  // Zeros in front are kept, as in `[001-100]`.
  const width = first.startsWith("0") ? first.length : 0;
  const before = text.slice(0, found.index);
  return Array.from({ length: to - from + 1 }, (_, n) => before + String(from + n).padStart(width, "0")).flatMap(
    (start) => rest.map((end) => start + end),
  );
}
