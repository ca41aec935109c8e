/**
 * Numbers as they stand in columns: none of these grows with its value beyond what a column holds, and what is not
 * known is {@link UNKNOWN}, never a number.
 */

/** Stands for what is not known. */
export const UNKNOWN = "–";

/** Beyond it a number is no measurement: shown by its magnitude alone. */
const LARGEST = 99_999;

/** Whole, or by its magnitude (`2e9`) where it has more than five digits. */
export function whole(value: number): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (Math.abs(value) > LARGEST) return value.toExponential(0).replace("e+", "e");
  return String(Math.round(value));
}

const known = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && Number.isFinite(value);

/** `57`, or unknown. */
export const count = (value: number | null | undefined): string => (known(value) ? whole(value) : UNKNOWN);

/** `57%` */
export const percent = (value: number | null | undefined): string => (known(value) ? `${whole(value)}%` : UNKNOWN);

/** `72°C` */
export const celsius = (value: number | null | undefined): string => (known(value) ? `${whole(value)}°C` : UNKNOWN);

/** `1 fan`, `10 fans` */
export const plural = (number: number, word: string, ending = "s"): string =>
  `${number} ${word}${number === 1 ? "" : ending}`;

/** One decimal below 100, none above. */
export const short = (value: number): string => (Math.abs(value) < 99.95 ? value.toFixed(1) : whole(value));

const BYTE_UNITS = ["B", "K", "M", "G", "T", "P", "E"] as const;

function unitOf(value: number): number {
  let unit = 0;
  for (let rest = Math.abs(value); rest >= 1023.5 && unit < BYTE_UNITS.length - 1; rest /= 1024) unit++;
  return unit;
}

const inUnit = (value: number, unit: number): string => (unit === 0 ? whole(value) : short(value / 1024 ** unit));

/** `61.2G`; the units are powers of 1024. Five columns up to exabytes. */
export function bytes(value: number | null | undefined): string {
  if (!known(value)) return UNKNOWN;
  const unit = unitOf(value);
  return inUnit(value, unit) + (BYTE_UNITS[unit] ?? "");
}

/** `33.6/79.6G`, `512M/79.6G`: the unit is said once where both have it. Eleven columns. */
export function bytesOf(used: number | null | undefined, total: number | null | undefined): string {
  if (!known(used)) return known(total) ? `${UNKNOWN}/${bytes(total)}` : UNKNOWN;
  if (!known(total)) return bytes(used);
  const isSameUnit = used === 0 || unitOf(used) === unitOf(total);
  return `${isSameUnit ? inUnit(used, unitOf(total)) : bytes(used)}/${bytes(total)}`;
}

/** Of one device: `526/700W`, `996/1000W`. */
export function wattsOf(used: number | null | undefined, limit: number | null | undefined): string {
  if (!known(used)) return UNKNOWN;
  return known(limit) ? `${whole(used)}/${whole(limit)}W` : `${whole(used)}W`;
}

/** One decimal below 9.95, none above. */
const brief = (value: number): string => (value < 9.95 ? short(value) : whole(value));

/** Sums: `4.1/5.6kW`, `12/17kW`, `526W`, `0.9/1.2MW`. Nine columns. */
export function wattsSum(used: number | null | undefined, limit: number | null | undefined): string {
  if (!known(used)) return UNKNOWN;
  const most = Math.max(used, limit ?? 0);
  if (most < 999.5) return wattsOf(used, limit);
  const [each, unit] = most < 999_500 ? [1e3, "kW"] : [1e6, "MW"];
  return known(limit) ? `${brief(used / each)}/${brief(limit / each)}${unit}` : `${brief(used / each)}${unit}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** How long something has been going on: `3d 04:11` (hours and minutes), `4:11:09`, `11:09`. */
export function duration(seconds: number | null | undefined): string {
  if (!known(seconds) || seconds < 0) return UNKNOWN;
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, minutesOf(seconds)];
  if (days > LARGEST) return UNKNOWN;
  if (days > 0) return `${days}d ${two(hours)}:${two(minutes)}`;
  const rest = `${two(minutes)}:${two(Math.floor(seconds) % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

const minutesOf = (seconds: number): number => Math.floor(seconds / 60) % 60;

/** Of a machine: `12 d`, `5 h`, `14 min`. */
export function uptime(seconds: number | null | undefined): string {
  if (!known(seconds)) return UNKNOWN;
  if (seconds >= 86_400) return `${whole(Math.floor(seconds / 86_400))} d`;
  return seconds >= 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 60)} min`;
}

/** A place on the timeline: `00:12:34`, `833:20:00`. */
export function timecode(place_ms: number): string {
  const seconds = Math.max(0, Math.floor(place_ms / 1000));
  return `${two(Math.floor(seconds / 3600))}:${two(minutesOf(seconds))}:${two(seconds % 60)}`;
}

/** `0.25x`, `1.0x`, `64.0x`: as many decimals as it has, one at least. */
export const speed = (factor: number): string => `${Number.isInteger(factor) ? factor.toFixed(1) : factor}x`;
