import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { seekToEnd } from "../../../libc.ts";
import { codeOf } from "../files.ts";
import { type KernelRecord, parseRecords } from "./record.ts";

/** What one look at the log brought. */
export interface LogReading {
  readonly records: readonly KernelRecord[];
  /** So many messages were overwritten before they were read. */
  readonly lost: number;
  /** There may be more. */
  readonly isCut: boolean;
}

/** The kernel gives a whole record at once, of 8 KiB at most; a smaller buffer is refused. */
const BUFFER_BYTES = 16 * 1024;

/** So many reads without a record in them, and the next cycle goes on: some devices never end. */
const MOST_FRUITLESS = 16;

/** The kernel's log from the moment on at which it was opened. */
export class KernelLog {
  readonly #descriptor: number;
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #sequence: number | null = null;
  /** A pipe gives as much as fits, and cuts the last record. */
  #rest = "";

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** `null` where there is none, or it may not be read: the kernel decides that when it is opened. */
  static open(path: string): KernelLog | null {
    let descriptor: number;
    try {
      // Some containers have a terminal in its place.
      descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch {
      return null;
    }
    const status = fstatSync(descriptor);
    // A pipe has no end to go to, and nothing old in it; container engines make a folder of a missing file.
    if (!status.isDirectory() && (seekToEnd(descriptor) || status.isFIFO())) return new KernelLog(descriptor);
    closeSync(descriptor);
    return null;
  }

  /** What was written since the last time; not more than about `most` records. */
  read(most: number): LogReading {
    const records: KernelRecord[] = [];
    let lost = 0;
    let fruitless = 0;
    while (records.length < most && fruitless < MOST_FRUITLESS) {
      const text = this.#next();
      if (text === "end") return { records, lost, isCut: false };
      const found = text === "overwritten" ? [] : parseRecords(text.log);
      if (found.length === 0) fruitless += 1;
      for (const record of found) {
        lost += this.#missing(record.sequence);
        records.push(record);
      }
    }
    return { records, lost, isCut: true };
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #next(): { log: string } | "end" | "overwritten" {
    try {
      const length = readSync(this.#descriptor, this.#buffer, 0, BUFFER_BYTES, null);
      return length === 0 ? "end" : { log: this.#wholeRecords(this.#buffer.toString("utf8", 0, length)) };
    } catch (error) {
      const code = codeOf(error);
      if (code === "EAGAIN") return "end";
      // The next read goes on with the oldest that is left.
      if (code === "EPIPE") return "overwritten";
      throw error;
    }
  }

  #wholeRecords(text: string): string {
    const log = this.#rest + text;
    const end = log.lastIndexOf("\n") + 1;
    this.#rest = log.slice(end).slice(0, BUFFER_BYTES);
    return log.slice(0, end);
  }

  #missing(sequence: number): number {
    const before = this.#sequence;
    this.#sequence = sequence;
    return before === null ? 0 : Math.max(0, sequence - before - 1);
  }
}
