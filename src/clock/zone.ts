import { momentOf, type PosixZone, parsePosixZone, settingAt } from "./posix_zone.ts";

/**
 * Zones by their names, as headers of recordings have them: those of the IANA database, and what POSIX writes into `TZ`
 * where a machine's zone has no other name.
 */

/** Names of one thing. */
const UNIVERSAL = /^(?:Etc\/)?(?:UTC|UCT|Universal|Zulu)$/;

/** The name by which the runtime knows an IANA zone; `null`: it knows none of that name. */
export function ianaName(name: string): string | null {
  try {
    const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    return UNIVERSAL.test(timeZone) ? "UTC" : timeZone;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return null;
  }
}

const known = new Map<string, PosixZone | null>();
/** Recordings may name any; those of one view are three. */
const MOST_KNOWN = 16;

/** A zone that is no IANA one; `null` for one that is, and for what is none. */
export function posixZone(name: string): PosixZone | null {
  let zone = known.get(name);
  if (zone === undefined) {
    zone = ianaName(name) === null ? parsePosixZone(name) : null;
    if (known.size < MOST_KNOWN) known.set(name, zone);
  }
  return zone;
}

/** Whether times can be told in a zone of this name. */
export const isZone = (name: string): boolean => ianaName(name) !== null || posixZone(name) !== null;

let own: { readonly name: string; readonly posix: PosixZone | null } | null = null;

/** From now on the machine's clocks show this zone. */
export function useZone(name: string): void {
  own = { name, posix: posixZone(name) };
  // The runtime knows no other than IANA's; asked for its own it goes by this.
  if (own.posix === null && runtimeZone() !== name) process.env.TZ = name;
}

const runtimeZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone of this machine's clocks. */
export const ownZone = (): string => own?.name ?? runtimeZone();

/** A moment by this machine's clocks: a date whose UTC fields are theirs; `null`: the runtime's own fields are. */
export function ownClock(t_ms: number): Date | null {
  const posix = own?.posix ?? null;
  return posix === null ? null : new Date(t_ms + settingAt(posix, t_ms).offset_s * 1000);
}

/** The day on which a moment lies in a zone: `2026-04-18`. */
export function dayIn(name: string, t_ms: number): string {
  const posix = posixZone(name);
  if (posix !== null) return new Date(t_ms + settingAt(posix, t_ms).offset_s * 1000).toISOString().slice(0, 10);
  return Temporal.Instant.fromEpochMilliseconds(t_ms).toZonedDateTimeISO(name).toPlainDate().toString();
}

/**
 * The moment, in ms since the epoch, of an ISO date and time in a zone. An hour that a change to summer time skips is
 * taken as that much later, one that comes twice as the first. Throws a RangeError for what is no such time.
 */
export function momentIn(name: string, iso: string): number {
  const time = Temporal.PlainDateTime.from(iso);
  const posix = posixZone(name);
  if (posix !== null) return momentOf(posix, time.toZonedDateTime("UTC").epochMilliseconds);
  return time.toZonedDateTime(name).epochMilliseconds;
}
