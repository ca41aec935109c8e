import { startsCards } from "./nvml/messages.ts";

/** Without persistence mode the driver starts each card when it is initialized. */
export const INITIALIZATION_MS = 60_000;
/** One call that starts a card. */
const BRING_UP_MS = 30_000;
/** The first calls for a card may take longer than they will later on. */
const FIRST_CALL_MS = 5000;
/** A call is not taken for hung before that, however short the cycles are. */
const SHORTEST_LIMIT_MS = 2000;

/** After which a reading is taken for hung, in which calls are not announced. */
export const readingLimit_ms = (cycle_ms: number): number => Math.max(cycle_ms, SHORTEST_LIMIT_MS);

/** After which an announced call is taken for hung; `isFirst`: nothing has been read yet. */
export function callLimit_ms(name: string, isFirst: boolean, reading_ms: number): number {
  if (startsCards(name)) return BRING_UP_MS;
  return isFirst ? Math.max(FIRST_CALL_MS, reading_ms) : reading_ms;
}
