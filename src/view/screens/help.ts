import { textWidth } from "../text.ts";
import type { Scene } from "./scene.ts";

interface Key {
  readonly keys: string;
  readonly does: string;
}

interface Section {
  readonly title: string;
  readonly keys: readonly Key[];
}

const key = (keys: string, does: string): Key => ({ keys, does });

const REPLAY: Section = {
  title: "Replay",
  keys: [
    key("space", "play, pause"),
    key("] [", "a frame on, back"),
    key("+ -", "faster, slower: 0.25x to 8.0x"),
    key("j k", "10 s back, on"),
    key("{ }", "a minute back, on"),
    key("n N", "next, last event"),
    key("g", "go to 00:14:32, @14:31, -5m, 50%"),
    key("0 … 9", "to that tenth"),
    key("Home End", "first, last frame"),
    key("L", "loop"),
    key("Esc", "give up a seek"),
  ],
};

const LIVE: Section = {
  title: "Live",
  keys: [
    key("space", "freeze, go on"),
    key("] [", "a frame on, back, in memory"),
    key("j k", "10 s back, on"),
    key("n N", "next, last event"),
    key("End", "back to now"),
  ],
};

const OVERVIEW: Section = {
  title: "Hosts",
  keys: [key("Tab ⇧Tab", "next, previous host"), key("arrows", "mark a host"), key("Enter", "open it")],
};

const TABLES: Section = {
  title: "Tables",
  keys: [
    key("/", "filter; #3 is GPU 3"),
    key("d", "usual order"),
    key("u", "GPUs, hosts by utilization"),
    key("c m p G", "processes by CPU, memory, PID, GPU memory"),
    key("f", "only processes on GPUs"),
    key("↑ ↓ PgUp PgDn", "scroll"),
  ],
};

const ALWAYS: Section = {
  title: "Everywhere",
  keys: [key("z", "zone: yours, the recorder's, UTC"), key("? h", "this help"), key("q", "quit")],
};

const KEYS_WIDTH = 15;
const COLUMN_GAP = 4;
const PADDING = 2;

interface Line {
  readonly title?: string;
  readonly key?: Key;
}

const linesOf = (sections: readonly Section[]): Line[] =>
  sections.flatMap(({ title, keys }, i) => [...(i > 0 ? [{}] : []), { title }, ...keys.map((key) => ({ key }))]);

const widthOf = (lines: readonly Line[]): number =>
  lines.reduce((most, { key }) => Math.max(most, key === undefined ? 0 : KEYS_WIDTH + textWidth(key.does)), 0);

/** The keys of the screen one is on, over it: in one column, or two where one is too long. */
export function drawHelp(scene: Scene, y: number, height: number, hasHosts: boolean): void {
  const moving = scene.input.status.kind === "replay" ? REPLAY : LIVE;
  const rest = [...(hasHosts ? [OVERVIEW] : []), TABLES, ALWAYS];
  const left = linesOf([moving, ...rest]);
  const columns =
    left.length + 2 * 1 + 2 <= height ? [left] : [linesOf([moving, ...rest.slice(0, -2)]), linesOf(rest.slice(-2))];
  drawBox(scene, y, height, columns);
}

function drawBox(scene: Scene, top: number, room: number, columns: readonly Line[][]): void {
  const { cells, theme } = scene;
  const widths = columns.map(widthOf);
  const inner = widths.reduce((sum, width) => sum + width, COLUMN_GAP * (columns.length - 1));
  const width = Math.min(cells.width, inner + 2 * PADDING + 2);
  const height = Math.min(room, Math.max(...columns.map((lines) => lines.length)) + 2);
  const [x, y] = [Math.floor((cells.width - width) / 2), top + Math.floor((room - height) / 2)];
  drawFrame(scene, x, y, width, height);
  let column = x + 1 + PADDING;
  for (const [i, lines] of columns.entries()) {
    const end = Math.min(x + width - 1, column + (widths[i] ?? 0));
    for (const [row, { title, key }] of lines.slice(0, height - 2).entries()) {
      if (title !== undefined) cells.text(column, y + 1 + row, title, theme.dim, end);
      if (key === undefined) continue;
      cells.text(column, y + 1 + row, key.keys, theme.strong, end);
      cells.text(column + KEYS_WIDTH, y + 1 + row, key.does, theme.plain, end);
    }
    column += (widths[i] ?? 0) + COLUMN_GAP;
  }
}

function drawFrame({ cells, theme }: Scene, x: number, y: number, width: number, height: number): void {
  const bar = "─".repeat(Math.max(0, width - 2));
  cells.text(x, y, `╭${bar}╮`, theme.dim);
  for (let row = y + 1; row < y + height - 1; row++) {
    cells.fill(x, row, width, 0x20, theme.plain);
    cells.text(x, row, "│", theme.dim);
    cells.text(x + width - 1, row, "│", theme.dim);
  }
  cells.text(x, y + height - 1, `╰${bar}╯`, theme.dim);
  cells.text(x + 2, y, " keys ", theme.strong, x + width - 1);
}
