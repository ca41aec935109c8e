import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { AT_ONCE } from "./files.ts";
import { parseOpenFilesLimit } from "./kernel_units.ts";

/** Of the descriptors this program may open, as many as this stay open here; the rest is for everything else. */
const SHARE_OF_LIMIT = 0.5;
const MAX_OPEN = 2000;
const OPEN_WITHOUT_KNOWN_LIMIT = 128;

/** Enough for `stat`, the longest: 52 numbers and a name of 64 bytes. */
const buffer = Buffer.allocUnsafe(2048);

/**
 * Reads one file of many processes (`/proc/PID/stat`). Descriptors stay open between readings, as far as the limits
 * allow: opening and closing the file doubles the cost (11 µs against 5 µs for a `stat`).
 */
export class ProcessFiles {
  readonly #proc: string;
  readonly #file: string;
  readonly #descriptors = new Map<number, number>();
  #limit: number;

  constructor(proc: string, file: string, limit = openFilesShare()) {
    this.#proc = proc;
    this.#file = file;
    this.#limit = limit;
  }

  /**
   * The file's bytes, until any other is read; `null` where there is no such process (any more), or we may not look at
   * it.
   */
  read(pid: number): Buffer | null {
    const kept = this.#descriptors.get(pid);
    if (kept !== undefined) {
      const bytes = readStart(kept);
      if (bytes !== null) return bytes;
      // It has ended; another one may have its number by now.
      this.forget(pid);
    }
    const descriptor = this.#open(pid);
    if (descriptor === null) return null;
    const bytes = readStart(descriptor);
    if (bytes !== null && this.#descriptors.size < this.#limit) this.#descriptors.set(pid, descriptor);
    else closeSync(descriptor);
    return bytes;
  }

  forget(pid: number): void {
    const descriptor = this.#descriptors.get(pid);
    if (descriptor === undefined) return;
    this.#descriptors.delete(pid);
    closeSync(descriptor);
  }

  forgetAllBut(pids: ReadonlySet<number>): void {
    for (const pid of this.#descriptors.keys()) if (!pids.has(pid)) this.forget(pid);
  }

  #open(pid: number): number | null {
    const path = `${this.#proc}/${pid}/${this.#file}`;
    try {
      return openSync(path, AT_ONCE);
    } catch (error) {
      if (!isOutOfDescriptors(error)) return null;
      this.#giveBackHalf();
      return tryOpen(path);
    }
  }

  /** Something else needs descriptors: live with fewer from now on. */
  #giveBackHalf(): void {
    this.#limit = Math.floor(this.#descriptors.size / 2);
    for (const pid of this.#descriptors.keys()) {
      if (this.#descriptors.size <= this.#limit) return;
      this.forget(pid);
    }
  }
}

/** Of this program (EMFILE) or of the whole machine (ENFILE). */
const isOutOfDescriptors = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");

function tryOpen(path: string): number | null {
  try {
    return openSync(path, AT_ONCE);
  } catch {
    return null;
  }
}

/** `null` where there is nothing: the process behind the descriptor has ended. */
function readStart(descriptor: number): Buffer | null {
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, 0);
    return length > 0 ? buffer.subarray(0, length) : null;
  } catch {
    return null;
  }
}

function openFilesShare(): number {
  try {
    const soft = parseOpenFilesLimit(readFileSync("/proc/self/limits", "utf8"));
    return soft === null ? MAX_OPEN : Math.min(MAX_OPEN, Math.floor(soft * SHARE_OF_LIMIT));
  } catch {
    return OPEN_WITHOUT_KNOWN_LIMIT;
  }
}
