import { afterMark, daysInMonth, decodeBytes } from "../frame/decode.ts";

/** What a timeline needs of a frame's line. `null` where the line does not say. */
export interface LineFacts {
  t_ms: number;
  seq: number | null;
  elapsed_ms: number | null;
}

export type LineKind = "frame" | "header" | "index" | "refused" | "bad";

const DAY_MS = 86_400_000;
const MONTH_MS = new Map<number, number>();

const ZERO = 48;
const QUOTE = 34;
const SPACE = 32;
const BRACE = 123;
const digit = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) - ZERO;
const two = (bytes: Uint8Array, at: number): number => digit(bytes, at) * 10 + digit(bytes, at + 1);

/** `YYYY-MM-DDTHH:MM:SS[.mmm]Z` at `at`, as ms since the epoch; NaN where it is no such time. */
function timeAt(bytes: Uint8Array, at: number): number {
  for (let n = 0; n < TIME_SHAPE.length; n++) {
    const byte = bytes[at + n] ?? 0;
    const wanted = TIME_SHAPE[n] ?? 0;
    if (wanted === ZERO ? byte < ZERO || byte > 57 : byte !== wanted) return Number.NaN;
  }
  const year = two(bytes, at) * 100 + two(bytes, at + 2);
  const month = two(bytes, at + 5);
  const day = two(bytes, at + 8);
  const hour = two(bytes, at + 11);
  const minute = two(bytes, at + 14);
  const second = two(bytes, at + 17);
  if (day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return Number.NaN;
  const hasMs = bytes[at + 19] === 46 && bytes[at + 23] === 90;
  if (!hasMs && bytes[at + 19] !== 90) return Number.NaN;
  const ms = hasMs ? digit(bytes, at + 20) * 100 + two(bytes, at + 21) : 0;
  return monthStart(year, month) + (day - 1) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
}

const TIME_SHAPE = Buffer.from("0000-00-00T00:00:00");

function monthStart(year: number, month: number): number {
  const key = year * 12 + month;
  let start = MONTH_MS.get(key);
  if (start === undefined) {
    // `Date.UTC` takes the years below 100 for those of the twentieth century.
    start = new Date(0).setUTCFullYear(year, month - 1, 1);
    MONTH_MS.set(key, start);
  }
  return start;
}

/** A line of ours begins so, and its first keys stand in this order. */
const OUR_START = Buffer.from('{"schema":1,"t":"');
const TIME_BYTES = 24;
const SEQ = Buffer.from('","seq":');
const ELAPSED = Buffer.from(',"elapsed_ms":');

function matches(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let n = 0; n < wanted.length; n++) if (bytes[at + n] !== wanted[n]) return false;
  return true;
}

/** Of these all numbers are exact. */
const MOST_DIGITS = 15;

const numberEnd = (bytes: Uint8Array, at: number): number => {
  let end = at;
  while ((bytes[end] ?? 0) >= ZERO && (bytes[end] ?? 0) <= 57 && end - at < MOST_DIGITS) end++;
  return end;
};

function numberAt(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let n = at; n < end; n++) value = value * 10 + digit(bytes, n);
  return value;
}

function ourFacts(bytes: Uint8Array, start: number, end: number, facts: LineFacts): boolean {
  if (!matches(bytes, start, OUR_START) || bytes[end - 1] !== 125) return false;
  const time = start + OUR_START.length;
  const seq = time + TIME_BYTES + SEQ.length;
  if (!matches(bytes, time + TIME_BYTES, SEQ)) return false;
  const seqEnd = numberEnd(bytes, seq);
  const elapsed = seqEnd + ELAPSED.length;
  if (seqEnd === seq || !matches(bytes, seqEnd, ELAPSED)) return false;
  const elapsedEnd = numberEnd(bytes, elapsed);
  if (elapsedEnd === elapsed || bytes[elapsedEnd] !== 44) return false;
  facts.t_ms = timeAt(bytes, time);
  facts.seq = numberAt(bytes, seq, seqEnd);
  facts.elapsed_ms = numberAt(bytes, elapsed, elapsedEnd);
  return !Number.isNaN(facts.t_ms);
}

/** The Rust tool sorts keys: a frame's line ends so, and neither a header's nor an index line's does. */
const THEIR_END = Buffer.from('"schema":1,"timestamp":"');
const THEIR_TIME_BYTES = 20;
const END_BYTES = 2;

function theirFacts(bytes: Uint8Array, start: number, end: number, facts: LineFacts): boolean {
  const time = end - END_BYTES - THEIR_TIME_BYTES;
  if (time - THEIR_END.length <= start || bytes[start] !== BRACE) return false;
  if (bytes[end - 1] !== 125 || bytes[end - 2] !== QUOTE || !matches(bytes, time - THEIR_END.length, THEIR_END))
    return false;
  facts.t_ms = timeAt(bytes, time);
  facts.seq = null;
  facts.elapsed_ms = null;
  return !Number.isNaN(facts.t_ms);
}

/** `{"schema":1}`: no line says less. */
const SHORTEST_BYTES = 12;

/** For a parser that throws it takes a hundred times as long to say so; there may be millions of such lines. */
const isNoObject = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start < SHORTEST_BYTES || ((bytes[start] ?? 0) > SPACE && bytes[start] !== BRACE);

/**
 * Tells what a line (without its newline) is, and for a frame when it was: from a few bytes where the line has one of
 * the two usual shapes, else by reading all of it. The body of a usual line is not looked at.
 */
export function readFacts(bytes: Buffer, start: number, end: number, facts: LineFacts): LineKind {
  const from = afterMark(bytes, start);
  if (ourFacts(bytes, from, end, facts) || theirFacts(bytes, from, end, facts)) return "frame";
  if (isNoObject(bytes, from, end)) return "bad";
  const line = decodeBytes(bytes, from, end);
  if (line.kind !== "frame") return line.kind;
  facts.t_ms = line.frame.t_ms;
  facts.seq = line.frame.seq;
  facts.elapsed_ms = line.frame.elapsed_ms;
  return "frame";
}
