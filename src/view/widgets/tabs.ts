import type { Host } from "../hosts.ts";
import { MARGIN, type Scene } from "../screens/scene.ts";
import { textWidth, truncate } from "../text.ts";

const LONGEST_NAME = 24;
/** `‹ ` and ` ›`. */
const ARROWS_WIDTH = 4;

interface Tab {
  readonly host: string;
  readonly label: string;
  readonly isDown: boolean;
}

const tabOf = ({ host_id, name, downReason }: Host): Tab => ({
  host: host_id,
  label: `${downReason === null ? "" : "✕"}${truncate(name, LONGEST_NAME)}`,
  isDown: downReason !== null,
});

const widthOf = ({ label }: Tab): number => textWidth(label) + 2;

/** Pages, not a sliding window: the tabs keep still while one moves within a page. */
function pagesOf(tabs: readonly Tab[], width: number): Tab[][] {
  const pages: Tab[][] = [[]];
  let used = 0;
  for (const tab of tabs) {
    if (used > 0 && used + widthOf(tab) > width) {
      pages.push([]);
      used = 0;
    }
    pages.at(-1)?.push(tab);
    used += widthOf(tab);
  }
  return pages;
}

/** `All ‹ node-1 node-2 … ›`: the arrows lead to the pages before and after. */
export function drawTabs(scene: Scene, y: number, hosts: readonly Host[]): void {
  const { cells, theme, input } = scene;
  const chosen = input.choices.host;
  let x = drawTab(scene, MARGIN - 1, y, "All", null, chosen === null);
  const tabs = hosts.map(tabOf);
  const pages = pagesOf(tabs, cells.width - x - ARROWS_WIDTH);
  const at = Math.max(
    0,
    pages.findIndex((page) => page.some(({ host }) => host === chosen)),
  );
  if (pages.length > 1) {
    drawArrow(scene, x, y, "‹", pages[at - 1]?.at(-1));
    drawArrow(scene, cells.width - 2, y, "›", pages[at + 1]?.at(0));
  }
  x += 2;
  for (const tab of pages[at] ?? []) {
    const begin = x;
    x = drawTab(scene, x, y, tab.label, tab.host, tab.host === chosen);
    if (tab.isDown && tab.host !== chosen)
      cells.highlight(begin, y, x - begin, { ...theme.dim, background: theme.plain.background });
  }
}

function drawTab(scene: Scene, x: number, y: number, label: string, host: string | null, isOpen: boolean): number {
  const { cells, theme, hits } = scene;
  const end = cells.text(x, y, ` ${label} `, isOpen ? theme.selected : theme.plain, cells.width - 2);
  hits.tabs.push({ host, x, y, width: end - x, height: 1 });
  return end;
}

function drawArrow({ cells, theme, hits }: Scene, x: number, y: number, arrow: string, to: Tab | undefined): void {
  cells.text(x, y, arrow, to === undefined ? theme.faint : theme.accent);
  if (to !== undefined) hits.tabs.push({ host: to.host, x, y, width: 1, height: 1 });
}
