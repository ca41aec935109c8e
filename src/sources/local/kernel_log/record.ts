import { cleanText } from "../../../frame/clean_text.ts";

/** One message of the kernel's log. */
export interface KernelRecord {
  /** Counts all messages since the boot. */
  readonly sequence: number;
  /** By the kernel's own clock, which is CLOCK_MONOTONIC but for a drift of some seconds in months. */
  readonly time_us: number;
  /** The kernel wrote it. Programs write here too, but cannot take this mark. */
  readonly isKernels: boolean;
  /** On one line. */
  readonly message: string;
}

const RECORD = /^(\d{1,4}),(\d{1,15}),(\d{1,15}),[^;]{0,64};(.*)$/;

/**
 * The records in a text as `/dev/kmsg` gives it (Documentation/ABI/testing/dev-kmsg): `level,sequence,µs,flags;message`,
 * then lines that begin with a space, with the message's properties. What is no record is left out.
 */
export function parseRecords(text: string): KernelRecord[] {
  return text
    .split("\n")
    .map(parseRecord)
    .filter((record) => record !== null);
}

function parseRecord(line: string): KernelRecord | null {
  const [, level, sequence, time_us, message = ""] = RECORD.exec(line) ?? [];
  if (level === undefined) return null;
  // Below the three bits of the level stands who wrote it: 0 is the kernel.
  const isKernels = Number(level) < 8;
  return { sequence: Number(sequence), time_us: Number(time_us), isKernels, message: cleanText(unescaped(message)) };
}

/** Bytes that are not printable ASCII stand as `\x1b`. */
const unescaped = (message: string): string =>
  message.replace(/(?:\\x[0-9a-f]{2})+/g, (run) => Buffer.from(run.replaceAll("\\x", ""), "hex").toString("utf8"));
