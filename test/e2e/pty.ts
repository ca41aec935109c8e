import { afterAll } from "bun:test";
import { Terminal } from "@xterm/headless";
import { PROGRAM } from "./run.ts";

/** Longer than anything takes, so that a busy machine fails no test. */
const PATIENCE_MS = 20_000;

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const open = new Set<Pty>();
afterAll(async () => {
  for (const { child } of open) child.kill("SIGKILL");
  await Promise.all([...open].map(({ child }) => child.exited));
});

/** A real process behind a pseudo-terminal and a terminal emulator: keys go in as bytes, the screen is read back. */
export class Pty {
  readonly emulator: Terminal;
  readonly child: Bun.Subprocess;
  /** All that came out of it. */
  output = "";

  constructor(command: readonly string[], { columns = 120, rows = 40, env = {} }: PtyOptions = {}) {
    this.emulator = new Terminal({ cols: columns, rows, allowProposedApi: true });
    this.child = Bun.spawn([...command], {
      env: { ...process.env, TERM: "xterm-256color", COLORTERM: "truecolor", NO_COLOR: "", TZ: "UTC", ...env },
      terminal: {
        cols: columns,
        rows,
        data: (_, bytes) => {
          this.output += Buffer.from(bytes).toString("latin1");
          this.emulator.write(bytes);
        },
      },
    });
    // The program asks the terminal what it can do.
    this.emulator.onData((text) => this.type(text));
    open.add(this);
    this.child.exited.then(() => open.delete(this));
  }

  get rows(): string[] {
    const { cols, rows, buffer } = this.emulator;
    const { active } = buffer;
    // A line keeps what a resize has cut off.
    return Array.from(
      { length: rows },
      (_, row) => active.getLine(active.viewportY + row)?.translateToString(true, 0, cols) ?? "",
    );
  }

  get text(): string {
    return this.rows.join("\n");
  }

  /** What follows the chip, up to a wide space. */
  get chip(): string {
    return /(?:REPLAY|LIVE|FROZEN)( \| .*?)?(?=\s{2,}|$)/m.exec(this.text)?.[0] ?? "";
  }

  get isAlternate(): boolean {
    return this.emulator.buffer.active.type === "alternate";
  }

  type(text: string): void {
    if (!this.child.terminal?.closed) this.child.terminal?.write(text);
  }

  /** A mouse report (SGR, xterm's mode 1006); columns and rows from 0. */
  mouse(button: number, column: number, row: number, isRelease = false): void {
    this.type(`\x1b[<${button};${column + 1};${row + 1}${isRelease ? "m" : "M"}`);
  }

  click(column: number, row: number): void {
    this.mouse(0, column, row);
    this.mouse(0, column, row, true);
  }

  resize(columns: number, rows: number): void {
    this.child.terminal?.resize(columns, rows);
    this.emulator.resize(columns, rows);
  }

  /** Until the screen shows it. */
  async until(what: string, isSo: (pty: Pty) => boolean): Promise<void> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await Bun.sleep(5)) {
      const isOver = this.child.exitCode !== null;
      if (isOver) await this.#arrived();
      if (isSo(this)) return;
      if (isOver) break;
    }
    throw new Error(`the screen never showed ${what}:\n${this.text}`);
  }

  async untilText(pattern: RegExp | string): Promise<void> {
    await this.until(String(pattern), ({ text }) =>
      typeof pattern === "string" ? text.includes(pattern) : pattern.test(text),
    );
  }

  async untilChip(pattern: RegExp | string): Promise<void> {
    await this.until(`the chip ${pattern}`, ({ chip }) =>
      typeof pattern === "string" ? chip === pattern : pattern.test(chip),
    );
  }

  /** The code it exits with; all that it wrote has arrived by then. */
  async exit(): Promise<number> {
    await this.until("an end", ({ child }) => child.exitCode !== null || child.signalCode !== null);
    await this.#arrived();
    return await this.child.exited;
  }

  /** Until what was written last is on the screen. */
  async #arrived(): Promise<void> {
    await Bun.sleep(20);
    await new Promise<void>((resolve) => this.emulator.write("", resolve));
  }
}

/** `all-smi` with these arguments, behind a terminal. */
export const allSmi = (args: readonly string[], options?: PtyOptions): Pty => new Pty([...PROGRAM, ...args], options);
