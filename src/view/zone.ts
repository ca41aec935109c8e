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

function makeZone(name: string): Zone {
  const format = formatIn(name);
  const at = (t_ms: number, write: (parts: Parts) => string): string => {
    if (!(Math.abs(t_ms) <= 8.64e15)) return UNKNOWN;
    return write(Object.fromEntries(format.formatToParts(t_ms).map(({ type, value }) => [type, value])));
  };
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
