import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { cleanText } from "../../frame/clean_text.ts";
import { type FileThreads, fileThreads } from "../file_threads.ts";
import { commandText } from "./command_line.ts";
import { AT_ONCE } from "./files.ts";
import type { CommandMode } from "./mask.ts";
import type { KnownProcess } from "./process_table.ts";
import { parseEffectiveUid } from "./users.ts";

/**
 * A healthy `/proc` answers for 100 processes in 3 ms, on a machine under load in ten times that; what takes longer is in
 * the next frame. Waited for once a process that hangs, not in every cycle.
 */
const PATIENCE_MS = 200;

/** Reads that may hang at the same time: other sources need threads, too. */
const MAY_HANG = 4;

/** How many known processes are looked at again in each cycle, at 0.1 ms each: titles and users may change at any time. */
const REFRESHED_PER_CYCLE = 4;

type ReadMode = Exclude<CommandMode, "name">;

/**
 * Users and command lines of the processes that a frame shows, each read when it is first shown, when its name changes,
 * and from time to time.
 *
 * The kernel reads a command line out of the process's own memory, under a lock that a process stuck in the kernel may
 * hold for ever. So that is done on another thread, one after the other, and never waited for long. Until it is
 * answered a process has no command line; a process whose read hangs is left alone until it comes back.
 */
export class ProcessDetails {
  readonly #proc: string;
  readonly #mode: CommandMode;
  readonly #threads: FileThreads;
  /** Processes whose command line is being read. */
  readonly #underWay = new Set<number>();
  /** Since the start; says whose turn it is. */
  #refreshed = 0;

  constructor(proc: string, mode: CommandMode, threads = fileThreads) {
    this.#proc = proc;
    this.#mode = mode;
    this.#threads = threads;
  }

  async update(shown: readonly KnownProcess[]): Promise<void> {
    const due = new Set(shown.filter((process) => !process.hasDetails));
    for (let refreshed = 0; refreshed < Math.min(REFRESHED_PER_CYCLE, shown.length); refreshed++) {
      const process = shown[this.#refreshed++ % shown.length];
      if (process) due.add(process);
    }
    for (const process of due) process.uid = this.#readUid(process.pid) ?? process.uid;
    if (this.#mode === "name") due.forEach(showNameOnly);
    else await this.#readCommandsInTime([...due], this.#mode);
  }

  #readUid(pid: number): number | null {
    try {
      return parseEffectiveUid(readFileSync(`${this.#proc}/${pid}/status`, { encoding: "latin1", flag: AT_ONCE }));
    } catch {
      // It has ended, or we may not look at it: what is known stays.
      return null;
    }
  }

  async #readCommandsInTime(due: readonly KnownProcess[], mode: ReadMode): Promise<void> {
    // What waits for a device is what may hang: the others first.
    const queue = due.toSorted((a, b) => Number(a.stat.state === "D") - Number(b.stat.state === "D"));
    await withPatience((isOver) => this.#readCommands(queue, mode, isOver));
  }

  async #readCommands(queue: readonly KnownProcess[], mode: ReadMode, isOver: () => boolean): Promise<void> {
    for (const process of queue) {
      if (isOver() || this.#underWay.size >= MAY_HANG || this.#threads.isStuck) return;
      if (!this.#underWay.has(process.pid)) await this.#readCommand(process, mode);
    }
  }

  async #readCommand(process: KnownProcess, mode: ReadMode): Promise<void> {
    this.#underWay.add(process.pid);
    const folder = `${this.#proc}/${process.pid}`;
    try {
      const cmdline = await this.#threads.run(folder, () => readFile(`${folder}/cmdline`));
      if (typeof cmdline === "string") return;
      process.command = commandText(cmdline, mode) ?? process.command;
    } catch {
      // As above.
    } finally {
      this.#underWay.delete(process.pid);
    }
    process.hasDetails = true;
  }
}

function showNameOnly(process: KnownProcess): void {
  process.command = cleanText(process.stat.comm);
  process.hasDetails = true;
}

/** Waits for the work, but no longer than `PATIENCE_MS`; the work can ask whether that is over. */
async function withPatience(work: (isOver: () => boolean) => Promise<void>): Promise<void> {
  const over = Promise.withResolvers<void>();
  let isOver = false;
  const timer = setTimeout(over.resolve, PATIENCE_MS);
  try {
    await Promise.race([work(() => isOver), over.promise]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
