import { MAX_OPEN } from "../events/conditions.ts";
import type { DetectedEvent } from "../events/event.ts";
import { isPosition } from "../frame/decode.ts";
import { decodeWhat, type EventWhat, STATES } from "./block_events.ts";
import { MAX_BLOCK_EVENTS } from "./limits.ts";

/**
 * Events as index lines repeat them: what happened once a line, and of each time it did four numbers. All of them are
 * read whenever a recording is opened, and of a machine with something wrong every minute there are 60,000 in a month:
 * as objects they are 16 MB of JSON, which takes 100 ms and 30 MB of memory; so it is a quarter of that.
 */

/** The beginning of the block whose events they are: what their numbers count from. */
export interface Origin {
  readonly first_seq: number;
  readonly first_t_ms: number;
  readonly first_elapsed_ms: number;
}

/**
 * Three times the place in the line's `what`, plus that of the state among the three; `seq`, `t` in ms and `elapsed_ms`
 * from the block's first frame on.
 */
const NUMBERS = 4;

/** What happened in the blocks of a line, by number. */
export class WhatTable {
  readonly #numbers = new Map<string, number>();
  readonly list: EventWhat[] = [];

  numberOf({ kind, severity, host, device, text }: EventWhat): number {
    const what = { kind, severity, host, device, text };
    const key = JSON.stringify(what);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.list.length);
    return this.list.push(what) - 1;
  }
}

/** The events of a block as one list of numbers. */
export const encodeRows = (events: readonly DetectedEvent[], origin: Origin, table: WhatTable): number[] =>
  events.flatMap((event) => [
    table.numberOf(event) * STATES.length + STATES.indexOf(event.state),
    event.seq - origin.first_seq,
    event.t_ms - origin.first_t_ms,
    event.elapsed_ms - origin.first_elapsed_ms,
  ]);

const MAX_WHAT = 1 << 16;

/** Of what is none `null` stays, so that the others keep their numbers. */
export const decodeWhatTable = (value: unknown): readonly (EventWhat | null)[] =>
  Array.isArray(value) ? value.slice(0, MAX_WHAT).map(decodeWhat) : [];

/** From the year 0 to the end of 9999: what a time can be written for. */
const isTime = (t_ms: number): boolean =>
  Number.isInteger(t_ms) && t_ms >= -62_167_219_200_000 && t_ms < 253_402_300_800_000;

/** What is no event is left out; `null` where there is no list. */
export function decodeRows(
  rows: unknown,
  { first_seq, first_t_ms, first_elapsed_ms }: Origin,
  table: readonly (EventWhat | null)[],
): DetectedEvent[] | null {
  if (!Array.isArray(rows)) return null;
  // Whatever else they are, the sums are no whole numbers then.
  const numbers: readonly number[] = rows;
  const events: DetectedEvent[] = [];
  const end = Math.min(numbers.length, Math.max(MAX_BLOCK_EVENTS, MAX_OPEN) * NUMBERS);
  for (let at = 0; at < end; at += NUMBERS) {
    const number = numbers[at];
    if (!isPosition(number)) continue;
    const what = table[Math.floor(number / STATES.length)];
    const state = STATES[number % STATES.length];
    const seq = first_seq + (numbers[at + 1] ?? Number.NaN);
    const t_ms = first_t_ms + (numbers[at + 2] ?? Number.NaN);
    const elapsed_ms = first_elapsed_ms + (numbers[at + 3] ?? Number.NaN);
    if (!what || !state || !isPosition(seq) || !isTime(t_ms) || !isPosition(elapsed_ms)) continue;
    const { kind, severity, host, device, text } = what;
    events.push({ kind, severity, state, seq, t_ms, elapsed_ms, host, device, text });
  }
  return events;
}
