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

/** An eighth of a cell, in pixels: what shapes are counted in, so that most coordinates are whole. */
const EIGHTH_WIDTH = CELL_WIDTH / 8;
const EIGHTH_HEIGHT = CELL_HEIGHT / 8;

/** Rectangles of one colour each, in eighths of cells; those that continue the one before are one with it. */
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
    const paths = [...this.#rectangles].map(([colour, all]) => pathElement(colour, all));
    const place = `translate(${PADDING} ${PADDING})scale(${EIGHTH_WIDTH} ${EIGHTH_HEIGHT})`;
    return `<g shape-rendering="crispEdges" transform="${place}">\n${paths.join("")}</g>\n`;
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

const DOT_PITCH_X = CELL_WIDTH / 2;
const DOT_PITCH_Y = CELL_HEIGHT / 4;
/** How much of its pitch a dot takes. */
const DOT_SHARE = 0.65;
/** The bits of a braille character's dots: by row, left and right. */
const DOT_BITS: readonly (readonly number[])[] = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/** Dots of one colour beside each other are one dashed line, counted in dots. */
function dotLines(cells: Cells, ground: Colours): string {
  const paths = new Map<number, string[]>();
  for (let row = 0; row < cells.height * DOT_BITS.length; row++) {
    let [begin, count, colour] = [0, 0, 0];
    const end = () => {
      if (count === 0) return;
      paths.set(colour, [...(paths.get(colour) ?? []), `M${begin} ${row}h${count}`]);
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
  const margin = ((1 - DOT_SHARE) / 2) * DOT_PITCH_X;
  const place = `translate(${PADDING + margin} ${PADDING + DOT_PITCH_Y / 2})scale(${DOT_PITCH_X} ${DOT_PITCH_Y})`;
  const dashes = `stroke-width="${DOT_SHARE}" stroke-dasharray="${DOT_SHARE} ${1 - DOT_SHARE}"`;
  const lines = [...paths].map(([colour, all]) => `<path stroke="${hex(colour)}" d="${all.join("")}"/>\n`);
  return `<g transform="${place}" ${dashes}>\n${lines.join("")}</g>\n`;
}

const isBraille = (code: number): boolean => code >= 0x2800 && code <= 0x28ff;

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

interface Run {
  readonly x: number;
  readonly y: number;
  text: string;
  columns: number;
}

/** Text cells beside each other that look the same; two blanks part runs, so that little is stretched. */
class Runs {
  readonly #byStyle = new Map<string, Run[]>();

  add(x: number, y: number, text: string, columns: number, colour: number, isBold: boolean): void {
    const style = `fill="${hex(colour)}"${isBold ? ' font-weight="bold"' : ""}`;
    const runs = this.#byStyle.get(style) ?? [];
    this.#byStyle.set(style, runs);
    const last = runs.at(-1);
    const blanks = last?.y === y ? x - (last.x + last.columns) : Number.NaN;
    if (last !== undefined && blanks <= 1) {
      last.text += " ".repeat(blanks) + text;
      last.columns += blanks + columns;
    } else runs.push({ x, y, text, columns });
  }

  toString(): string {
    return [...this.#byStyle].map(([style, runs]) => `<g ${style}>\n${runs.map(textElement).join("")}</g>\n`).join("");
  }
}

function textElement({ x, y, text, columns }: Run): string {
  const place = `x="${PADDING + x * CELL_WIDTH}" y="${PADDING + y * CELL_HEIGHT + BASELINE}"`;
  return `<text ${place} textLength="${columns * CELL_WIDTH}">${escaped(text)}</text>\n`;
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
  const [x, y] = [column * 8, row * 8];
  if (background !== ground.background) shapes.add(background, x, y, 8, 8);
  const code = cells.characters[index] ?? 0x20;
  if (code === 0x20 || code === RIGHT_HALF || isBraille(code)) return;
  const boxes = boxesOf(code);
  for (const [left, top, width, height] of boxes ?? []) {
    shapes.add(foreground, x + left * 8, y + top * 8, width * 8, height * 8);
  }
  const isBold = ((cells.attributes[index] ?? 0) & BOLD) !== 0;
  const columns = cells.characters[index + 1] === RIGHT_HALF ? 2 : 1;
  if (boxes === null) runs.add(column, row, cells.character(index), columns, foreground, isBold);
}
