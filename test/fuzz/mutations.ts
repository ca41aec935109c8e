import { type CodecName, codecs } from "../../src/recording/codec.ts";
import type { Chance } from "./chance.ts";
import { INDEX_START, type Original } from "./originals.ts";

/** What is done to recordings: to their bytes as stored, and to their lines before they are encoded again. */

type ByteMutation = (bytes: Buffer, chance: Chance) => Buffer;

const splice = (bytes: Buffer, at: number, length: number, by: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)]);

function piece(bytes: Buffer, chance: Chance): { at: number; length: number } {
  const at = chance.below(bytes.length + 1);
  return { at, length: chance.below(Math.min(bytes.length - at, chance.pick([4, 100, 10_000])) + 1) };
}

const randomBytes = (length: number, chance: Chance): Buffer =>
  Buffer.from(Array.from({ length }, () => chance.below(256)));

const BOMB_PIECE = 1 << 20;

export interface Bomb {
  readonly codec: CodecName;
  readonly unit: Buffer;
}

const TIME = '"t":"2026-04-18T12:00:00.000Z","seq":1,"elapsed_ms":1000';

/** How the text begins that a unit of a few kilobytes becomes, and what of follows, so many MiB of it. */
const BOMBS = [
  ["", "\0", 200],
  ["", "{", 200],
  ["", "[", 200],
  ["", `${" ".repeat(5000)}\n`, 100],
  ["", "\n", 8],
  ["", "{}\n", 8],
  ["", '{"schema":1,"index":true,', 100],
  [`{"schema":1,${TIME},"text":"`, "x", 15],
  [`{"schema":1,${TIME},"text":"`, "x", 17],
  [`{"schema":1,${TIME},"text":`, "[", 15],
  [`{"schema":1,${TIME},"gpus":[`, "{},", 15],
] as const;

/** Made piece by piece, so as not to take memory that would be taken for the reader's. */
export async function makeBombs(): Promise<Bomb[]> {
  const bombs: Bomb[] = [];
  for (const [start, text, pieces] of BOMBS) {
    for (const codec of ["zstd", "gzip"] as const) {
      const encoder = codecs[codec].encoder();
      const parts: Uint8Array[] = [await encoder.flush(Buffer.from(start))];
      const piece = Buffer.alloc(BOMB_PIECE, text);
      for (let n = 0; n < pieces; n++) parts.push(await encoder.flush(piece));
      parts.push(await encoder.flush(Buffer.from("}\n")), await encoder.end());
      encoder.close();
      bombs.push({ codec, unit: Buffer.concat(parts) });
    }
  }
  return bombs;
}

const byteMutations: readonly ByteMutation[] = [
  (bytes, chance) => {
    const changed = Buffer.from(bytes);
    const count = 1 + chance.below(8);
    for (let n = 0; n < count && changed.length > 0; n++) {
      const at = chance.below(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << chance.below(8));
    }
    return changed;
  },
  (bytes, chance) => bytes.subarray(0, chance.below(bytes.length + 1)),
  // Without its beginning a compressed file is taken for text, which is soon over.
  (bytes, chance) => (chance.oneIn(4) ? bytes.subarray(chance.below(bytes.length + 1)) : bytes),
  (bytes, chance) => {
    const { at, length } = piece(bytes, chance);
    return splice(bytes, at, length, Buffer.alloc(0));
  },
  (bytes, chance) => {
    const { at, length } = piece(bytes, chance);
    return splice(bytes, chance.below(bytes.length + 1), 0, bytes.subarray(at, at + length));
  },
  (bytes, chance) => {
    const [one, other] = [piece(bytes, chance), piece(bytes, chance)].sort((a, b) => a.at - b.at);
    if (one === undefined || other === undefined || one.at + one.length > other.at) return bytes;
    const [first, second] = [one, other].map(({ at, length }) => bytes.subarray(at, at + length));
    const between = bytes.subarray(one.at + one.length, other.at);
    const parts = [bytes.subarray(0, one.at), second, between, first, bytes.subarray(other.at + other.length)];
    return Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0)));
  },
  (bytes, chance) => {
    const { at, length } = piece(bytes, chance);
    return splice(bytes, at, length, Buffer.alloc(length, chance.pick([0, 255, 10])));
  },
  (bytes, chance) => splice(bytes, chance.below(bytes.length + 1), 0, randomBytes(chance.below(40), chance)),
  (bytes, chance) => {
    const magic = codecs[chance.pick(["zstd", "gzip"] as const)].magic;
    return splice(bytes, chance.below(bytes.length + 1), chance.below(4), magic);
  },
];

/** One to three changes of the bytes of a file; a bomb now and then. */
export function mutatedBytes(bytes: Buffer, bombs: readonly Bomb[], chance: Chance): Buffer {
  let changed = bytes;
  for (let n = 1 + chance.below(3); n > 0; n--) changed = chance.pick(byteMutations)(changed, chance);
  if (!chance.oneIn(100)) return changed;
  return splice(
    changed,
    chance.pick([0, changed.length, chance.below(changed.length + 1)]),
    0,
    chance.pick(bombs).unit,
  );
}

const HOSTILE_TEXTS = [
  "\u001b[2J\u001b[31mred",
  "\u009b2J",
  "\u202eright to left\u2066",
  "a\nb\r\nc\td\0e",
  "漢字".repeat(50),
  "👨‍👩‍👧‍👦".repeat(20),
  "e\u0301\u0301\u0301\u0301".repeat(40),
  "\ud800",
  "x".repeat(100_000),
  "",
  "__proto__",
  "constructor",
  "Etc/Nowhere",
  "9999-12-31T23:59:59.999Z",
  "0000-01-01T00:00:00.000Z",
  "+275760-09-13T00:00:00.000Z",
];

const HOSTILE_NUMBERS = [0, -1, 1e308, -1e308, 5e-324, 2 ** 53, 2 ** 63, 2 ** 32, 1e15, -0, 0.1, 101, 65536, 8.64e15];

function hostileValue(chance: Chance): unknown {
  switch (chance.below(8)) {
    case 0:
      return null;
    case 1:
      return chance.pick([true, false]);
    case 2:
    case 3:
      return chance.pick(HOSTILE_NUMBERS);
    case 4:
    case 5:
      return chance.pick(HOSTILE_TEXTS);
    case 6:
      return chance.pick([[], {}, [[]], [null], [1, 2, 3], { a: { b: [] } }]);
    default:
      return Array.from({ length: chance.below(200) }, () => chance.pick(HOSTILE_NUMBERS));
  }
}

type Container = Record<string | number, unknown>;

/** A container somewhere in a value, and one of its keys. */
function somewhere(value: unknown, chance: Chance): { container: Container; key: string } | null {
  let found: { container: Container; key: string } | null = null;
  for (let at = value; typeof at === "object" && at !== null; ) {
    const container = at as Container;
    const keys = Object.keys(container);
    if (keys.length === 0) return found;
    const key = chance.pick(keys);
    found = { container, key };
    if (chance.oneIn(4)) return found;
    at = container[key];
  }
  return found;
}

const MOST_COPIES = 300;

function mutateValue(value: unknown, chance: Chance): void {
  const found = somewhere(value, chance);
  if (found === null) return;
  const { container, key } = found;
  const one = container[key];
  switch (chance.below(6)) {
    case 0:
      delete container[key];
      break;
    case 1:
      container[chance.pick(HOSTILE_TEXTS)] = one;
      break;
    case 2:
      if (Array.isArray(one) && one.length > 0) {
        const copies = chance.below(MOST_COPIES);
        for (let n = 0; n < copies; n++) one.push(structuredClone(chance.pick(one.slice(0, 8))));
      }
      break;
    case 3:
      container[key] = typeof one === "number" ? one * chance.pick([-1, 1000, 1e-9, 0.5]) : hostileValue(chance);
      break;
    default:
      container[key] = hostileValue(chance);
  }
}

type LineMutation = (line: string, chance: Chance) => string;

const inText = (line: string, chance: Chance, length: number, by: string): string => {
  const at = chance.below(line.length + 1);
  return line.slice(0, at) + by + line.slice(at + length);
};

const DEEP = 20_000;

const textMutations: readonly LineMutation[] = [
  (line, chance) => inText(line, chance, 1, chance.pick(["{", "}", '"', ",", ":", "0", "\0", "\r", "é", " "])),
  (line, chance) => line.slice(0, chance.below(line.length + 1)),
  (line, chance) => inText(line, chance, chance.below(50), ""),
  (line, chance) => inText(line, chance, 0, chance.pick(["[", '{"a":']).repeat(DEEP)),
  (line, chance) => line.replace(/"schema":1/, `"schema":${chance.pick(["2", "1.0", "null", '"1"', "1e0"])}`),
  (line) => line + line,
  (line, chance) =>
    line.replace(/^\{/, `{${chance.pick(['"t":"x",', '"schema":1,', '"header":true,', '"index":true,'])}`),
  (line, chance) => line.replace(/\}$/, `,${chance.pick(['"seq":0', '"t":"2030-01-01T00:00:00Z"', '"gpus":[]'])}}`),
];

const CLAIMED = ["byte_offset", "at", "previous", "previous_summary", "seq"] as const;
const CLAIMED_OF_BLOCK = ["first_seq", "frames", "first_elapsed_ms", "elapsed_ms"] as const;

/** An index line that tells of another block than is there; `claim` stays as it is when the line is placed. */
function claiming(line: string, chance: Chance): string {
  const { block, ...index } = JSON.parse(line) as Record<string, object>;
  const number = () => chance.pick([...HOSTILE_NUMBERS, 1, 1000, Number.MAX_SAFE_INTEGER, chance.below(5000)]);
  const ofBlock = chance.oneIn(2) ? { [chance.pick(CLAIMED_OF_BLOCK)]: number() } : {};
  return JSON.stringify({ ...index, block: { ...block, ...ofBlock }, claim: { [chance.pick(CLAIMED)]: number() } });
}

function mutatedLine(line: string, chance: Chance): string {
  if (chance.oneIn(4)) return chance.pick(textMutations)(line, chance);
  try {
    if (line.startsWith(INDEX_START) && chance.oneIn(2)) return claiming(line, chance);
    const value: unknown = JSON.parse(line);
    for (let n = 1 + chance.below(5); n > 0; n--) mutateValue(value, chance);
    return JSON.stringify(value);
  } catch {
    return line;
  }
}

function mutateUnit(lines: string[], chance: Chance): void {
  const at = chance.below(lines.length);
  const line = lines[at];
  if (line === undefined) return;
  if (chance.below(10) < 7) lines[at] = mutatedLine(line, chance);
  else if (chance.oneIn(3)) lines.splice(at, 1);
  else if (chance.oneIn(2)) lines.splice(chance.below(lines.length + 1), 0, line);
  else lines.push(...lines.splice(at, 1));
}

/** A recording, and a unit that goes before that one of it. */
export interface Changed {
  readonly original: Original;
  readonly bomb: Buffer;
  readonly bombBefore: number;
}

/** Another recording of the same shape, with other lines, units in another order, or pieces twice. */
export function mutatedLines({ units, codec }: Original, bombs: readonly Bomb[], chance: Chance): Changed {
  const changed = units.map((lines) => [...lines]);
  for (let n = 1 + chance.below(6); n > 0; n--) mutateUnit(chance.pick(changed), chance);
  if (chance.oneIn(10)) changed.push(...changed.splice(chance.below(changed.length), 1));
  if (chance.oneIn(10)) changed.splice(chance.below(changed.length), 0, [...chance.pick(changed)]);
  const now = chance.oneIn(8) ? chance.pick(["zstd", "gzip", "none"] as const) : codec;
  const fitting = chance.oneIn(80) ? bombs.filter((one) => one.codec === now) : [];
  const bomb = fitting.length > 0 ? chance.pick(fitting).unit : Buffer.alloc(0);
  return { original: { units: changed, codec: now }, bomb, bombBefore: chance.below(changed.length + 1) };
}
