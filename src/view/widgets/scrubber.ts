import type { DetectedEvent } from "../../events/event.ts";
import type { Severity } from "../../frame/severity.ts";
import type { CursorRange, EnvelopeColumn } from "../../recording/cursor.ts";
import { percent } from "../format.ts";
import { columnOf, type Region } from "../hits.ts";
import { MARGIN, type Scene } from "../screens/scene.ts";
import { drawGraph } from "./graph.ts";

const LINE = 0x2500;
const GAP = 0x254c;
const PLAYHEAD = 0x2503;
const EVENT = 0x25b2;
const CRITICAL = "X".charCodeAt(0);

const DAY_MS = 86_400_000;

/**
 * The whole timeline. `height - 1` rows are an envelope of GPU utilization: full up to the lowest, at half tone from there to
 * the highest, so that it shows when one GPU drops. Below it a line with the playhead ┃, events ▲, critical ones X, and where
 * nothing was recorded ╌.
 */
export function drawScrubber(scene: Scene, y: number, height: number): void {
  const { cells, theme, input, zone, hits } = scene;
  const { range } = input.timeline;
  const write = range.last_t_ms - range.first_t_ms < DAY_MS ? zone.time : zone.day;
  const [first, last] = [write(range.first_t_ms), write(range.last_t_ms)];
  const x = MARGIN + first.length + 1;
  const width = cells.width - MARGIN - last.length - 1 - x;
  const lineY = y + height - 1;
  cells.text(MARGIN, lineY, first, theme.dim);
  cells.text(x + width + 1, lineY, last, theme.dim);
  if (width < 2) return;
  const region = { x, y, width, height };
  hits.scrubber = region;
  const envelope = input.timeline.envelope(width);
  drawEnvelope(scene, { ...region, height: height - 1 }, envelope);
  drawLine(scene, { ...region, y: lineY }, envelope);
  if (range.scanned < 1) cells.field(MARGIN, y, `read ${percent(range.scanned * 100)}`, first.length, theme.dim);
}

/** Half tone: of the two columns of dots in a cell only the left one is lit. */
function drawEnvelope({ cells, theme }: Scene, region: Region, envelope: readonly (EnvelopeColumn | null)[]): void {
  const heightAt = (fromRight: number) => {
    const column = envelope[envelope.length - 1 - (fromRight >> 1)];
    if (!column) return null;
    return (fromRight % 2 === 1 ? column.highest : column.lowest) / 100;
  };
  drawGraph(cells, region, heightAt, theme.load);
}

function drawLine(scene: Scene, { x, y, width }: Region, envelope: readonly (EnvelopeColumn | null)[]): void {
  const { cells, theme, input } = scene;
  const { range, events } = input.timeline;
  const playhead = input.position === null ? -1 : columnOf(input.position.place_ms, width, range);
  for (let column = 0; column < width; column++) {
    cells.put(x + column, y, envelope[column] ? LINE : GAP, column <= playhead ? theme.dim : theme.faint);
  }
  for (const [column, mark] of marksOf(events, width, range).entries()) {
    const style = MARK_STYLES[mark];
    if (style !== undefined) cells.put(x + column, y, mark === RANK.critical ? CRITICAL : EVENT, theme[style]);
  }
  if (playhead >= 0) cells.put(x + playhead, y, PLAYHEAD, theme.accent);
}

const RANK: Readonly<Record<Severity, number>> = { info: 1, warning: 2, critical: 3 };
const MARK_STYLES = [undefined, "dim", "warning", "critical"] as const;

/** The gravest event that begins in each column; 0: none. A long recording has many thousands. */
function marksOf(events: readonly DetectedEvent[], width: number, range: CursorRange): Uint8Array {
  const marks = new Uint8Array(width);
  for (const { state, severity, elapsed_ms } of events) {
    if (state === "end") continue;
    const column = columnOf(elapsed_ms, width, range);
    marks[column] = Math.max(marks[column] ?? 0, RANK[severity]);
  }
  return marks;
}
