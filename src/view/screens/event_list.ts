import { isReturn, type LogLine, latestLines } from "../../events/event_log.ts";
import { duration } from "../format.ts";
import { widest } from "../overview.ts";
import { textWidth, truncate } from "../text.ts";
import { noteStyle } from "./gpu_columns.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

const MARKS = { info: "·", warning: "▲", critical: "X" } as const;
const RETURN_MARK = "✓";

/** `for 01:04` */
const lasted = (ms: number): string => (ms < 1000 ? "for a moment" : `for ${duration(ms / 1000)}`);

/** Why it was away its own line says. */
const returnText = ({ lasted_ms }: LogLine): string =>
  lasted_ms === null ? "is back" : `is back after ${duration(lasted_ms / 1000)}`;

/** What happened, and how long it lasted. What is still on has the colour of how bad it is. */
function drawWhat({ cells, theme }: FrameScene, x: number, y: number, line: LogLine): void {
  const { event, lasted_ms } = line;
  const end = cells.width - MARGIN;
  if (isReturn(event)) {
    cells.field(x, y, returnText(line), end - x, theme.plain);
    return;
  }
  const over = lasted_ms === null ? "" : lasted(lasted_ms);
  const style = over === "" ? noteStyle(event.severity === "info" ? "information" : event.severity, theme) : theme.dim;
  const room = over === "" ? end - x : end - textWidth(over) - 2 - x;
  const behind = cells.text(x, y, truncate(event.text, room), style, end) + 2;
  cells.text(behind, y, over, theme.plain, end);
}

/** Room for a host and a device of it, as long as that leaves enough for what happened. */
function whereWidth({ cells, hosts }: FrameScene): number {
  const longest = widest(hosts.map(({ name }) => name)) + " GPU 15".length;
  return Math.max(10, Math.min(28, cells.width - 60, longest));
}

/** The latest events, one a line: when, how bad, where, what. */
export function drawEvents(scene: FrameScene, y: number, height: number): void {
  const { cells, theme, zone, hosts, input, position } = scene;
  const width = whereWidth(scene);
  const names = new Map(hosts.map(({ host_id, name }) => [host_id, name]));
  const lines = latestLines(input.timeline.events, position.place_ms, height);
  if (lines.length === 0) cells.text(MARGIN, y, "none so far", theme.dim);
  for (const [i, line] of lines.entries()) {
    const row = y + i;
    const { event } = line;
    let x = cells.text(MARGIN, row, zone.time(event.t_ms), theme.dim) + 2;
    const style = noteStyle(event.severity === "info" ? "information" : event.severity, theme);
    if (isReturn(event)) x = cells.text(x, row, RETURN_MARK, theme.accent) + 2;
    else x = cells.text(x, row, MARKS[event.severity], style) + 2;
    const where = [names.get(event.host) ?? event.host, event.device ?? ""].filter((text) => text !== "").join(" ");
    x = cells.field(x, row, where, width, theme.plain) + 2;
    drawWhat(scene, x, row, line);
  }
}
