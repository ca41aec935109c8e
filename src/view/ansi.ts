import { BOLD, type Cells, DEFAULT_COLOUR, DIM, INVERSE, UNDERLINE } from "./cells.ts";
import type { ColourDepth } from "./theme.ts";

/** A screen as text: one line a row, nothing at the ends of lines. */
export function toText(cells: Cells): string {
  let text = "";
  for (let y = 0; y < cells.height; y++) {
    let row = "";
    for (let x = 0; x < cells.width; x++) row += cells.character(y * cells.width + x);
    text += `${row.trimEnd()}\n`;
  }
  return text;
}

/** A screen as text with the control sequences (ECMA-48 SGR) for its colours and attributes. */
export function toAnsi(cells: Cells, depth: ColourDepth): string {
  let text = "";
  for (let y = 0; y < cells.height; y++) text += `${ansiRow(cells, y, depth)}\n`;
  return text;
}

function ansiRow(cells: Cells, y: number, depth: ColourDepth): string {
  let row = "";
  let last = "";
  const end = usedColumns(cells, y);
  for (let index = y * cells.width; index < y * cells.width + end; index++) {
    const style = styleSequence(cells, index, depth);
    if (style !== last) row += style === "" ? "\x1b[0m" : `\x1b[0;${style}m`;
    last = style;
    row += cells.character(index);
  }
  return last === "" ? row : `${row}\x1b[0m`;
}

/** Up to the last cell that shows something, be it a background. */
function usedColumns(cells: Cells, y: number): number {
  for (let x = cells.width; x > 0; x--) {
    const index = y * cells.width + x - 1;
    const isBlank = cells.characters[index] === 0x20 && cells.backgrounds[index] === DEFAULT_COLOUR;
    if (!isBlank || (cells.attributes[index] ?? 0) & (INVERSE | UNDERLINE)) return x;
  }
  return 0;
}

const ATTRIBUTES: readonly (readonly [bit: number, parameter: string])[] = [
  [BOLD, "1"],
  [DIM, "2"],
  [UNDERLINE, "4"],
  [INVERSE, "7"],
];

function styleSequence(cells: Cells, index: number, depth: ColourDepth): string {
  const attributes = cells.attributes[index] ?? 0;
  const parts =
    attributes === 0 ? [] : ATTRIBUTES.filter(([bit]) => attributes & bit).map(([, parameter]) => parameter);
  const foreground = colourParameter(cells.foregrounds[index] ?? DEFAULT_COLOUR, depth, 30);
  const background = colourParameter(cells.backgrounds[index] ?? DEFAULT_COLOUR, depth, 40);
  if (foreground !== "") parts.push(foreground);
  if (background !== "") parts.push(background);
  return parts.join(";");
}

/** `base` is 30 for the foreground, 40 for the background. */
function colourParameter(colour: number, depth: ColourDepth, base: 30 | 40): string {
  if (colour === DEFAULT_COLOUR || depth === "none") return "";
  if (depth === "truecolor") return `${base + 8};2;${colour >> 16};${(colour >> 8) & 255};${colour & 255}`;
  if (depth === "256") return `${base + 8};5;${nearest256(colour)}`;
  const index = nearest16(colour);
  return String(index < 8 ? base + index : base + 52 + index);
}

const CUBE = [0, 95, 135, 175, 215, 255] as const;
/** xterm's defaults. */
const SIXTEEN: readonly number[] = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00,
  0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];

/** xterm's 256: the 16, a cube of six steps a channel, 24 greys. The 16 are left out: people change those. */
const TWO_HUNDRED_FIFTY_SIX: readonly number[] = [
  ...CUBE.flatMap((red) => CUBE.flatMap((green) => CUBE.map((blue) => (red << 16) | (green << 8) | blue))),
  ...Array.from({ length: 24 }, (_, i) => (8 + 10 * i) * 0x010101),
];

function distance(one: number, other: number): number {
  const red = (one >> 16) - (other >> 16);
  const green = ((one >> 8) & 255) - ((other >> 8) & 255);
  const blue = (one & 255) - (other & 255);
  return 2 * red * red + 4 * green * green + 3 * blue * blue;
}

function nearestIn(palette: readonly number[], known: Map<number, number>, colour: number): number {
  const found = known.get(colour);
  if (found !== undefined) return found;
  let best = 0;
  for (let i = 1; i < palette.length; i++) {
    if (distance(colour, palette[i] ?? 0) < distance(colour, palette[best] ?? 0)) best = i;
  }
  known.set(colour, best);
  return best;
}

const known256 = new Map<number, number>();
const known16 = new Map<number, number>();

/** The number, of 256, of the colour that comes closest. */
export const nearest256 = (colour: number): number => 16 + nearestIn(TWO_HUNDRED_FIFTY_SIX, known256, colour);

/** The number, of 16, of the colour that comes closest. */
export const nearest16 = (colour: number): number => nearestIn(SIXTEEN, known16, colour);
