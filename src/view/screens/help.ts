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
    key("+ -", "faster, slower"),
    key("k j", "10 s on, back"),
    key("} {", "a minute on, back"),
    key("n N", "next, previous event"),
    key("g", "go to 14:32, -5m, 50%"),
    key("0 … 9", "to that tenth"),
    key("Home End", "first, last frame"),
    key("L", "loop"),
    key("Esc", "give up a long seek"),
  ],
};

const LIVE: Section = {
  title: "Live",
  keys: [key("space", "freeze, go on"), key("] [", "a frame on, back"), key("End", "back to now")],
};

const HOSTS: Section = {
  title: "Hosts",
  keys: [
    key("Tab ⇧Tab", "next, previous host"),
    key("arrows", "mark one"),
    key("Enter", "open it"),
    key("Esc", "back to all"),
    key("o", "next order"),
  ],
};

const TABLES: Section = {
  title: "Tables",
  keys: [
    key("/", "filter; #3 is GPU 3"),
    key("c m", "by CPU, by memory"),
    key("G", "by GPU memory"),
    key("p", "by process id"),
    key("u", "by utilization"),
    key("d", "usual order"),
    key("f", "GPU processes only"),
    key("↑ ↓ PgDn", "scroll"),
  ],
};

const ALWAYS: Section = {
  title: "Everywhere",
  keys: [key("z", "yours, its, UTC zone"), key("? h", "this help"), key("q", "quit")],
};

const KEYS_WIDTH = 10;
const COLUMN_GAP = 3;
const PADDING = 2;

interface Line {
  readonly title?: string;
  readonly key?: Key;
}

const linesOf = (sections: readonly Section[]): Line[] =>
  sections.flatMap(({ title, keys }, i) => [...(i > 0 ? [{}] : []), { title }, ...keys.map((key) => ({ key }))]);

const widthOf = (lines: readonly Line[]): number =>
  lines.reduce((most, { key }) => Math.max(most, key === undefined ? 0 : KEYS_WIDTH + textWidth(key.does)), 0);

/** The keys of the screen one is on, over it: in as many columns as it takes to have room for all of them. */
export function drawHelp(scene: Scene, y: number, height: number, hasHosts: boolean): void {
  const moving = scene.input.status.kind === "replay" ? REPLAY : LIVE;
  const sections = [moving, ...(hasHosts ? [HOSTS] : []), TABLES, ALWAYS];
  drawBox(scene, y, height, inColumns(sections, height - 2));
}

/** Sections stay whole; a column is begun where the next one would not fit. */
function inColumns(sections: readonly Section[], height: number): Line[][] {
  const columns: Section[][] = [];
  for (const section of sections) {
    const last = columns.at(-1);
    if (last !== undefined && linesOf([...last, section]).length <= height) last.push(section);
    else columns.push([section]);
  }
  return columns.map(linesOf);
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
