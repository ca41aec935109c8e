import { MAX_OPEN } from "../events/conditions.ts";
import type { DetectedEvent, Severity } from "../events/event.ts";
import { eventHost, eventName, eventText } from "../events/event_text.ts";
import { isPosition } from "../frame/decode.ts";
import { STATES } from "./block_events.ts";
import { MAX_BLOCK_EVENTS } from "./limits.ts";

/**
 * Events as index lines repeat them: nine numbers each, and every text once a line. All of them are read whenever a
 * recording is opened, and of a machine with something wrong every minute there are 60,000 in a month: as objects they
 * are 16 MB of JSON, which takes 100 ms and 30 MB of memory; as numbers a fifth of that.
 */

/** The beginning of the block whose events they are: what their numbers count from. */
export interface Origin {
  readonly first_seq: number;
  readonly first_t_ms: number;
  readonly first_elapsed_ms: number;
}

const SEVERITIES: readonly Severity[] = ["critical", "warning", "info"];
const NUMBERS = 9;
const NO_DEVICE = -1;

/** The texts of a line, by number. */
export class TextTable {
  readonly #numbers = new Map<string, number>();

  get texts(): string[] {
    return [...this.#numbers.keys()];
  }

  numberOf(text: string): number {
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    return number;
  }
}

/** The events of a block as one list of numbers. */
export const encodeRows = (events: readonly DetectedEvent[], origin: Origin, table: TextTable): number[] =>
  events.flatMap(({ kind, severity, state, seq, t_ms, elapsed_ms, host, device, text }) => [
    table.numberOf(kind),
    SEVERITIES.indexOf(severity),
    STATES.indexOf(state),
    seq - origin.first_seq,
    t_ms - origin.first_t_ms,
    elapsed_ms - origin.first_elapsed_ms,
    table.numberOf(host),
    device === null ? NO_DEVICE : table.numberOf(device),
    table.numberOf(text),
  ]);

/** The texts of a line, each as it may stand in an event. */
export interface EventTexts {
  readonly names: readonly string[];
  readonly hosts: readonly string[];
  readonly texts: readonly string[];
}

const MAX_TEXTS = 1 << 16;

/** What is no text counts as one, so that the others keep their numbers. */
export function decodeTexts(value: unknown): EventTexts {
  const list: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_TEXTS) : [];
  const texts = list.map((one) => (typeof one === "string" ? one : ""));
  return { names: texts.map(eventName), hosts: texts.map(eventHost), texts: texts.map(eventText) };
}

/** From the year 0 to the end of 9999: what a time can be written for. */
const isTime = (t_ms: number): boolean =>
  Number.isInteger(t_ms) && t_ms >= -62_167_219_200_000 && t_ms < 253_402_300_800_000;

/** What is looked up under a number that is none may be anything. */
const isText = <T extends string>(found: T | undefined): found is T => typeof found === "string";

function decodeRow(rows: readonly number[], at: number, origin: Origin, table: EventTexts): DetectedEvent | null {
  const kind = table.names[rows[at] ?? NO_DEVICE];
  const severity = SEVERITIES[rows[at + 1] ?? NO_DEVICE];
  const state = STATES[rows[at + 2] ?? NO_DEVICE];
  const seq = origin.first_seq + (rows[at + 3] ?? Number.NaN);
  const t_ms = origin.first_t_ms + (rows[at + 4] ?? Number.NaN);
  const elapsed_ms = origin.first_elapsed_ms + (rows[at + 5] ?? Number.NaN);
  const host = table.hosts[rows[at + 6] ?? NO_DEVICE];
  const device = rows[at + 7] === NO_DEVICE ? null : table.names[rows[at + 7] ?? NO_DEVICE];
  const text = table.texts[rows[at + 8] ?? NO_DEVICE];
  if (!isText(kind) || !isText(severity) || !isText(state)) return null;
  if (!isText(host) || !(device === null || isText(device)) || !isText(text)) return null;
  if (!isPosition(seq) || !isPosition(elapsed_ms) || !isTime(t_ms)) return null;
  return { kind, severity, state, seq, t_ms, elapsed_ms, host, device, text };
}

/** What is no event is left out; `null` where there is no list. */
export function decodeRows(rows: unknown, origin: Origin, table: EventTexts): DetectedEvent[] | null {
  if (!Array.isArray(rows)) return null;
  const events: DetectedEvent[] = [];
  const end = Math.min(rows.length, Math.max(MAX_BLOCK_EVENTS, MAX_OPEN) * NUMBERS);
  for (let at = 0; at < end; at += NUMBERS) {
    const event = decodeRow(rows, at, origin, table);
    if (event !== null) events.push(event);
  }
  return events;
}
