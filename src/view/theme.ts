import { BOLD, DEFAULT_COLOUR, DIM, INVERSE, PLAIN, type Style, UNDERLINE } from "./cells.ts";

/** How many colours a terminal shows. */
export type ColourDepth = "none" | "16" | "256" | "truecolor";
export type Background = "dark" | "light";

/** What a colour is for. Nothing is said by colour alone: without colours the same screens are complete. */
export interface Theme {
  readonly depth: ColourDepth;
  readonly background: Background;
  readonly plain: Style;
  /** Names and totals. */
  readonly strong: Style;
  /** Labels, units, the unknown. */
  readonly dim: Style;
  /** Rules and the empty part of bars. */
  readonly faint: Style;
  readonly warning: Style;
  readonly critical: Style;
  /** What is marked, open or sorted by. */
  readonly selected: Style;
  readonly accent: Style;
  readonly liveChip: Style;
  readonly frozenChip: Style;
  readonly replayChip: Style;
  /** How busy something is, 0 to 1: cool to warm, for being busy is no trouble. */
  load(share: number): Style;
  /** How close something is to its limit, 0 to 1: cool to warm to red. */
  heat(share: number): Style;
}

interface Palette {
  /** Cool, over warm, to red. */
  readonly scale: readonly number[];
  readonly dim: number;
  readonly faint: number;
  readonly warning: number;
  readonly critical: number;
  readonly accent: number;
  readonly selectedBackground: number;
  readonly onChip: number;
  readonly live: number;
  readonly frozen: number;
  readonly replay: number;
}

const DARK: Palette = {
  scale: [0x4676a8, 0x4293a8, 0x4ba58d, 0x8fa75c, 0xc9a54b, 0xe08c3b, 0xe8503f],
  dim: 0x8b95a1,
  faint: 0x464e58,
  warning: 0xe8a33d,
  critical: 0xff5f52,
  accent: 0x6cb6ff,
  selectedBackground: 0x2b3a4d,
  onChip: 0x11151a,
  live: 0x57ab5a,
  frozen: 0x6cb6ff,
  replay: 0xdcb450,
};

const LIGHT: Palette = {
  scale: [0x2a63a0, 0x1f7a94, 0x1c7d62, 0x5f7612, 0x8f6a00, 0xb35200, 0xc0241c],
  dim: 0x5d6773,
  faint: 0xb9c1ca,
  warning: 0xa35a00,
  critical: 0xc0241c,
  accent: 0x0a5cc0,
  selectedBackground: 0xd3e4fa,
  onChip: 0xffffff,
  live: 0x1a7f37,
  frozen: 0x0a5cc0,
  replay: 0x8f5a00,
};

const STEPS = 32;
/** Where a full load stands on the scale: warm, short of red. */
const FULL_LOAD = 0.72;

const channel = (from: number, to: number, share: number, shift: number): number =>
  Math.round(((from >> shift) & 255) * (1 - share) + ((to >> shift) & 255) * share) << shift;

function between(scale: readonly number[], share: number): number {
  const place = Math.min(1, Math.max(0, share)) * (scale.length - 1);
  const index = Math.min(scale.length - 2, Math.floor(place));
  const from = scale[index] ?? 0;
  const to = scale[index + 1] ?? from;
  const rest = place - index;
  return channel(from, to, rest, 16) | channel(from, to, rest, 8) | channel(from, to, rest, 0);
}

const ink = (foreground: number, attributes = 0): Style => ({ ...PLAIN, foreground, attributes });

/** A share of what is unknown, or of nothing, is not a number: it stands at the cool end. */
const stepOf = (share: number): number => (share > 0 ? Math.min(STEPS, Math.round(share * STEPS)) : 0);

function coloured(depth: ColourDepth, background: Background): Theme {
  const palette = background === "dark" ? DARK : LIGHT;
  const steps = Array.from({ length: STEPS + 1 }, (_, i) => ink(between(palette.scale, i / STEPS)));
  const chip = (colour: number): Style => ({ foreground: palette.onChip, background: colour, attributes: BOLD });
  return {
    depth,
    background,
    plain: PLAIN,
    strong: ink(DEFAULT_COLOUR, BOLD),
    dim: ink(palette.dim),
    faint: ink(palette.faint),
    warning: ink(palette.warning),
    critical: ink(palette.critical, BOLD),
    accent: ink(palette.accent),
    selected: { foreground: DEFAULT_COLOUR, background: palette.selectedBackground, attributes: BOLD },
    liveChip: chip(palette.live),
    frozenChip: chip(palette.frozen),
    replayChip: chip(palette.replay),
    load: (share) => steps[stepOf(share * FULL_LOAD)] ?? PLAIN,
    heat: (share) => steps[stepOf(share)] ?? PLAIN,
  };
}

function colourless(background: Background): Theme {
  const dim = { ...PLAIN, attributes: DIM };
  const bold = { ...PLAIN, attributes: BOLD };
  const inverse = { ...PLAIN, attributes: INVERSE };
  return {
    depth: "none",
    background,
    plain: PLAIN,
    strong: bold,
    dim,
    faint: dim,
    warning: bold,
    critical: { ...PLAIN, attributes: BOLD | UNDERLINE },
    accent: bold,
    selected: inverse,
    liveChip: inverse,
    frozenChip: inverse,
    replayChip: inverse,
    load: () => PLAIN,
    heat: () => PLAIN,
  };
}

export const makeTheme = (depth: ColourDepth, background: Background): Theme =>
  depth === "none" ? colourless(background) : coloured(depth, background);

type Environment = Readonly<Record<string, string | undefined>>;

/** What the terminal shows, by the conventions of `NO_COLOR` (no-color.org), `COLORTERM` and `TERM`. */
export function colourDepth({ NO_COLOR, COLORTERM, TERM = "" }: Environment): ColourDepth {
  if (NO_COLOR !== undefined && NO_COLOR !== "") return "none";
  if (TERM === "dumb") return "none";
  if (/^(truecolor|24bit)$/i.test(COLORTERM ?? "") || /-direct$/.test(TERM)) return "truecolor";
  return /256color/.test(TERM) ? "256" : "16";
}

/** By `COLORFGBG` (`15;0`: the colours' numbers, the background's last), which several terminals set; else dark. */
export function backgroundOf({ COLORFGBG }: Environment): Background {
  const last = COLORFGBG?.split(";").at(-1) ?? "";
  return /^(7|9|1[0-5])$/.test(last) ? "light" : "dark";
}
