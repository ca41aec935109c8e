import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Written {
  comm?: string;
  state?: string;
  cpu_ticks?: number;
  start_ticks?: number;
  rss_pages?: number;
  /** Arguments with a NUL after each. */
  cmdline?: string;
  uid?: number;
}

/** A `/proc` in a temporary folder, for what a recorded one cannot show: processes that change between two readings. */
export class ProcessTree {
  readonly root = mkdtempSync(join(tmpdir(), "processes-"));
  readonly proc = `${this.root}/proc`;

  constructor() {
    mkdirSync(this.proc);
  }

  /** Begins a process, or lets it go on. */
  write(pid: number, process: Written = {}): void {
    const { comm = "task", state = "S", cpu_ticks = 0, start_ticks = 100, rss_pages = 10, cmdline, uid } = process;
    mkdirSync(`${this.proc}/${pid}`, { recursive: true });
    const numbers = `1 1 1 0 -1 0 9 8 7 6 ${cpu_ticks} 0 3 2 20 0 1 0 ${start_ticks} 4096000 ${rss_pages} 1 1 1\n`;
    writeFileSync(`${this.proc}/${pid}/stat`, `${pid} (${comm}) ${state} ${numbers}`);
    if (cmdline !== undefined) writeFileSync(`${this.proc}/${pid}/cmdline`, cmdline);
    if (uid !== undefined) writeFileSync(`${this.proc}/${pid}/status`, `Uid:\t0\t${uid}\t0\t0\n`);
  }

  end(pid: number): void {
    rmSync(`${this.proc}/${pid}`, { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
