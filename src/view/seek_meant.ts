import type { Cursor, Position } from "../recording/cursor.ts";

/** Readings are some milliseconds late; a frame that is later than this was not meant. */
const MOST_LATE_MS = 250;
/** Nor is one that is late by more than this share of its distance from the frame before. */
const MOST_LATE_SHARE = 0.25;

/**
 * Seeks what somebody means who asks for a place in whole seconds: the last frame at or before it, or the one after
 * where that is only a little late, as the frame of second 30 at 30.002.
 */
export async function seekMeant(cursor: Cursor, place_ms: number): Promise<Position | null> {
  const found = await cursor.seek(place_ms);
  const next_ms = cursor.nextPlace_ms;
  if (found === null || next_ms === null) return found;
  const most_ms = Math.min(MOST_LATE_MS, (next_ms - found.place_ms) * MOST_LATE_SHARE);
  return next_ms - place_ms <= most_ms ? await cursor.next() : found;
}
