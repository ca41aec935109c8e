/** Lists of hosts as schedulers print them: `gpu[001-003,020]`, `r[1-2]n[01-16]`, `n[1-10/2]`. */

/** More than anybody asks for at once; beyond it a range is a slip. */
export const MOST_HOSTS = 4096;
/** Of one host's name: a rack, a chassis, a node, a port. */
const MOST_BRACKETS = 8;

/** What stands between brackets, where that is numbers; an IPv6 address is none. */
const BRACKETS = /\[([\d\s,/-]*)\]/;
const ITEM = /^(\d{1,9})(?:-(\d{1,9})(?:\/(\d{1,9}))?)?$/;

/** The parts of a text between separators that are not in brackets. */
export function splitOutside(text: string, isSeparator: (character: string) => boolean): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "[") depth++;
    else if (character === "]") depth = Math.max(0, depth - 1);
    else if (depth === 0 && isSeparator(character)) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.filter((part) => part !== "");
}

/** The numbers of one pair of brackets, each once, as they are written; a message where that cannot be meant. */
function numbersOf(inside: string): string[] | string {
  const numbers = new Set<string>();
  for (const item of inside.split(",")) {
    const [all, first = "", last = first, step = "1"] = ITEM.exec(item.trim()) ?? [];
    if (all === undefined) return `[${inside.slice(0, 80)}] is no range: node-[001-100,120], node-[1-9/2]`;
    const [from, to, by] = [Number(first), Number(last), Number(step)];
    if (from > to) return `[${all.slice(0, 80)}] goes backwards`;
    if (by === 0) return `[${all.slice(0, 80)}] has a step of 0`;
    if ((to - from) / by >= MOST_HOSTS) return `[${all}] is more than ${MOST_HOSTS}`;
    // Zeros in front are kept, as in `[001-100]`.
    const width = first.startsWith("0") ? first.length : 0;
    for (let number = from; number <= to; number += by) numbers.add(String(number).padStart(width, "0"));
    if (numbers.size > MOST_HOSTS) return `[${inside}] is more than ${MOST_HOSTS}`;
  }
  return [...numbers];
}

/** Every text that one with ranges stands for, in order; a message where a range is none. */
export function expandRanges(text: string): string[] | string {
  let texts = [""];
  let rest = text;
  for (let brackets = 0; ; brackets++) {
    const found = BRACKETS.exec(rest);
    if (found === null) return texts.map((start) => start + rest);
    if (brackets === MOST_BRACKETS) return `${text} has more than ${MOST_BRACKETS} ranges`;
    const numbers = numbersOf(found[1] ?? "");
    if (typeof numbers === "string") return numbers;
    if (texts.length * numbers.length > MOST_HOSTS) return `${text} is more than ${MOST_HOSTS}`;
    const before = rest.slice(0, found.index);
    texts = texts.flatMap((start) => numbers.map((number) => start + before + number));
    rest = rest.slice(found.index + found[0].length);
  }
}
