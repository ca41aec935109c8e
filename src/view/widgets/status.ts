import type { Style } from "../cells.ts";
import { percent, speed, timecode } from "../format.ts";
import type { Entry, ReplayStatus } from "../model.ts";
import { MARGIN, type Scene } from "../screens/scene.ts";
import { textWidth } from "../text.ts";
import { drawBar } from "./bar.ts";

const PROGRESS_WIDTH = 20;
/** An entry line with less room than this takes the chip's, too. */
const NARROWEST_ENTRY = 30;

/** Where the first reading was a little late the others come early: what is at 1.999 is of second 2. */
const MOST_EARLY_MS = 50;

const second = (place_ms: number): string => timecode(place_ms + MOST_EARLY_MS);

/** `REPLAY | 00:12:34 / 01:00:00 | 2.0x | paused` */
function replayChip({ input }: Scene, { state, speed: factor, isLoop }: ReplayStatus): string {
  const { first_place_ms: first, last_place_ms: last } = input.timeline.range;
  const place = second((input.position?.place_ms ?? first) - first);
  return `REPLAY | ${place} / ${second(last - first)} | ${speed(factor)} | ${state}${isLoop ? " | loop" : ""}`;
}

/** `LIVE | 14:32:05`, `FROZEN | 14:32:05 | 00:00:12 ago` */
function liveChip({ input, zone }: Scene, isFrozen: boolean): string {
  const { position, timeline } = input;
  const time = position === null ? "--:--:--" : zone.time(position.frame.t_ms);
  if (!isFrozen) return `LIVE | ${time}`;
  const age_ms = position === null ? 0 : timeline.range.last_place_ms - position.place_ms;
  return `FROZEN | ${time} | ${timecode(age_ms)} ago`;
}

function chipOf(scene: Scene): readonly [text: string, style: Style] {
  const { input, theme } = scene;
  if (input.status.kind === "replay") return [replayChip(scene, input.status), theme.replayChip];
  const { isFrozen } = input.status;
  return [liveChip(scene, isFrozen), isFrozen ? theme.frozenChip : theme.liveChip];
}

const REPLAY_SPACE = { playing: "space pause", paused: "space play", end: "space again" } as const;
const REPLAY_HINTS = ["[ ] step", "j k ∓10 s", "n N event", "g go to", "+ - speed", "L loop"] as const;
const TABLE_HINTS = ["/ filter", "c m G sort", "f GPU only"] as const;
const OVERVIEW_HINTS = ["Enter open", "o order", "/ filter"] as const;
const LAST_HINTS = ["? help", "q quit"] as const;

/** What keys do here and now, the most useful first. */
function hintsOf({ input: { status }, hits }: Scene): string[] {
  const here = hits.hosts.length > 0 ? OVERVIEW_HINTS : TABLE_HINTS;
  const hosts = hits.hostOrder.length > 1 ? ["Tab host"] : [];
  if (status.kind === "replay") return [REPLAY_SPACE[status.state], ...REPLAY_HINTS, ...here, ...hosts, "z zone"];
  const space = status.isFrozen ? "space go on" : "space freeze";
  return [space, "[ ] step", ...here, ...hosts, "z zone"];
}

/** The bottom line: the chip, whole whatever is said, and beside it what is typed, or what takes its time, or a note, or the keys. */
export function drawStatus(scene: Scene, y: number): void {
  const { cells, input, theme } = scene;
  const [chip, style] = chipOf(scene);
  const { entry } = input.choices;
  const { note, progress } = input.status;
  const hidesChip = entry !== null && cells.width - chip.length < NARROWEST_ENTRY + 4;
  const x = hidesChip ? MARGIN : cells.text(0, y, ` ${chip} `, style) + 2;
  if (entry !== null) drawEntry(scene, x, y, entry);
  else if (progress !== null) drawProgress(scene, x, y, progress, note ?? "reading");
  else if (note !== null) cells.field(x, y, note, cells.width - x - MARGIN, theme.warning);
  else drawHints(scene, x, y);
}

/** As many as fit, help before all others. */
function drawHints(scene: Scene, x: number, y: number): void {
  const { cells, theme } = scene;
  const hints = hintsOf(scene);
  const end = cells.width - MARGIN;
  let shown: readonly string[] = [];
  for (let count = 1; count <= hints.length + LAST_HINTS.length; count++) {
    const more = [...hints.slice(0, Math.max(0, count - LAST_HINTS.length)), ...LAST_HINTS.slice(0, count)];
    if (x + textWidth(more.join("  ")) > end) break;
    shown = more;
  }
  const text = shown.join("  ");
  cells.text(end - textWidth(text), y, text, theme.dim);
}

function drawProgress({ cells, theme }: Scene, x: number, y: number, progress: number, what: string): void {
  const width = Math.min(PROGRESS_WIDTH, Math.max(0, cells.width - x - 30));
  drawBar(cells, x, y, width, progress, () => theme.accent, theme);
  const next = cells.field(x + width + 1, y, percent(progress * 100), 4, theme.strong, "right") + 1;
  const words = cells.text(next, y, what, theme.dim, cells.width - 13);
  cells.text(words + 2, y, "Esc cancels", theme.dim);
}

const ENTRY_LABELS: Readonly<Record<Entry["kind"], string>> = { filter: "filter", goto: "go to" };

/** The end of what was typed always shows, with the cursor behind it. */
function drawEntry({ cells, theme }: Scene, x: number, y: number, { kind, text, problem }: Entry): void {
  const label = ENTRY_LABELS[kind];
  const begin = cells.text(x, y, `${label} `, theme.dim);
  const room = Math.max(8, Math.floor((cells.width - begin) / (problem === null ? 1 : 2)) - 2);
  const tail = textWidth(text) <= room ? text : text.slice(-room);
  const end = cells.text(begin, y, tail, theme.strong, begin + room);
  cells.put(end, y, 0x20, { ...theme.selected, attributes: 32 });
  if (problem !== null) cells.field(end + 2, y, problem, cells.width - end - 2 - MARGIN, theme.warning);
  else {
    const hint = kind === "goto" && text === "" ? "@14:31, 00:30, -5m, 50%" : "Enter  Esc";
    cells.field(end + 2, y, hint, cells.width - end - 2 - MARGIN, theme.dim);
  }
}
