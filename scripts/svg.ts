import { BOLD, type Cells, DEFAULT_COLOUR, DIM, INVERSE, RIGHT_HALF } from "../src/view/cells.ts";
import type { Background } from "../src/view/theme.ts";

/**
 * A screen as an SVG picture that looks the same everywhere: blocks, lines and braille are shapes, and the text of a run
 * is stretched to its cells, whatever font there is.
 */

const CELL_WIDTH = 8;
const CELL_HEIGHT = 17;
const BASELINE = 13;
const FONT_SIZE = 13.3;
const PADDING = 10;
const FONTS = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace";

const GROUNDS: Readonly<Record<Background, { readonly foreground: number; readonly background: number }>> = {
  dark: { foreground: 0xd5dbe2, background: 0x11151a },
  light: { foreground: 0x1f2328, background: 0xffffff },
};

const hex = (colour: number): string => `#${colour.toString(16).padStart(6, "0")}`;

/** Of 100, how much of the foreground is left of something dim. */
const DIM_PERCENT = 60;

function mix(foreground: number, background: number): number {
  const channel = (shift: number) =>
    Math.round(
      (((foreground >> shift) & 255) * DIM_PERCENT + ((background >> shift) & 255) * (100 - DIM_PERCENT)) / 100,
    ) << shift;
  return channel(16) | channel(8) | channel(0);
}

interface Colours {
  readonly foreground: number;
  readonly background: number;
}

function coloursOf(cells: Cells, index: number, ground: Colours): Colours {
  const own = (colour: number | undefined, usual: number) =>
    colour === undefined || colour === DEFAULT_COLOUR ? usual : colour;
  const attributes = cells.attributes[index] ?? 0;
  const background = own(cells.backgrounds[index], ground.background);
  const ink = own(cells.foregrounds[index], ground.foreground);
  const foreground = attributes & DIM ? mix(ink, background) : ink;
  return attributes & INVERSE ? { foreground: background, background: foreground } : { foreground, background };
}

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly height: number;
  width: number;
}

/** Rectangles of one colour each; those that continue the one before are one with it. */
class Shapes {
  readonly #rectangles = new Map<number, Rectangle[]>();

  add(colour: number, x: number, y: number, width: number, height: number): void {
    const all = this.#rectangles.get(colour) ?? [];
    this.#rectangles.set(colour, all);
    const last = all.at(-1);
    if (last?.y === y && last.height === height && last.x + last.width === x) last.width += width;
    else all.push({ x, y, width, height });
  }

  toString(): string {
    return [...this.#rectangles].map(([colour, all]) => pathElement(colour, all)).join("");
  }
}

function pathElement(colour: number, rectangles: readonly Rectangle[]): string {
  const path = rectangles.map(({ x, y, width, height }) => {
    const [across, down] = [round(width), round(height)];
    return `M${round(x)} ${round(y)}h${across}v${down}h-${across}z`;
  });
  return `<path fill="${hex(colour)}" d="${path.join("")}"/>\n`;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** A rectangle in a cell, in shares of its width and height. */
type Box = readonly [x: number, y: number, width: number, height: number];

const EIGHTH = 1 / 8;
const MIDDLE = 0.5;
const THIN = 0.06;

/** The shapes of a block or box-drawing character; `null`: it is drawn as text. */
function boxesOf(code: number): readonly Box[] | null {
  if (code >= 0x2581 && code <= 0x2588) return [[0, 1 - (code - 0x2580) * EIGHTH, 1, (code - 0x2580) * EIGHTH]];
  if (code >= 0x2589 && code <= 0x258f) return [[0, 0, (0x2590 - code) * EIGHTH, 1]];
  if (code === 0x2500) return [[0, MIDDLE - THIN / 2, 1, THIN]];
  if (code === 0x2502) return [[MIDDLE - THIN, 0, 2 * THIN, 1]];
  if (code === 0x2503) return [[MIDDLE - 2 * THIN, 0, 4 * THIN, 1]];
  if (code === 0x254c) return [0.05, 0.55].map((x): Box => [x, MIDDLE - THIN / 2, 0.3, THIN]);
  return null;
}

const DOT_WIDTH = 2.6;
const DOT_HEIGHT = 2.7;
const DOT_PITCH_X = CELL_WIDTH / 2;
const DOT_PITCH_Y = CELL_HEIGHT / 4;
/** The bits of a braille character's dots: by row, left and right. */
const DOT_BITS: readonly (readonly number[])[] = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/** Dots of one colour beside each other are one dashed line. */
function dotLines(cells: Cells, ground: Colours): string {
  const paths = new Map<number, string[]>();
  for (let row = 0; row < cells.height * DOT_BITS.length; row++) {
    let [begin, count, colour] = [0, 0, 0];
    const end = () => {
      if (count === 0) return;
      const y = PADDING + (row + 0.5) * DOT_PITCH_Y;
      const path = `M${round(PADDING + begin * DOT_PITCH_X + 0.7)} ${round(y)}h${round((count - 1) * DOT_PITCH_X + DOT_WIDTH)}`;
      paths.set(colour, [...(paths.get(colour) ?? []), path]);
      count = 0;
    };
    for (let column = 0; column < cells.width * 2; column++) {
      const index = Math.floor(row / DOT_BITS.length) * cells.width + (column >> 1);
      const bits = (cells.characters[index] ?? 0) - 0x2800;
      const isLit = bits > 0 && bits < 0x100 && (bits & (DOT_BITS[row % DOT_BITS.length]?.[column % 2] ?? 0)) !== 0;
      const { foreground } = coloursOf(cells, index, ground);
      if (count > 0 && (!isLit || foreground !== colour)) end();
      if (!isLit) continue;
      if (count === 0) [begin, colour] = [column, foreground];
      count++;
    }
    end();
  }
  const dashes = `stroke-width="${DOT_HEIGHT}" stroke-dasharray="${DOT_WIDTH} ${round(DOT_PITCH_X - DOT_WIDTH)}"`;
  return [...paths].map(([colour, all]) => `<path stroke="${hex(colour)}" ${dashes} d="${all.join("")}"/>\n`).join("");
}

const isBraille = (code: number): boolean => code >= 0x2800 && code <= 0x28ff;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

interface Run {
  readonly x: number;
  readonly y: number;
  readonly colour: number;
  readonly isBold: boolean;
  text: string;
  columns: number;
}

/** Text cells beside each other that look the same; two blanks part runs, so that little is stretched. */
class Runs {
  readonly #done: Run[] = [];
  #open: Run | null = null;

  add(x: number, y: number, text: string, colour: number, isBold: boolean): void {
    const open = this.#open;
    const continues = open?.y === y && open.x + open.columns === x && open.colour === colour && open.isBold === isBold;
    if (open !== null && continues) {
      open.text += text;
      open.columns++;
      return;
    }
    this.#open = { x, y, colour, isBold, text, columns: 1 };
    this.#done.push(this.#open);
  }

  toString(): string {
    return this.#done.map(textElement).join("");
  }
}

function textElement({ x, y, colour, isBold, text, columns }: Run): string {
  const place = `x="${PADDING + x * CELL_WIDTH}" y="${PADDING + y * CELL_HEIGHT + BASELINE}"`;
  const weight = isBold ? ' font-weight="bold"' : "";
  return `<text ${place} fill="${hex(colour)}"${weight} textLength="${columns * CELL_WIDTH}">${escaped(text)}</text>\n`;
}

/** Draws cells, with a margin, on the colours a terminal would have. */
export function toSvg(cells: Cells, background: Background): string {
  const ground = GROUNDS[background];
  const shapes = new Shapes();
  const runs = new Runs();
  for (let index = 0; index < cells.characters.length; index++) drawCell(cells, index, ground, shapes, runs);
  const width = cells.width * CELL_WIDTH + 2 * PADDING;
  const height = cells.height * CELL_HEIGHT + 2 * PADDING;
  const font = `font-family="${FONTS}" font-size="${FONT_SIZE}" xml:space="preserve"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${font}>
<rect width="100%" height="100%" rx="6" fill="${hex(ground.background)}"/>
${shapes}${dotLines(cells, ground)}${runs}</svg>
`;
}

function drawCell(cells: Cells, index: number, ground: Colours, shapes: Shapes, runs: Runs): void {
  const [column, row] = [index % cells.width, Math.floor(index / cells.width)];
  const { foreground, background } = coloursOf(cells, index, ground);
  const [x, y] = [PADDING + column * CELL_WIDTH, PADDING + row * CELL_HEIGHT];
  if (background !== ground.background) shapes.add(background, x, y, CELL_WIDTH, CELL_HEIGHT);
  const code = cells.characters[index] ?? 0x20;
  if (code === 0x20 || code === RIGHT_HALF || isBraille(code)) return;
  const boxes = boxesOf(code);
  for (const [left, top, width, height] of boxes ?? []) {
    shapes.add(foreground, x + left * CELL_WIDTH, y + top * CELL_HEIGHT, width * CELL_WIDTH, height * CELL_HEIGHT);
  }
  const isBold = ((cells.attributes[index] ?? 0) & BOLD) !== 0;
  if (boxes === null) runs.add(column, row, cells.character(index), foreground, isBold);
}
