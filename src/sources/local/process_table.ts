import { readdirSync } from "node:fs";
import { ProcessFiles } from "./process_files.ts";
import { type ProcessStat, parseProcessStat, parseResidentPages } from "./process_stat.ts";

/** A process between two readings. */
export interface KnownProcess {
  readonly pid: number;
  stat: ProcessStat;
  /** Exact where it is shown. */
  resident_pages: number;
  /** CPU use between the last two readings, 100 is one core; `null` until there are two. */
  cpu_percent: number | null;
  /** The command line as it may be shown; `null` where there is none, or it is not known yet. */
  command: string | null;
  /** The effective user; `null` where not known. */
  uid: number | null;
  /** `command` and `uid` have been read since it began to run its present program. */
  hasDetails: boolean;
}

interface Tracked extends KnownProcess {
  read_ms: number;
  /** The cycle in which it was read last. */
  readCycle: number;
  /** Readings in a row in which it had used no CPU. */
  quietReadings: number;
  /** It was in the last frame, so that it is read every cycle. */
  isShown: boolean;
}

/** After as many readings without any CPU use a process counts as idle. */
const QUIET_READINGS_OF_IDLE = 3;

/** Idle processes are read in rotation: about this many a cycle, each at the latest in every 8th. */
const IDLE_READINGS_PER_CYCLE = 128;
const MAX_ROTATION = 8;

/** As many as a frame shows by default. */
const MAX_OPEN_MEMORY = 100;

/**
 * The processes below a `/proc`. Those that work, and those the last frame showed, are read in every cycle; idle ones in
 * rotation, as a reading costs 5 µs: of 1,000 idle processes each is read in every eighth cycle.
 */
export class ProcessTable {
  readonly #proc: string;
  readonly #stats: ProcessFiles;
  readonly #memory: ProcessFiles;
  readonly #ticks_per_second: number;
  /** `null`: it is there, but we may not look at it. */
  readonly #processes = new Map<number, Tracked | null>();
  #cycle = 0;
  #idle = 0;

  constructor(proc: string, ticks_per_second: number) {
    this.#proc = proc;
    this.#stats = new ProcessFiles(proc, "stat");
    this.#memory = new ProcessFiles(proc, "statm", MAX_OPEN_MEMORY);
    this.#ticks_per_second = ticks_per_second;
  }

  /** Reads what is due; `wanted` says which processes must be read in any case. Throws where `/proc` cannot be read. */
  update(now_ms: number, wanted: (pid: number) => boolean): KnownProcess[] {
    const pids = listProcesses(this.#proc);
    const rotation = Math.min(MAX_ROTATION, Math.max(1, Math.ceil(this.#idle / IDLE_READINGS_PER_CYCLE)));
    this.#idle = 0;
    for (const pid of pids) {
      const known = this.#processes.get(pid);
      const isTurn = pid % rotation === this.#cycle % rotation;
      if (known === undefined || isTurn || wanted(pid) || (known && this.#isDue(known))) this.#read(pid, known, now_ms);
      else this.#idle++;
    }
    this.#cycle++;
    this.#dropEnded(pids);
    return [...this.#processes.values()].filter((process) => process !== null);
  }

  /** Says which of them the frame shows: their memory is read exactly, and they are read again in the next cycle. */
  show(shown: readonly KnownProcess[]): void {
    const pids = new Set(shown.map(({ pid }) => pid));
    this.#memory.forgetAllBut(pids);
    for (const process of this.#processes.values()) {
      if (process === null) continue;
      process.isShown = pids.has(process.pid);
      if (process.isShown) process.resident_pages = this.#residentPages(process.pid) ?? process.resident_pages;
    }
  }

  close(): void {
    this.#stats.forgetAllBut(new Set());
    this.#memory.forgetAllBut(new Set());
  }

  #residentPages(pid: number): number | null {
    const bytes = this.#memory.read(pid);
    return bytes && parseResidentPages(bytes);
  }

  #isDue(process: Tracked): boolean {
    // The rotation changes with the number of idle processes, so that one could miss its turn.
    return !isIdle(process) || this.#cycle - process.readCycle >= MAX_ROTATION;
  }

  #read(pid: number, known: Tracked | null | undefined, now_ms: number): void {
    const bytes = this.#stats.read(pid);
    const stat = bytes && parseProcessStat(bytes);
    if (stat === null) this.#processes.set(pid, null);
    else if (known && known.stat.start_ticks === stat.start_ticks) this.#advance(known, stat, now_ms);
    else this.#processes.set(pid, firstReading(pid, stat, now_ms));
    const now = this.#processes.get(pid);
    if (now) now.readCycle = this.#cycle;
    if (!now || isIdle(now)) this.#idle++;
  }

  #advance(process: Tracked, stat: ProcessStat, now_ms: number): void {
    const ticks = Math.max(0, stat.cpu_ticks - process.stat.cpu_ticks);
    const elapsed_s = (now_ms - process.read_ms) / 1000;
    if (elapsed_s > 0) process.cpu_percent = (100 * ticks) / this.#ticks_per_second / elapsed_s;
    process.quietReadings = ticks === 0 ? process.quietReadings + 1 : 0;
    if (stat.comm !== process.stat.comm) {
      // Another program by now, which has another command line.
      process.command = null;
      process.hasDetails = false;
    }
    process.stat = stat;
    // What is shown gets the exact number; meanwhile a rough one must not change its rank.
    if (!process.isShown) process.resident_pages = stat.rss_pages;
    process.read_ms = now_ms;
  }

  #dropEnded(pids: readonly number[]): void {
    if (this.#processes.size === pids.length) return;
    const present = new Set(pids);
    for (const pid of this.#processes.keys()) {
      if (present.has(pid)) continue;
      this.#processes.delete(pid);
      this.#stats.forget(pid);
    }
  }
}

const isIdle = (process: Tracked): boolean => process.quietReadings >= QUIET_READINGS_OF_IDLE && !process.isShown;

const firstReading = (pid: number, stat: ProcessStat, now_ms: number): Tracked => ({
  pid,
  stat,
  resident_pages: stat.rss_pages,
  cpu_percent: null,
  command: null,
  uid: null,
  hasDetails: false,
  isShown: false,
  read_ms: now_ms,
  readCycle: 0,
  quietReadings: 0,
});

function listProcesses(proc: string): number[] {
  const pids: number[] = [];
  for (const name of readdirSync(proc)) {
    const first = name.charCodeAt(0);
    if (first >= 0x31 && first <= 0x39) pids.push(Number(name));
  }
  return pids.filter(Number.isSafeInteger);
}
