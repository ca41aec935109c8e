import type { CursorRange } from "../recording/cursor.ts";
import type { GpuSort, HostOrder, ProcessSort } from "./model.ts";

/** A rectangle of cells. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface TabHit extends Region {
  /** The `host_id`; `null`: the tab of all hosts. */
  readonly host: string | null;
}

/** A column header, and the order that a click on it asks for. */
export type HeaderHit = Region &
  (
    | { readonly table: "processes"; readonly sort: ProcessSort }
    | { readonly table: "gpus"; readonly sort: GpuSort }
    | { readonly table: "hosts"; readonly order: HostOrder }
  );

export interface HostHit extends Region {
  readonly host: string;
}

/** Rows that can be scrolled: how many there are, from which on they show, and how many show. */
export interface Scrolled extends Region {
  readonly total: number;
  readonly first: number;
  readonly visible: number;
}

/** Where on the screen things are that can be clicked, as they were drawn last. */
export interface Hits {
  readonly tabs: TabHit[];
  readonly headers: HeaderHit[];
  /** The hosts of the overview, in the order shown: downwards, then to the right. */
  readonly hosts: HostHit[];
  /** The `host_id`s in the order of the tabs, also of those that have no room there. */
  hostOrder: readonly string[];
  /** The extent of the time axis. */
  scrubber: Region | null;
  scrolled: Scrolled | null;
}

export const noHits = (): Hits => ({
  tabs: [],
  headers: [],
  hosts: [],
  hostOrder: [],
  scrubber: null,
  scrolled: null,
});

export const isInside = ({ x, y, width, height }: Region, column: number, row: number): boolean =>
  column >= x && column < x + width && row >= y && row < y + height;

type Ends = Pick<CursorRange, "first_place_ms" | "last_place_ms">;

/** The place of the timeline under a column of the scrubber; its ends are the range's ends. */
export function placeAt({ x, width }: Region, column: number, { first_place_ms, last_place_ms }: Ends): number {
  const share = width > 1 ? Math.min(1, Math.max(0, (column - x) / (width - 1))) : 0;
  return first_place_ms + share * (last_place_ms - first_place_ms);
}

/** The column of a place, counted from the scrubber's first. */
export function columnOf(place_ms: number, width: number, { first_place_ms, last_place_ms }: Ends): number {
  const span_ms = last_place_ms - first_place_ms;
  if (!(span_ms > 0)) return 0;
  const share = Math.min(1, Math.max(0, (place_ms - first_place_ms) / span_ms));
  return Math.round(share * (width - 1));
}
