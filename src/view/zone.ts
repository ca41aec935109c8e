import { type PosixZone, settingAt } from "../clock/posix_zone.ts";
import { posixZone } from "../clock/zone.ts";
import { UNKNOWN } from "./format.ts";
import type { ZoneName, Zones } from "./model.ts";

/** Times of the wall clock in the zone that was chosen. */
export interface Zone {
  readonly name: string;
  /** `2026-04-18 14:32:05 GMT+9` */
  full(t_ms: number): string;
  /** `04-18 14:32:05` */
  day(t_ms: number): string;
  /** `14:32:05` */
  time(t_ms: number): string;
}

const parts = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZoneName: "short",
} as const satisfies Intl.DateTimeFormatOptions;

/** A recording may name any zone. */
function formatIn(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", { ...parts, timeZone: zone });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return new Intl.DateTimeFormat("en-US", { ...parts, timeZone: "UTC" });
  }
}

type Parts = Partial<Record<Intl.DateTimeFormatPartTypes, string>>;

/** The parts of a time by the clocks of a zone. */
function partsIn(name: string): (t_ms: number) => Parts {
  const posix = posixZone(name);
  if (posix !== null) return (t_ms) => partsByRule(posix, t_ms);
  const format = formatIn(name);
  return (t_ms) => Object.fromEntries(format.formatToParts(t_ms).map(({ type, value }) => [type, value]));
}

function partsByRule(zone: PosixZone, t_ms: number): Parts {
  const { name, offset_s } = settingAt(zone, t_ms);
  const local = new Date(Math.min(LAST_T_MS, t_ms + offset_s * 1000));
  const two = (number: number): string => String(number).padStart(2, "0");
  return {
    year: String(local.getUTCFullYear()),
    month: two(local.getUTCMonth() + 1),
    day: two(local.getUTCDate()),
    hour: two(local.getUTCHours()),
    minute: two(local.getUTCMinutes()),
    second: two(local.getUTCSeconds()),
    timeZoneName: name,
  };
}

const LAST_T_MS = 8.64e15;

function makeZone(name: string): Zone {
  const partsOf = partsIn(name);
  const at = (t_ms: number, write: (parts: Parts) => string): string =>
    Math.abs(t_ms) <= LAST_T_MS ? write(partsOf(t_ms)) : UNKNOWN;
  const day = ({ month, day }: Parts): string => `${month}-${day}`;
  const time = ({ hour, minute, second }: Parts): string => `${hour}:${minute}:${second}`;
  return {
    name,
    full: (t_ms) => at(t_ms, (p) => `${p.year?.padStart(4, "0")}-${day(p)} ${time(p)} ${p.timeZoneName}`),
    day: (t_ms) => at(t_ms, (p) => `${day(p)} ${time(p)}`),
    time: (t_ms) => at(t_ms, time),
  };
}

const zones = new Map<string, Zone>();

/** Making a formatter costs more than a screen: there are three zones at most, and each is made once. */
function zoneNamed(name: string): Zone {
  let zone = zones.get(name);
  if (zone === undefined) {
    zone = makeZone(name);
    zones.set(name, zone);
  }
  return zone;
}

/** Where the recording does not say its zone, the viewer's stands in for it. */
export function chosenZone(choice: ZoneName, { viewer, recorder }: Zones): Zone {
  if (choice === "utc") return zoneNamed("UTC");
  return zoneNamed(choice === "recorder" ? (recorder ?? viewer) : viewer);
}
