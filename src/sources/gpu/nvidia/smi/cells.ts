import { knownText, plausible } from "../../../plausible.ts";

/**
 * The values of nvidia-smi's CSV, as `--format=csv,nounits` prints them. What it cannot tell stands in
 * brackets in a value's place: `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `[Insufficient Permissions]`, …
 */

const MEBIBYTE = 1024 ** 2;

/** What stands in the place of a value of a card that does not answer. */
const LOST = new Map([
  ["[GPU is lost]", "GPU is lost"],
  ["[GPU requires reset]", "GPU requires a reset"],
]);

/** Why the card of this row does not answer; of such a row the other values are not to be believed. */
export function lostReason(cells: readonly string[]): string | null {
  for (const cell of cells) {
    const reason = LOST.get(cell);
    if (reason !== undefined) return reason;
  }
  return null;
}

export const textOf = (cell: string): string | null => knownText(cell);

export function numberOf(cell: string): number | null {
  return /^\d{1,15}(?:\.\d{1,6})?$/.test(cell) ? Number(cell) : null;
}

export function naturalOf(cell: string): number | null {
  return /^\d{1,15}$/.test(cell) ? Number(cell) : null;
}

/** Bytes of what is printed in MiB. */
export function mebibytesOf(cell: string): number | null {
  const mebibytes = naturalOf(cell);
  return mebibytes === null ? null : mebibytes * MEBIBYTE;
}

/** What stands in place of a size that a chip without memory of its own cannot have; that it is not told is said otherwise. */
const NOT_SUPPORTED = /^\[?(?:N\/A|Not Supported)\]?$/;

/** Bytes; 0 where there is no such memory. */
export const totalMemoryOf = (cell: string): number | null =>
  NOT_SUPPORTED.test(cell) ? 0 : plausible("bytes", mebibytesOf(cell));

/** 1 of `Yes`, 0 of `No`. */
export function flagOf(cell: string): number | null {
  return cell === "Yes" ? 1 : cell === "No" ? 0 : null;
}

/** 1 of `Enabled`, 0 of `Disabled`. */
export function modeOf(cell: string): number | null {
  return cell === "Enabled" ? 1 : cell === "Disabled" ? 0 : null;
}

/** The 8 of `P8`. */
export function performanceStateOf(cell: string): number | null {
  const [, digits] = /^P(\d{1,2})$/.exec(cell) ?? [];
  return digits === undefined ? null : plausible("performance_state", Number(digits));
}

/** A bit mask as `0x0000000000000004`; no driver has more than the 53 bits that a number holds. */
export function maskOf(cell: string): number | null {
  return /^0x0{0,3}[0-9a-f]{1,13}$/i.test(cell) ? Number.parseInt(cell, 16) : null;
}

/** `2026/07/14 08:12:38.696` in ms; only differences mean something, as it is the machine's own time of day. */
export function timestampOf(cell: string): number | null {
  const match = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{3})$/.exec(cell);
  if (match === null) return null;
  const [year = 0, month = 0, ...rest] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
}
