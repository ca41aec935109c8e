import type { Hits, HostHit } from "./hits.ts";
import type { Choices, GpuSort, HostOrder, ProcessSort, ZoneName, Zones } from "./model.ts";

/** What keys and clicks make of the choices; all pure. */

export const INITIAL_CHOICES: Choices = {
  host: null,
  marked: null,
  hostOrder: "default",
  gpuSort: "default",
  processSort: "default",
  isDescending: true,
  onlyGpuProcesses: false,
  scroll: 0,
  filter: "",
  zone: "viewer",
  isHelpOpen: false,
  entry: null,
};

/** Orders that begin with the smallest. */
const ASCENDING: readonly ProcessSort[] = ["pid", "user"];

/** Sorts the processes; asked for again, the other way round. */
export function sortProcesses(choices: Choices, processSort: ProcessSort): Choices {
  const isAgain = choices.processSort === processSort && processSort !== "default";
  const isDescending = isAgain ? !choices.isDescending : !ASCENDING.includes(processSort);
  return { ...choices, processSort, isDescending, scroll: 0 };
}

export const sortGpus = (choices: Choices, gpuSort: GpuSort): Choices => ({ ...choices, gpuSort });

/** Orders the hosts; asked for again, as usual. */
export const orderHosts = (choices: Choices, order: HostOrder): Choices => ({
  ...choices,
  hostOrder: choices.hostOrder === order ? "default" : order,
  scroll: 0,
});

const HOST_ORDERS: readonly HostOrder[] = ["default", "trouble", "utilization", "name", "given"];

export const nextHostOrder = (choices: Choices): Choices => ({
  ...choices,
  hostOrder: following(HOST_ORDERS, choices.hostOrder, 1),
  scroll: 0,
});

/** `null` is the tab of all hosts. The host one leaves stays marked there. */
export function openTab(choices: Choices, host: string | null): Choices {
  if (host === choices.host) return choices;
  return { ...choices, host, marked: host ?? choices.host ?? choices.marked, scroll: 0 };
}

/** The next tab or the one before; round at the ends. */
export function turnTab(choices: Choices, hits: Hits, direction: 1 | -1): Choices {
  if (hits.hostOrder.length < 2) return choices;
  return openTab(choices, following([null, ...hits.hostOrder], choices.host, direction));
}

function following<T>(list: readonly T[], current: T, direction: 1 | -1): T {
  const index = Math.max(0, list.indexOf(current));
  const next = list[(index + direction + list.length) % list.length];
  return next === undefined ? current : next;
}

/** The table that scrolls, by rows; never further than its last row. */
export function scrollBy(choices: Choices, { scrolled }: Hits, rows: number): Choices {
  const furthest = scrolled === null ? 0 : Math.max(0, scrolled.total - scrolled.visible);
  const from = Math.min(choices.scroll, furthest);
  return { ...choices, scroll: Math.min(furthest, Math.max(0, from + rows)) };
}

/** A page is a row less than what shows, so that one keeps one's place. */
export const scrollPage = (choices: Choices, hits: Hits, direction: 1 | -1): Choices =>
  scrollBy(choices, hits, direction * Math.max(1, (hits.scrolled?.visible ?? 1) - 1));

export type Direction = "up" | "down" | "left" | "right";

/** Marks the host that stands in that direction on the overview; the first one where none is marked. */
export function markHost(choices: Choices, hits: Hits, direction: Direction): Choices {
  const marked = hits.hosts.find(({ host }) => host === choices.marked);
  if (marked === undefined) return { ...choices, marked: hits.hosts[0]?.host ?? null };
  const next = neighbour(hits.hosts, marked, direction);
  if (next !== null) return { ...choices, marked: next.host };
  if (direction === "up") return scrollBy(choices, hits, -1);
  return direction === "down" ? scrollBy(choices, hits, 1) : choices;
}

function neighbour(hosts: readonly HostHit[], from: HostHit, direction: Direction): HostHit | null {
  const isVertical = direction === "up" || direction === "down";
  const sign = direction === "up" || direction === "left" ? -1 : 1;
  const ahead = hosts
    .filter((host) => (isVertical ? host.x === from.x : host.x !== from.x))
    .map((host) => ({ host, steps: sign * (isVertical ? host.y - from.y : host.x - from.x) }))
    .filter(({ steps }) => steps > 0);
  const nearest = Math.min(...ahead.map(({ steps }) => steps));
  const column = ahead.filter(({ steps }) => steps === nearest);
  // The last column may be shorter than the others.
  return column.findLast(({ host }) => isVertical || host.y <= from.y)?.host ?? null;
}

const ZONE_ORDER: readonly ZoneName[] = ["viewer", "recorder", "utc"];

/** The viewer's zone, the recorder's where it is known and another one, UTC. */
export function nextZone(choices: Choices, { viewer, recorder }: Zones): Choices {
  const different = recorder !== null && recorder !== viewer;
  const zones = ZONE_ORDER.filter((zone) => zone !== "recorder" || different);
  return { ...choices, zone: following(zones, choices.zone, 1) };
}
