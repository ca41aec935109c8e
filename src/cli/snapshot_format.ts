import { prometheusText } from "../api/prometheus.ts";
import { type Column, csvHeader, csvRows } from "../frame/csv.ts";
import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { build } from "./build.ts";

/** How frames become one text, piece by piece. */
export interface SnapshotFormat {
  readonly begin: string;
  /** The n-th frame, from 0. */
  frame(frame: Frame, n: number): string;
  readonly end: string;
}

const INDENT = "  ";

const indented = (line: string): string => JSON.stringify(JSON.parse(line), null, INDENT);

/** One frame is an object, several are an array of them. */
export function jsonFormat(samples: number, pretty: boolean): SnapshotFormat {
  const object = (frame: Frame): string => (pretty ? indented(frameLine(frame)) : frameLine(frame));
  if (samples === 1) return { begin: "", frame: object, end: "\n" };
  const newline = pretty ? "\n" : "";
  const item = (frame: Frame): string => (pretty ? object(frame).replace(/^/gm, INDENT) : object(frame));
  return {
    begin: `[${newline}`,
    frame: (frame, n) => (n === 0 ? item(frame) : `,${newline}${item(frame)}`),
    end: `${newline}]\n`,
  };
}

/** Lines are told apart by their time where there are several frames. */
export function csvFormat(samples: number, columns: readonly Column[]): SnapshotFormat {
  const timed = samples > 1;
  return { begin: csvHeader(columns, timed), frame: (frame) => csvRows(frame, columns, timed), end: "" };
}

export const prometheusFormat: SnapshotFormat = {
  begin: "",
  frame: (frame) => prometheusText(frame, build),
  end: "",
};
