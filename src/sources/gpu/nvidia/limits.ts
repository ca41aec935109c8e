import type { Cycle } from "../../source.ts";
import { startsCards } from "./nvml/messages.ts";

/** Without persistence mode the driver starts each card when it is initialized. */
export const INITIALIZATION_MS = 60_000;
/** One call that starts a card. */
const BRING_UP_MS = 30_000;
/** The first calls for a card may take longer than they will later on. */
const FIRST_CALL_MS = 5000;
/** A call is not taken for hung before that, however short the cycles are. */
const SHORTEST_LIMIT_MS = 2000;

/** Where the cycle is waited for, of its time: the rest is for asking again, without what hangs. */
const SHARE_OF_AWAITED = 0.4;

/** After which calls are taken for hung. */
export interface Limits {
  /** A reading in which they are not announced, or one that is. */
  readonly reading_ms: number;
  /** One that is, before anything has been read. */
  readonly first_ms: number;
}

export function limitsIn({ wait_ms, isAwaited }: Pick<Cycle, "wait_ms" | "isAwaited">): Limits {
  const reading_ms = Math.max(wait_ms, SHORTEST_LIMIT_MS);
  if (!isAwaited) return { reading_ms, first_ms: Math.max(FIRST_CALL_MS, reading_ms) };
  const limit_ms = Math.min(Math.max(wait_ms * SHARE_OF_AWAITED, SHORTEST_LIMIT_MS), FIRST_CALL_MS);
  return { reading_ms: limit_ms, first_ms: limit_ms };
}

/** After which an announced call is taken for hung; `isFirst`: nothing has been read yet. */
export function callLimit_ms(name: string, isFirst: boolean, { reading_ms, first_ms }: Limits): number {
  if (startsCards(name)) return BRING_UP_MS;
  return isFirst ? first_ms : reading_ms;
}
