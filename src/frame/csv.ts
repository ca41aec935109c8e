import { formatTime } from "./encode.ts";
import type { Frame } from "./frame.ts";
import { type SectionName, sections } from "./schema.ts";

/**
 * Devices as lines of CSV (RFC 4180, but lines end in LF as the Rust tool's do). It stands beside the encoder because
 * a column is a dot path through the frame's own types: where those say `null`, the cell is empty, and no sentinel of
 * the JSON line gets into a spreadsheet.
 */

/** One column: the keys that lead to its value, from the device down. */
export type Column = readonly string[];

const DEFAULT_QUERY =
  "section,index,hostname,name,uuid,utilization,used_memory,total_memory,temperature,power_consumption";

/** What the Rust tool calls a section in the column `section`. */
const SECTION_WORDS: Record<SectionName, string> = {
  gpus: "gpu",
  cpus: "cpu",
  memory: "memory",
  chassis: "chassis",
  processes: "process",
  storage: "storage",
};

/** `utilization,detail.Vendor` into columns; `null` where a path or a part of one is empty. */
export function parseColumns(query: string): Column[] | null {
  const columns = query.split(",").map((path) => path.trim().split("."));
  return columns.flat().includes("") ? null : columns;
}

/** First keys of columns that no device has. */
export function unknownKeys(columns: readonly Column[]): string[] {
  const known = new Set(["section", "index", ...Object.values(sections).flatMap((fields) => Object.keys(fields))]);
  return columns.flatMap(([key = ""]) => (known.has(key) ? [] : [key]));
}

export const DEFAULT_COLUMNS: readonly Column[] = parseColumns(DEFAULT_QUERY) ?? [];

/** Own keys of objects and places in lists; `undefined` where the path leads nowhere. */
function resolve(device: unknown, column: Column): unknown {
  let value = device;
  for (const key of column) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    if (Array.isArray(value) && !/^\d+$/.test(key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const lineOf = (cells: readonly unknown[]): string => `${cells.map((cell) => quote(cellText(cell))).join(",")}\n`;

/** The first line. `timed`: with a column `timestamp` before the others, as several frames in one text need. */
export const csvHeader = (columns: readonly Column[], timed: boolean): string =>
  lineOf([...(timed ? ["timestamp"] : []), ...columns.map((column) => column.join("."))]);

/** A line for each device of a frame. `section` and `index` (place in the section, from 0) are known of every one. */
export function csvRows(frame: Frame, columns: readonly Column[], timed: boolean): string {
  const time = timed ? [formatTime(frame.t_ms)] : [];
  let text = "";
  for (const name of Object.keys(sections) as SectionName[]) {
    for (const [index, device] of (frame[name] ?? []).entries()) {
      const row = { ...device, section: SECTION_WORDS[name], index };
      text += lineOf([...time, ...columns.map((column) => resolve(row, column))]);
    }
  }
  return text;
}
