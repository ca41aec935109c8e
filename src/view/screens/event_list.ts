import type { DetectedEvent } from "../../events/event.ts";
import { noteStyle } from "./gpu_columns.ts";
import { type FrameScene, MARGIN } from "./scene.ts";

const MARKS = { info: "·", warning: "▲", critical: "X" } as const;

/** The latest that had happened by then, the last at the top; what ends is left out. */
function latest({ input, position }: FrameScene, count: number): DetectedEvent[] {
  const { events } = input.timeline;
  const found: DetectedEvent[] = [];
  for (let i = events.length - 1; i >= 0 && found.length < count; i--) {
    const event = events[i];
    if (event !== undefined && event.elapsed_ms <= position.place_ms && event.state !== "end") found.push(event);
  }
  return found;
}

/** The latest events, one a line: when, how bad, where, what. */
export function drawEvents(scene: FrameScene, y: number, height: number): void {
  const { cells, theme, zone, hosts } = scene;
  const names = new Map(hosts.map(({ host_id, name }) => [host_id, name]));
  for (const [i, event] of latest(scene, height).entries()) {
    const row = y + i;
    const style = noteStyle(event.severity === "info" ? "information" : event.severity, theme);
    let x = cells.text(MARGIN, row, zone.time(event.t_ms), theme.dim) + 2;
    x = cells.text(x, row, MARKS[event.severity], style) + 2;
    const where = [names.get(event.host) ?? event.host, event.device ?? ""].filter((text) => text !== "").join(" ");
    x = cells.field(x, row, where, Math.min(28, Math.max(10, cells.width - 60)), theme.plain) + 2;
    cells.field(x, row, event.text, cells.width - x - MARGIN, style);
  }
}
