import type { RecorderStatus } from "../recording/recorder.ts";
import { formatBytes, formatCount, formatElapsed } from "./units.ts";

/** What a recorder knows of itself at a moment. */
export interface Progress extends RecorderStatus {
  readonly elapsed_ms: number;
  /** How long it is to record; 0: until a signal. */
  readonly duration_ms: number;
  /** `2 of 3 hosts up`; empty where no others are asked. */
  readonly hosts: string;
  readonly errors: number;
  readonly lastError: string;
  /** Of one core, since the process began. */
  readonly cpuPercent: number;
}

const elapsed = ({ elapsed_ms, duration_ms }: Progress): string =>
  formatElapsed(elapsed_ms) + (duration_ms > 0 ? ` / ${formatElapsed(duration_ms)}` : "");

const errorCount = ({ errors }: Progress): string[] => (errors > 0 ? [formatCount(errors, "error")] : []);
const missing = (one: Progress): string[] => (one.missing > 0 ? [`${one.missing} missing`] : []);
const cpu = ({ cpuPercent }: Progress): string => `CPU ${cpuPercent.toFixed(1)} %`;
const each = ({ frames, writtenBytes }: Progress): string[] =>
  frames > 0 ? [`${formatBytes(writtenBytes / frames)} a frame`] : [];

/** The line that updates on a terminal: what matters most comes first, and what has no room is left out whole. */
export function progressLine(progress: Progress, columns: number): string {
  const { frames, writtenBytes, hosts, lastError } = progress;
  const figures = [
    `recording  ${elapsed(progress)}`,
    formatCount(frames, "frame"),
    formatBytes(writtenBytes),
    ...missing(progress),
    ...errorCount(progress),
    ...[hosts].filter((words) => words !== ""),
    cpu(progress),
    ...each(progress),
  ];
  let line = "";
  for (const figure of figures) {
    const longer = line === "" ? figure : `${line}  ${figure}`;
    if (longer.length > columns) return line.slice(0, columns);
    line = longer;
  }
  return (lastError === "" ? line : `${line}  (${lastError})`).slice(0, columns);
}

/** The closing line. */
export function summaryLine(progress: Progress, path: string): string {
  const { elapsed_ms, frames, writtenBytes } = progress;
  const size = [formatBytes(writtenBytes), ...each(progress)];
  const figures = [formatCount(frames, "frame"), ...size, cpu(progress), ...missing(progress), ...errorCount(progress)];
  return `recorded ${formatElapsed(elapsed_ms)} to ${path}: ${figures.join(", ")}`;
}
