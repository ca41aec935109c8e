import type { Chance } from "./chance.ts";

/** What is done to a text from outside, byte by byte or line by line. */

type Mutation = (text: Buffer, chance: Chance) => Buffer;

/** Characters that mean something to a parser, a terminal, or a pattern. */
const SPECIAL = [
  ...["\\", '"', "'", "`", "$", "{", "}", "[", "]", "(", ")", "<", ">", "=", ",", ";", ":", "/", "|", "#", "!", "*"],
  ...[" ", "\t", "\n", "\r", "\0", "\u001b", "\u0085", "\u202e", "\u2066", "\ufeff", "\ud83d\ude00", "é", "-", "_"],
  ...["0", "9", ".", "+", "e", "a", "@", "%", "&", "?", "~", "^", "--", "=x ", "://", "\\u", "\\ud800", "[[", "{{"],
] as const;

const MOST_ADDED_BYTES = 1 << 20;
const RUNS = [1, 3, 40, 1000, 20_000] as const;

/** Values that a driver, a kernel or an exporter writes where it has none, and numbers at the ends of their types. */
const NUMBERS = [
  ...["0", "-0", "-1", "1", "255", "256", "32767", "65535", "65536", "2147483647", "2147483648", "4294967295"],
  ...["9007199254740991", "9007199254740993", "18446744073709551615", "1e308", "1e999", "-1e999", "NaN", "Inf", "-Inf"],
  ...["0x7fffffff", "1_000", "01", "+5", "3.", ".5", "null", "true", "[N/A]", "[Not Supported]", "N/A", "none", ""],
  ...["99999999999999999999999999", "0.0000000000000000001", "-273.15"],
] as const;

const RAW = [
  ...[[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xe2, 0x82], [0x1f, 0x8b, 0x08]],
].map((bytes) => Buffer.from(bytes));

const splice = (text: Buffer, at: number, length: number, by: Uint8Array): Buffer =>
  Buffer.concat([text.subarray(0, at), by, text.subarray(at + length)]);

const place = (text: Buffer, chance: Chance): number => chance.below(text.length + 1);

const linesOf = (text: Buffer): string[] => text.toString("latin1").split("\n");
const joined = (lines: readonly string[]): Buffer => Buffer.from(lines.join("\n"), "latin1");

/** Replaces one match of a pattern, any of them. */
function replaceOne(text: Buffer, pattern: RegExp, by: string, chance: Chance): Buffer {
  const latin1 = text.toString("latin1");
  const matches = [...latin1.matchAll(pattern)];
  if (matches.length === 0) return text;
  const { index, 0: found } = chance.pick(matches);
  return splice(text, index, found.length, Buffer.from(by));
}

const special = (chance: Chance): Buffer => {
  const run = chance.pick(RUNS);
  return Buffer.from(chance.pick(SPECIAL).repeat(run));
};

const mutations: readonly Mutation[] = [
  (text, chance) => {
    const changed = Buffer.from(text);
    for (let n = chance.below(8); n >= 0 && changed.length > 0; n--) {
      const at = chance.below(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << chance.below(8));
    }
    return changed;
  },
  (text, chance) => text.subarray(0, place(text, chance)),
  (text, chance) => splice(text, place(text, chance), chance.pick([1, 5, 100, 5000]), Buffer.alloc(0)),
  (text, chance) => splice(text, place(text, chance), 0, special(chance)),
  (text, chance) => splice(text, place(text, chance), 0, chance.pick(RAW)),
  (text, chance) => replaceOne(text, /-?\d+(?:\.\d+)?/g, chance.pick(NUMBERS), chance),
  (text, chance) => replaceOne(text, /"[^"\n]*"/g, `"${special(chance)}"`, chance),
  (text, chance) => replaceOne(text, /[A-Za-z_]{2,}/g, special(chance).toString(), chance),
  (text, chance) => {
    const lines = linesOf(text);
    lines.splice(chance.below(lines.length), 0, chance.pick(lines));
    return joined(lines);
  },
  (text, chance) => {
    const lines = linesOf(text);
    lines.splice(chance.below(lines.length), 1 + chance.below(5));
    return joined(lines);
  },
  (text, chance) => {
    const lines = linesOf(text);
    const [a, b] = [chance.below(lines.length), chance.below(lines.length)];
    [lines[a], lines[b]] = [lines[b] ?? "", lines[a] ?? ""];
    return joined(lines);
  },
  (text, chance) => {
    const line = chance.pick(linesOf(text));
    const times = Math.min(chance.pick([2, 300, 3000]), Math.ceil(MOST_ADDED_BYTES / (line.length + 1)));
    return joined([...linesOf(text), ...Array.from({ length: times }, () => line)]);
  },
];

/** Of other samples a part is mixed in now and then. Not longer than `mostBytes`. */
export function mutatedText(samples: readonly Buffer[], mostBytes: number, chance: Chance): Buffer {
  let text = chance.pick(samples);
  if (chance.oneIn(12)) {
    const other = chance.pick(samples);
    text = splice(text, place(text, chance), 0, other.subarray(place(other, chance)));
  }
  for (let n = chance.below(5); n >= 0; n--) text = chance.pick(mutations)(text, chance);
  return text.subarray(0, mostBytes);
}
