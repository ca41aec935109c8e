import { UsageError } from "../errors.ts";
import type { Cursor } from "../recording/cursor.ts";
import { toAnsi, toText } from "../view/ansi.ts";
import type { AppOptions } from "../view/app.ts";
import { drawOnce, type OnceOptions } from "../view/once.ts";
import { skippedWords } from "../view/screen.ts";
import { backgroundOf, colourDepth, makeTheme, type Theme } from "../view/theme.ts";
import { outsideWords } from "../view/timecode.ts";
import { say } from "./say.ts";
import { writeStandardOutput } from "./standard_output.ts";
import type { Colour, ScreenOptions, Size } from "./view.ts";

/** Where there is no terminal to ask. */
const USUAL_SIZE: Size = { width: 120, height: 40 };

function themeFor(color: Colour): Theme {
  const { NO_COLOR, ...rest } = process.env;
  const isWanted = color === "always" || (color === "auto" && process.stdout.isTTY === true);
  if (!isWanted) return makeTheme("none", backgroundOf(rest));
  const depth = colourDepth(color === "always" ? rest : process.env);
  return makeTheme(color === "always" && depth === "none" ? "16" : depth, backgroundOf(rest));
}

/** A row of the terminal is left for the prompt. */
function terminalSize(): Size {
  const { isTTY, columns, rows } = process.stdout;
  // A terminal that does not say its size says 0.
  return isTTY ? { width: columns || 80, height: Math.max(1, (rows || 24) - 1) } : USUAL_SIZE;
}

/** Says what will keep the interactive view from coming up, before anything is opened for it. */
export function checkTerminal({ once }: ScreenOptions): void {
  if (once) return;
  const remedy = "use --once to print one screen";
  if (!process.stdout.isTTY) throw new UsageError(`standard output is no terminal: ${remedy}`);
  if (!process.stdin.isTTY) throw new UsageError(`standard input is no terminal: ${remedy}`);
  if (process.env.TERM === "dumb") throw new UsageError(`TERM=dumb: this terminal cannot show it; ${remedy}`);
}

type What = Omit<AppOptions, "theme" | "openTerminal"> & Pick<OnceOptions, "start">;

/** Prints one screen, or shows them until somebody quits. */
export async function showView(screen: ScreenOptions, what: What): Promise<void> {
  const theme = themeFor(screen.color);
  // For whoever reads on where the view has left the terminal: in the view it is said for seconds only.
  if (what.warning !== null) say(what.warning);
  try {
    if (screen.once) await printOnce(screen, what, theme);
    else await runApp(what, theme);
  } finally {
    what.cursor.close();
  }
  sayWhatWasWrong(what.cursor);
}

async function printOnce({ size }: ScreenOptions, what: What, theme: Theme): Promise<void> {
  const cells = await drawOnce({ ...what, ...(size ?? terminalSize()), theme });
  await writeStandardOutput(theme.depth === "none" ? toText(cells) : toAnsi(cells, theme.depth));
  sayIfOutside(what);
}

function sayIfOutside({ cursor, start }: What): void {
  const words = start === null || cursor.current === null ? null : outsideWords(start, cursor.current, cursor);
  if (words !== null) say(`--start is ${words}`);
}

async function runApp(what: What, theme: Theme): Promise<void> {
  const { App } = await import("../view/app.ts");
  const { Terminal } = await import("../view/terminal.ts");
  const app = new App({ ...what, theme, openTerminal: (listener) => Terminal.open(theme.depth, listener) });
  const quit = () => app.quit();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.once(signal, quit);
  process.stdin.once("end", quit);
  process.stdin.once("close", quit);
  await app.run();
}

function sayWhatWasWrong({ refused, skipped }: Cursor): void {
  if (refused !== null) {
    console.error(refused);
    process.exitCode = 2;
  }
  const words = skippedWords(skipped);
  if (words !== null) say(words);
}
