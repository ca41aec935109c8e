/**
 * Time zones as POSIX writes them in `TZ`, and TZif files in their last line (tzset(3), RFC 9636 section 3.3.1):
 * `EST5EDT,M3.2.0,M11.1.0`, `<+0330>-3:30`, `UTC-3`.
 */

/** When clocks change, in each year. */
interface Rule {
  /** Days since 1 January, of a year that begins on that day of the week (0: Sunday). */
  day(isLeap: boolean, firstWeekday: number): number;
  /** By the clock before the change; may be negative, or more than a day. */
  readonly seconds: number;
}

interface Summer {
  readonly name: string;
  /** East of Greenwich. */
  readonly offset_s: number;
  readonly begin: Rule;
  readonly end: Rule;
}

export interface PosixZone {
  readonly name: string;
  /** East of Greenwich. */
  readonly offset_s: number;
  /** `null`: the same all year. */
  readonly summer: Summer | null;
}

/** What the clock shows at a moment: its zone's letters, and how far east of Greenwich. */
export interface ClockSetting {
  readonly name: string;
  readonly offset_s: number;
}

const NAME = "[A-Za-z]{3,30}|<[A-Za-z0-9+-]{3,30}>";
const TIME = "[+-]?\\d{1,3}(?::\\d{1,2}(?::\\d{1,2})?)?";
const ZONE = new RegExp(`^(${NAME})(${TIME})(?:(${NAME})(${TIME})?(?:,([^,]+),([^,]+))?)?$`);
const LONGEST = 200;

/** In most of North America, where a text names summer time and no rule: as the C library has it. */
const USUAL_RULES = ["M3.2.0", "M11.1.0"] as const;

/** Hours of an offset, and of the time of a change. */
const MOST_OFFSET_HOURS = 24;
const MOST_CHANGE_HOURS = 167;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** `null`: it is none. */
export function parsePosixZone(text: string): PosixZone | null {
  const match = text.length > LONGEST ? null : ZONE.exec(text);
  if (match === null) return null;
  const [, name = "", west = "", summerName, summerWest, begin, end] = match;
  const west_s = parseTime(west, MOST_OFFSET_HOURS);
  if (west_s === null) return null;
  const zone = { name: bare(name), offset_s: 0 - west_s };
  if (summerName === undefined) return { ...zone, summer: null };
  const summerWest_s = summerWest === undefined ? west_s - HOUR_S : parseTime(summerWest, MOST_OFFSET_HOURS);
  const [from, to] = [parseRule(begin ?? USUAL_RULES[0]), parseRule(end ?? USUAL_RULES[1])];
  if (summerWest_s === null || from === null || to === null) return null;
  return { ...zone, summer: { name: bare(summerName), offset_s: 0 - summerWest_s, begin: from, end: to } };
}

const bare = (name: string): string => name.replace(/[<>]/g, "");

/** Seconds of `[+-]hh[:mm[:ss]]`. */
function parseTime(text: string, mostHours: number): number | null {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, "").split(":").map(Number);
  if (hours > mostHours || minutes > 59 || seconds > 59) return null;
  const size = hours * HOUR_S + minutes * 60 + seconds;
  return text.startsWith("-") ? -size : size;
}

/** `Mm.w.d`, `Jn` or `n`, with the time of the change behind a slash: 2 o'clock where none is given. */
function parseRule(text: string): Rule | null {
  const [, date = "", time = "2"] = new RegExp(`^([MJ.\\d]+)(?:/(${TIME}))?$`).exec(text) ?? [];
  const seconds = parseTime(time, MOST_CHANGE_HOURS);
  const day = parseDay(date);
  return seconds === null || day === null ? null : { day, seconds };
}

function parseDay(date: string): Rule["day"] | null {
  const [, month, week, weekday] = /^M(\d{1,2})\.(\d)\.(\d)$/.exec(date) ?? [];
  if (month !== undefined) return weekdayOf(Number(month), Number(week), Number(weekday));
  const [, julian, digits] = /^(J?)(\d{1,3})$/.exec(date) ?? [];
  if (digits === undefined) return null;
  const day = Number(digits);
  if (julian === "") return day > 365 ? null : () => day;
  // The 29th of February is never counted.
  return day < 1 || day > 365 ? null : (isLeap) => day - 1 + (isLeap && day >= 60 ? 1 : 0);
}

const MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const LAST_WEEK = 5;

/** That weekday of a month, the first to the fourth, or the last. */
function weekdayOf(month: number, week: number, weekday: number): Rule["day"] | null {
  if (month < 1 || month > 12 || week < 1 || week > LAST_WEEK || weekday > 6) return null;
  return (isLeap, firstWeekday) => {
    const days = MONTHS.map((length, n) => (n === 1 && isLeap ? length + 1 : length));
    const first = days.slice(0, month - 1).reduce((sum, length) => sum + length, 0);
    const length = days[month - 1] ?? 0;
    const earliest = (weekday - ((firstWeekday + first) % 7) + 7) % 7;
    const day = earliest + 7 * (week - 1);
    return first + (day < length ? day : day - 7);
  };
}

/** When a rule changes the clocks in a year, in seconds since the epoch; `before_s`: the offset until then. */
function changeIn(year: number, { day, seconds }: Rule, before_s: number): number {
  const start = new Date(0);
  start.setUTCFullYear(year, 0, 1);
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return start.getTime() / 1000 + day(isLeap, start.getUTCDay()) * DAY_S + seconds - before_s;
}

/** Whether that summer is at a time; south of the equator it ends in the year after. */
function isInSummerOf(year: number, t_s: number, standard_s: number, { begin, end, offset_s }: Summer): boolean {
  const from_s = changeIn(year, begin, standard_s);
  if (t_s < from_s) return false;
  const to_s = changeIn(year, end, offset_s);
  return t_s < (to_s > from_s ? to_s : changeIn(year + 1, end, offset_s));
}

/** What the clocks of a zone show at a time, in ms since the epoch. */
export function settingAt(zone: PosixZone, t_ms: number): ClockSetting {
  const { summer, offset_s } = zone;
  if (summer === null) return zone;
  const year = new Date(t_ms).getUTCFullYear();
  // A change can be days before the year, or behind it.
  const isSummer = [year - 1, year, year + 1].some((one) => isInSummerOf(one, t_ms / 1000, offset_s, summer));
  return isSummer ? summer : zone;
}

/**
 * The moment, in ms since the epoch, at which a zone's clocks show a time (given as if it were UTC). Of one that comes
 * twice it is the first; one that is skipped is taken as that much later.
 */
export function momentOf(zone: PosixZone, local_ms: number): number {
  const offsets = [zone.offset_s, zone.summer?.offset_s ?? zone.offset_s].sort((a, b) => b - a);
  const moments = offsets.map((offset_s) => local_ms - offset_s * 1000);
  const shown = moments.find((t_ms) => t_ms + settingAt(zone, t_ms).offset_s * 1000 === local_ms);
  return shown ?? moments.at(-1) ?? local_ms;
}
