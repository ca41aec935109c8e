import { dayIn, momentIn } from "../clock/zone.ts";
import type { Cursor, CursorRange, Position } from "../recording/cursor.ts";

/** Where somebody wants to go. */
export type Target =
  /** From the first frame. */
  | { readonly kind: "start"; readonly offset_ms: number }
  /** Back from the last frame. */
  | { readonly kind: "end"; readonly offset_ms: number }
  /** 0 to 1 of the whole. */
  | { readonly kind: "share"; readonly share: number }
  /** A time by the wall clock, ms since the epoch, and how exactly it was told: to the minute, the second, … */
  | { readonly kind: "wall"; readonly t_ms: number; readonly unit_ms: number };

/** What a wall clock without a date or a zone is taken to mean. */
export interface ClockContext {
  /** The playhead's time, whose day it is; ms since the epoch. */
  readonly t_ms: number;
  /** The zone shown, by its name. */
  readonly zone: string;
}

/** Why a text is no timecode. */
export class TimecodeError extends Error {
  override readonly name = "TimecodeError";
}

const EXAMPLES = "try 00:14:32, 90, @14:31, -5m or 50%";

/**
 * `00:30` (minutes and seconds), `HH:MM:SS` and plain seconds count from the beginning, `-5m` from the end, `50%` is a
 * share; `@14:31:58` is the clock on the playhead's day, `@2026-04-18 14:31` on any, and so is an ISO time.
 */
export function parseTimecode(text: string, context: ClockContext): Target {
  const entry = text.trim();
  if (entry === "") throw new TimecodeError(EXAMPLES);
  if (entry.endsWith("%")) return { kind: "share", share: percent(entry.slice(0, -1)) / 100 };
  if (entry.startsWith("@")) return wallTarget(entry.slice(1).trim(), context);
  if (/^\d{4}-\d\d/.test(entry)) return wallTarget(entry, context);
  if (entry.startsWith("-")) return { kind: "end", offset_ms: length(entry.slice(1)) };
  return { kind: "start", offset_ms: elapsed(entry) };
}

function percent(text: string): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= 100)) throw new TimecodeError("a share is 0% to 100%");
  return number;
}

/** Frames stand at whole milliseconds, and 2.003 * 1000 is less than 2003: it would be the frame before. */
const toWholeMs = Math.round;

/** `SS`, `MM:SS` or `HH:MM:SS`, the last with fractions; in ms. */
function elapsed(text: string): number {
  if (!/^(\d+:){0,2}\d+(\.\d+)?$/.test(text)) throw new TimecodeError(EXAMPLES);
  const parts = text.split(":").map(Number);
  if (parts.slice(1).some((part) => part >= 60)) throw new TimecodeError("minutes and seconds end at 59");
  return toWholeMs(parts.reduce((sum, part) => sum * 60 + part, 0) * 1000);
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNITS_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** A length of time with a unit, or as {@link elapsed} takes it. */
function length(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  return number === undefined ? elapsed(text) : toWholeMs(Number(number) * (UNITS_MS[unit ?? ""] ?? 0));
}

const CLOCK = /^\d?\d:\d\d(:\d\d(\.\d+)?)?$/;
const HAS_ZONE = /(Z|[+-]\d\d:?\d\d)$/i;

const wallTarget = (text: string, context: ClockContext): Target => ({
  kind: "wall",
  t_ms: wallClock(text, context),
  unit_ms: unit_ms(text),
});

/** How exactly a time is told. */
function unit_ms(text: string): number {
  const [time, seconds, fraction] = /\d:\d\d(:\d\d([.,]\d+)?)?/.exec(text) ?? [];
  if (fraction !== undefined) return 1;
  if (seconds !== undefined) return SECOND_MS;
  return time !== undefined ? MINUTE_MS : DAY_MS;
}

/** A time of day, a date with a time, or an ISO time; ms since the epoch. */
function wallClock(text: string, context: ClockContext): number {
  try {
    // ISO 8601 has leap seconds, which no clock here counts.
    if (/:60(?!\d)/.test(text)) throw new RangeError("a second ends at 59");
    if (CLOCK.test(text)) return inZone(`${day(context)}T${/^\d:/.test(text) ? "0" : ""}${text}`, context);
    const iso = text.replace(/^(\d{4}-\d\d-\d\d) +/, "$1T");
    return /T/i.test(iso) && HAS_ZONE.test(iso) ? Temporal.Instant.from(iso).epochMilliseconds : inZone(iso, context);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TimecodeError(`no such time; ${EXAMPLES}`);
  }
}

const day = ({ t_ms, zone }: ClockContext): string => dayIn(zone, t_ms);

const inZone = (iso: string, { zone }: ClockContext): number => momentIn(zone, iso);

/** Whether the end must be known for it. */
export const needsEnd = ({ kind }: Target): boolean => kind === "end" || kind === "share";

/** The place on the timeline; what lies outside of the range is its nearest end. */
export function placeOf(target: Exclude<Target, { kind: "wall" }>, range: CursorRange): number {
  const { first_place_ms: first, last_place_ms: last } = range;
  switch (target.kind) {
    case "start":
      return first + target.offset_ms;
    case "end":
      return Math.max(first, last - target.offset_ms);
    case "share":
      return first + (last - first) * target.share;
  }
}

const BEFORE = "before the beginning: the first frame is shown";
const AFTER = "after the end: the last frame is shown";

/**
 * Where a target lies that is outside of a recording, and what is shown instead; `null` where it is inside, or where
 * that is not known yet.
 */
export function outsideWords(
  target: Target,
  shown: Position,
  { range, lowest_t_ms }: Pick<Cursor, "range" | "lowest_t_ms">,
): string | null {
  const { first_place_ms, last_place_ms, scanned } = range;
  const isEndKnown = scanned >= 1;
  const span_ms = last_place_ms - first_place_ms;
  switch (target.kind) {
    case "start":
      return isEndKnown && target.offset_ms > span_ms ? AFTER : null;
    case "end":
      return isEndKnown && target.offset_ms > span_ms ? BEFORE : null;
    case "share":
      return null;
    case "wall":
      // The minute in which the recording begins is inside, if a minute was asked for.
      if (target.t_ms + target.unit_ms <= lowest_t_ms) return BEFORE;
      return isEndKnown && shown.frame.t_ms < target.t_ms ? AFTER : null;
  }
}

const two = (number: number): string => String(number).padStart(2, "0");

/** `HH:MM:SS`, with more hours where it is longer. */
export function formatElapsed(elapsed_ms: number): string {
  const s = Math.floor(elapsed_ms / 1000);
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}
