import { expect, test } from "bun:test";
import { join } from "node:path";
import { allSmi, Pty } from "./pty.ts";
import { PROGRAM, start, TEST_MS, testFolder } from "./run.ts";
import { appendFrames, everySecond, framesAt, writeRecording } from "./view_recordings.ts";

const folder = testFolder();
const MINUTE = writeRecording(folder, "minute", everySecond(60));
const PAUSED = ["view", "--replay", MINUTE, "--paused"] as const;

const ESCAPE = "\\x1b";
/** Modes that must be off again: alternate screen, mouse (three), focus, bracketed paste. */
const MODES = ["1049", "1000", "1002", "1006", "1004", "2004"] as const;

function expectRestored(pty: Pty): void {
  expect(pty.isAlternate).toBe(false);
  for (const mode of MODES) {
    const last = pty.output
      .matchAll(new RegExp(`${ESCAPE}\\[\\?${mode}([hl])`, "g"))
      .toArray()
      .at(-1);
    expect([mode, last?.[1] ?? "never on"]).not.toEqual([mode, "h"]);
  }
  const cursor = pty.output
    .matchAll(new RegExp(`${ESCAPE}\\[\\?25([hl])`, "g"))
    .toArray()
    .at(-1);
  expect(cursor?.[1]).toBe("h");
}

/** In a shell that says how the terminal was before and is afterwards. */
const inShell = (...args: string[]): Pty =>
  new Pty(["sh", "-c", 'stty -g; "$@"; echo "status $?"; stty -g', "sh", ...PROGRAM, ...args]);

test.each([
  ["q", "q"],
  ["Ctrl-C", "\x03"],
])(
  "%s leaves the terminal as it was",
  async (_, key) => {
    const pty = inShell(...PAUSED);
    await pty.untilText("REPLAY");
    expect(pty.isAlternate).toBe(true);
    pty.type(key);
    await pty.untilText("status 0");
    expect(await pty.exit()).toBe(0);
    expectRestored(pty);
    const [before, , after] = pty.text.split("\n");
    expect(after).toBe(before as string);
  },
  TEST_MS,
);

test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const)(
  "%s leaves the terminal as it was",
  async (signal) => {
    const pty = allSmi(PAUSED);
    await pty.untilText("REPLAY");
    pty.child.kill(signal);
    expect(await pty.exit()).toBe(0);
    expectRestored(pty);
  },
  TEST_MS,
);

test(
  "a terminal that is closed ends the program",
  async () => {
    const pty = allSmi(PAUSED);
    await pty.untilText("REPLAY");
    pty.child.terminal?.close();
    expect(await pty.child.exited).toBe(0);
  },
  TEST_MS,
);

test.each(["key", "timer", "promise"])(
  "a crash in a %s gives the terminal back and says one line",
  async (where) => {
    const pty = new Pty([process.execPath, join(import.meta.dir, "crashing.ts"), where, MINUTE]);
    await pty.untilText("REPLAY");
    expect(pty.isAlternate).toBe(true);
    pty.type("?");
    expect(await pty.exit()).toBe(1);
    expectRestored(pty);
    expect(pty.text.trim()).toBe(`all-smi: crashed in a ${where}`);
  },
  TEST_MS,
);

test(
  "a resize redraws, also to a size that is too small, and back",
  async () => {
    const pty = allSmi(PAUSED, { columns: 100, rows: 30 });
    await pty.until("30 rows", ({ rows }) => rows[29]?.includes("REPLAY") === true);
    pty.resize(140, 42);
    await pty.until("42 rows", ({ rows }) => rows[41]?.includes("REPLAY") === true && rows[2]?.length === 140);
    pty.resize(40, 10);
    await pty.untilText("missing");
    pty.resize(80, 24);
    await pty.until("24 rows", ({ rows }) => rows[23]?.includes("REPLAY") === true);
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

test(
  "nothing is written while nothing changes",
  async () => {
    const pty = allSmi(PAUSED);
    await pty.untilText("REPLAY");
    await Bun.sleep(500);
    const { length } = pty.output;
    await Bun.sleep(1500);
    expect(pty.output.length).toBe(length);
    pty.type("]");
    await pty.until("more", ({ output }) => output.length > length);
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

const SGR = new RegExp(`${ESCAPE}\\[([\\d;:]*)m`, "g");
const parametersOf = (output: string): string[] =>
  output
    .matchAll(SGR)
    .map((match) => match[1] ?? "")
    .toArray();
/** Cells that show something in a colour of its own. */
function colouredCells({ emulator }: Pty): string[] {
  const cells: string[] = [];
  for (let row = 0; row < emulator.rows; row++) {
    const line = emulator.buffer.active.getLine(row);
    for (let column = 0; column < emulator.cols; column++) {
      const cell = line?.getCell(column);
      if (cell === undefined || (cell.isFgDefault() && cell.isBgDefault())) continue;
      if (cell.getChars().trim() !== "" || !cell.isBgDefault()) cells.push(cell.getChars());
    }
  }
  return cells;
}

test.each([
  ["NO_COLOR", { NO_COLOR: "1" }, []],
  ["--color never", {}, ["--color", "never"]],
] as const)(
  "%s: no colour is written",
  async (_, env, options) => {
    const pty = allSmi([...PAUSED, ...options], { env });
    await pty.untilText("REPLAY");
    pty.type("]");
    await pty.untilText("00:00:01 /");
    expect(colouredCells(pty)).toEqual([]);
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

test.each([
  ["16", "xterm", /^([01247]|[34]9|[34]8;5;([0-9]|1[0-5]))$/],
  ["256", "xterm-256color", /^([01247]|[34]9|[34]8;5;\d+)$/],
] as const)(
  "%s colours where the terminal has no more",
  async (_, TERM, allowed) => {
    const pty = allSmi(PAUSED, { env: { TERM, COLORTERM: "" } });
    await pty.untilText("REPLAY");
    pty.type("q");
    expect(await pty.exit()).toBe(0);
    const parameters = parametersOf(pty.output);
    expect(parameters.length).toBeGreaterThan(10);
    expect(parameters.filter((one) => !allowed.test(one))).toEqual([]);
  },
  TEST_MS,
);

test(
  "the colours follow the terminal's background",
  async () => {
    const pty = allSmi(PAUSED);
    await pty.untilText("REPLAY");
    const chipGround = () => pty.emulator.buffer.active.getLine(39)?.getCell(2)?.getBgColor();
    const onDark = chipGround();
    pty.type("\x1b]10;rgb:0000/0000/0000\x1b\\\x1b]11;rgb:ffff/ffff/ffff\x1b\\");
    await pty.until("other colours", () => chipGround() !== onDark);
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

test(
  "a recording that is being written is followed",
  async () => {
    const path = writeRecording(folder, "growing", everySecond(3));
    const pty = allSmi(["view", "--replay", path, "--speed", "8"]);
    await pty.untilText("00:00:02 / 00:00:02 | 8.0x | end");
    const frames = framesAt(everySecond(6));
    appendFrames(path, frames.slice(3, 4));
    await pty.untilText("00:00:03 / 00:00:03 | 8.0x | playing");
    appendFrames(path, frames.slice(4));
    await pty.untilText("00:00:05 / 00:00:05 | 8.0x | playing");
    await pty.untilText("00:00:05 / 00:00:05 | 8.0x | end");
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

test.each([[["view"]], [["view", "--replay", MINUTE]], [["local"]], [[]]])(
  "all-smi %p without a terminal: one line that says what to do, status 2",
  async (args) => {
    const { code, out, err } = await start([...PROGRAM, ...args]).ended;
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^all-smi: standard output is no terminal: use --once [^\n]*\n$/);
  },
  TEST_MS,
);
