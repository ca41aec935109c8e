import type { Frame } from "../../frame/frame.ts";
import type { History, Position } from "../../recording/cursor.ts";
import type { Cells, Style } from "../cells.ts";
import type { Hits } from "../hits.ts";
import { type Host, hostsOf } from "../hosts.ts";
import type { ViewInput } from "../model.ts";
import type { Theme } from "../theme.ts";
import { chosenZone, type Zone } from "../zone.ts";

/** What every part of a screen is drawn on and from. */
export interface Scene {
  readonly cells: Cells;
  readonly theme: Theme;
  readonly hits: Hits;
  readonly input: ViewInput;
  readonly zone: Zone;
}

/** A scene with a frame. */
export interface FrameScene extends Scene {
  readonly position: Position;
  readonly frame: Frame;
  readonly hosts: readonly Host[];
  readonly history: History;
  /** As the theme's, but dim while the history is not complete. */
  load(share: number): Style;
  heat(share: number): Style;
}

export const makeScene = (cells: Cells, input: ViewInput, theme: Theme, hits: Hits): Scene => ({
  cells,
  theme,
  hits,
  input,
  zone: chosenZone(input.choices.zone, input.zones),
});

export function withFrame(scene: Scene, position: Position): FrameScene {
  const { theme, input, cells } = scene;
  // No graph is wider than half the screen, and a cell of a graph shows two points.
  const history = input.history(cells.width);
  const dim = () => theme.dim;
  return {
    ...scene,
    position,
    frame: position.frame,
    hosts: hostsOf(position.frame),
    history,
    load: history.isComplete ? theme.load : dim,
    heat: history.isComplete ? theme.heat : dim,
  };
}

/** The left margin of all text. */
export const MARGIN = 1;
