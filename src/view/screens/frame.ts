import type { Position } from "../../recording/cursor.ts";
import { percent } from "../format.ts";
import { emptyHost, type Host } from "../hosts.ts";
import { drawBar } from "../widgets/bar.ts";
import { drawScrubber } from "../widgets/scrubber.ts";
import { drawStatus } from "../widgets/status.ts";
import { drawTabs } from "../widgets/tabs.ts";
import { drawCluster } from "./cluster.ts";
import { drawHelp } from "./help.ts";
import { drawHost } from "./host.ts";
import { type FrameScene, MARGIN, type Scene, withFrame } from "./scene.ts";

/** From so many rows on the scrubber's curve has two of them. */
const TALL = 34;

/** A recording has a scrubber; so has what is in memory, while one stands still in it. */
function scrubberHeight({ input, cells }: Scene): number {
  const hasScrubber = input.status.kind === "replay" || input.status.isFrozen;
  return hasScrubber && input.timeline.range.frames > 0 ? (cells.height >= TALL ? 3 : 2) : 0;
}

/** The whole screen: tabs, one host or all, scrubber, status; help over it. */
export function drawScreen(scene: Scene): void {
  const { cells, input } = scene;
  const bottom = cells.height - 1;
  const scrubber = scrubberHeight(scene);
  if (scrubber > 0) drawScrubber(scene, bottom - scrubber, scrubber);
  const height = bottom - scrubber;
  if (input.position === null) drawWaiting(scene, height);
  else drawBody(scene, input.position, height);
  drawStatus(scene, bottom);
  if (input.choices.isHelpOpen) drawHelp(scene, 0, height, scene.hits.hostOrder.length > 1);
}

function drawBody(scene: Scene, position: Position, height: number): void {
  const framed = withFrame(scene, position);
  const { hosts, hits } = framed;
  hits.hostOrder = hosts.map(({ host_id }) => host_id);
  const [only] = hosts;
  if (hosts.length === 1 && only !== undefined) {
    drawHost(framed, 0, height, only);
    return;
  }
  drawTabs(scene, 0, hosts);
  const host = chosenHost(framed);
  if (host === null) drawCluster(framed, 1, height - 1);
  else drawHost(framed, 1, height - 1, host);
}

/** A host that this frame does not have shows as one that did not answer. */
function chosenHost({ hosts, input }: FrameScene): Host | null {
  const { host } = input.choices;
  if (host === null) return null;
  return hosts.find(({ host_id }) => host_id === host) ?? absent(host);
}

const absent = (host_id: string): Host => ({ ...emptyHost(host_id, host_id), downReason: "not in this frame" });

function drawWaiting({ cells, theme, input }: Scene, height: number): void {
  const { progress, note } = input.status;
  const what = input.status.kind === "replay" ? "Opening the recording" : "Waiting for the first reading";
  const y = Math.floor(height / 2);
  const width = Math.min(60, cells.width - 2 * MARGIN);
  const x = Math.floor((cells.width - width) / 2);
  cells.field(x, y - 1, note ?? what, width, theme.strong);
  if (progress === null) return;
  drawBar(cells, x, y, width - 5, progress, () => theme.accent, theme);
  cells.field(x + width - 4, y, percent(progress * 100), 4, theme.plain, "right");
}
