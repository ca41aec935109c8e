import { eachCluster, isPlainUnit, textWidth, truncate } from "./text.ts";

/** The terminal's own colour. Other colours are `0xRRGGBB`. */
export const DEFAULT_COLOUR = 0x1000000;

/** Bits as in the terminal library's text attributes, so that cells are handed over as they are. */
export const BOLD = 1;
export const DIM = 2;
export const UNDERLINE = 8;
export const INVERSE = 32;

export interface Style {
  readonly foreground: number;
  readonly background: number;
  readonly attributes: number;
}

export const PLAIN: Style = { foreground: DEFAULT_COLOUR, background: DEFAULT_COLOUR, attributes: 0 };

/** In `characters`: the right half of the wide character to the left. */
export const RIGHT_HALF = 0;
/** In `characters`, from here on: an index into `clusters`. */
const FIRST_CLUSTER = 0x110000;
const SPACE = 0x20;

export type Align = "left" | "right";

/**
 * A screen: for each cell a character, two colours and attributes. What is written outside is cut off. No cell ever
 * holds a control character, whatever text was written (see `text.ts`).
 */
export class Cells {
  readonly width: number;
  readonly height: number;
  /** Code points, {@link RIGHT_HALF}, or clusters: read those by {@link character}. */
  readonly characters: Uint32Array;
  readonly foregrounds: Uint32Array;
  readonly backgrounds: Uint32Array;
  readonly attributes: Uint8Array;
  #clusters: string[] = [];

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.characters = new Uint32Array(width * height);
    this.foregrounds = new Uint32Array(width * height);
    this.backgrounds = new Uint32Array(width * height);
    this.attributes = new Uint8Array(width * height);
    this.clear();
  }

  clear(): void {
    this.characters.fill(SPACE);
    this.foregrounds.fill(DEFAULT_COLOUR);
    this.backgrounds.fill(DEFAULT_COLOUR);
    this.attributes.fill(0);
    this.#clusters = [];
  }

  /** What stands in a cell; empty for the right half of a wide character. */
  character(index: number): string {
    const character = this.characters[index] ?? SPACE;
    if (character === RIGHT_HALF) return "";
    if (character >= FIRST_CLUSTER) return this.#clusters[character - FIRST_CLUSTER] ?? " ";
    return String.fromCodePoint(character);
  }

  /** Whether a cell's character takes more than one code point or one column. */
  isUnusual(index: number): boolean {
    return (
      (this.characters[index] ?? SPACE) >= FIRST_CLUSTER ||
      ((index + 1) % this.width !== 0 && this.characters[index + 1] === RIGHT_HALF)
    );
  }

  /** Writes a text, up to the column `end`; returns the column after it. */
  text(x: number, y: number, text: string, style: Style, end = this.width): number {
    if (y < 0 || y >= this.height) return x;
    const last = Math.min(end, this.width);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (!isPlainUnit(unit)) return this.#unusualText(x + i, y, text.slice(i), style, last);
      // A mark that follows belongs to this character.
      if (i + 1 < text.length && text.charCodeAt(i + 1) > 0x2ff && !isPlainUnit(text.charCodeAt(i + 1))) {
        return this.#unusualText(x + i, y, text.slice(i), style, last);
      }
      if (x + i >= last) return last;
      this.put(x + i, y, unit, style);
    }
    return x + text.length;
  }

  #unusualText(x: number, y: number, text: string, style: Style, end: number): number {
    let column = x;
    eachCluster(text, (cluster, width) => {
      if (column + width > end) return true;
      this.#putCluster(column, y, cluster, width, style);
      column += width;
      return false;
    });
    return column;
  }

  #putCluster(x: number, y: number, cluster: string, width: 1 | 2, style: Style): void {
    if (width === 2 && (x < 0 || x + 1 >= this.width)) {
      this.put(x, y, SPACE, style);
      this.put(x + 1, y, SPACE, style);
      return;
    }
    const code = cluster.codePointAt(0) ?? SPACE;
    const isSingle = cluster.length === (code > 0xffff ? 2 : 1);
    this.put(x, y, isSingle ? code : FIRST_CLUSTER + this.#clusters.length, style);
    if (!isSingle) this.#clusters.push(cluster);
    if (width === 2) {
      this.put(x + 1, y, SPACE, style);
      this.characters[y * this.width + x + 1] = RIGHT_HALF;
      this.characters[y * this.width + x] = isSingle ? code : FIRST_CLUSTER + this.#clusters.length - 1;
    }
  }

  /** Puts one code point that is known to be harmless and one column wide. */
  put(x: number, y: number, code: number, style: Style): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const index = y * this.width + x;
    if (this.characters[index] === RIGHT_HALF && x > 0) this.characters[index - 1] = SPACE;
    if (x + 1 < this.width && this.characters[index + 1] === RIGHT_HALF) this.characters[index + 1] = SPACE;
    this.characters[index] = code;
    this.foregrounds[index] = style.foreground;
    this.backgrounds[index] = style.background;
    this.attributes[index] = style.attributes;
  }

  /** Writes a text into a field of so many columns, with `…` where it does not fit. Returns the column after the field. */
  field(x: number, y: number, text: string, width: number, style: Style, align: Align = "left"): number {
    if (width <= 0) return x;
    const cut = truncate(text, width);
    const start = align === "left" ? x : x + width - Math.min(width, textWidth(cut));
    this.text(start, y, cut, style, x + width);
    return x + width;
  }

  fill(x: number, y: number, width: number, code: number, style: Style): void {
    for (let column = x; column < x + width; column++) this.put(column, y, code, style);
  }

  /** Lays a style's background and attributes over what is there; its foreground, too, unless that is the default. */
  highlight(x: number, y: number, width: number, style: Style): void {
    if (y < 0 || y >= this.height) return;
    for (let column = Math.max(0, x); column < Math.min(this.width, x + width); column++) {
      const index = y * this.width + column;
      this.backgrounds[index] = style.background;
      if (style.foreground !== DEFAULT_COLOUR) this.foregrounds[index] = style.foreground;
      this.attributes[index] = (this.attributes[index] ?? 0) | style.attributes;
    }
  }
}
