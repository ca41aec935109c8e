/**
 * Text of a frame on a screen. Names, commands and errors come from files and other machines: nothing in them may reach
 * the terminal as a control, turn the reading direction, or take another width than was counted.
 *
 * Terminals agree over the width of a character and its combining marks, and over little else. So a cluster is cut down
 * to that: joined emoji show as the first of them, flags as their letters.
 */

/** More marks on one character are a weapon, not a script. */
const MAX_MARKS = 4;
/** No screen shows more of a text; what is hidden behind so many code units of nothing stays hidden. */
const MAX_CODE_UNITS = 4096;

const REPLACEMENT = "\ufffd";
const ELLIPSIS = "…";

const BASE = /[\p{L}\p{N}\p{P}\p{S}\p{Zs}\p{Co}]/u;
const MARK = /\p{M}/u;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;
const EMOJI = /\p{Extended_Pictographic}/u;
const EMOJI_MODIFIER = /\p{Emoji_Modifier}/u;
const ATTACHES = /\u200c|\u200d|\p{Variation_Selector}/u;
const JOINER = "\u200d";
const SOFT_HYPHEN = 0xad;
const EN_DASH = 0x2013;
const FIRST_REGIONAL = 0x1f1e6;
const LAST_REGIONAL = 0x1f1ff;

/** Takes a character with its marks and its width in columns; true: enough. */
export type TakeCluster = (cluster: string, width: 1 | 2) => boolean;

/** A code unit that is one column wide by itself, and safe: no lookup needed. */
export const isPlainUnit = (unit: number): boolean =>
  (unit >= 0x20 && unit <= 0x7e) ||
  (unit >= 0xa1 && unit <= 0xff && unit !== SOFT_HYPHEN) ||
  (unit >= 0x2500 && unit <= 0x259f) ||
  (unit >= 0x2800 && unit <= 0x28ff) ||
  unit === EN_DASH;

/** The visible stand-in of what a terminal would act on; `null` where the character may stand for itself. */
function standIn(character: string, code: number): string | null {
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "␡";
  if (code === 0x2028 || code === 0x2029) return "␤";
  if (code >= FIRST_REGIONAL && code <= LAST_REGIONAL) return String.fromCharCode(code - FIRST_REGIONAL + 65);
  const isVisible = BASE.test(character) && !INVISIBLE.test(character) && Bun.stringWidth(character) > 0;
  return isVisible ? null : REPLACEMENT;
}

const widthOf = (cluster: string): 1 | 2 => (Bun.stringWidth(cluster) === 2 ? 2 : 1);

class Clusters {
  readonly #take: TakeCluster;
  #base = "";
  #text = "";
  #marks = 0;
  #isJoined = false;

  constructor(take: TakeCluster) {
    this.#take = take;
  }

  /** True: enough. */
  add(character: string, code: number): boolean {
    if (code < 0x7f && code >= 0x20) return this.#begin(character);
    if (this.#base !== "" && this.#belongs(character)) return false;
    return this.#begin(standIn(character, code) ?? character);
  }

  #belongs(character: string): boolean {
    if (ATTACHES.test(character)) {
      this.#isJoined = character === JOINER;
      return true;
    }
    if (MARK.test(character) && !INVISIBLE.test(character)) {
      const isShown = this.#marks++ < MAX_MARKS && Bun.stringWidth(this.#text + character) <= 2;
      if (isShown) this.#text += character;
      return true;
    }
    if (!EMOJI.test(this.#base)) return false;
    return EMOJI_MODIFIER.test(character) || (this.#isJoined && EMOJI.test(character));
  }

  #begin(character: string): boolean {
    const isEnough = this.end();
    this.#base = character;
    this.#text = character;
    this.#marks = 0;
    this.#isJoined = false;
    return isEnough;
  }

  end(): boolean {
    return this.#base !== "" && this.#take(this.#text, widthOf(this.#text));
  }
}

/** Goes through a text as a terminal may show it. */
export function eachCluster(text: string, take: TakeCluster): void {
  const clusters = new Clusters(take);
  for (const character of text.slice(0, MAX_CODE_UNITS).normalize("NFC")) {
    if (clusters.add(character, character.codePointAt(0) ?? 0)) return;
  }
  clusters.end();
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isPlainUnit(text.charCodeAt(i))) return false;
  return true;
}

/** Columns that a text takes on the screen. */
export function textWidth(text: string): number {
  if (isPlain(text)) return text.length;
  let columns = 0;
  eachCluster(text, (_, width) => {
    columns += width;
    return false;
  });
  return columns;
}

/** At most so many columns of a text, the last of them `…` where something is missing. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return "";
  if (textWidth(text) <= width) return text;
  let kept = "";
  let columns = 0;
  eachCluster(text, (cluster, clusterWidth) => {
    if (columns + clusterWidth > width - 1) return true;
    kept += cluster;
    columns += clusterWidth;
    return false;
  });
  return kept + ELLIPSIS;
}
