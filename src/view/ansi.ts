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

const known256 = new Map<number, number>();

/** The number, of 256, of the colour that comes closest. */
export function nearest256(colour: number): number {
  const found = known256.get(colour);
  if (found !== undefined) return found;
  let best = 0;
  for (const [i, candidate] of TWO_HUNDRED_FIFTY_SIX.entries()) {
    if (distance(colour, candidate) < distance(colour, TWO_HUNDRED_FIFTY_SIX[best] ?? 0)) best = i;
  }
  known256.set(colour, best + 16);
  return best + 16;
}

/** Channels this close to each other make a grey. */
const GREY_CHROMA = 40;
const BRIGHT = 0xa8;
/** Up to which level a grey is black, dark grey, light grey; above, white. */
const GREYS = [
  [0x20, 0],
  [0xa0, 8],
  [0xf0, 7],
] as const;

/**
 * The number, of 16, that stands for a colour. Terminals show them differently and people change them, so it goes by
 * hue, not by distance: a red stays red.
 */
export function nearest16(colour: number): number {
  const channels = [colour >> 16, (colour >> 8) & 255, colour & 255];
  const [highest, lowest] = [Math.max(...channels), Math.min(...channels)];
  if (highest - lowest < GREY_CHROMA) return GREYS.find(([level]) => highest < level)?.[1] ?? 15;
  const middle = (highest + lowest) / 2;
  const hue = channels.reduce((bits, channel, i) => (channel > middle ? bits | (1 << i) : bits), 0);
  return highest >= BRIGHT ? hue + 8 : hue;
}
