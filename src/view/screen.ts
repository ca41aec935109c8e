import type { Cursor } from "../recording/cursor.ts";
import type { Choices, Status, ViewInput, Zones } from "./model.ts";
import type { Player } from "./player.ts";

/** What a view is of. */
export interface Subject {
  readonly cursor: Cursor;
  readonly isLive: boolean;
  /** From frame to frame; `null` where the recording does not say. */
  readonly interval_ms: number | null;
  readonly zones: Zones;
}

/** The screen at the cursor's place. */
export function viewInput({ cursor, interval_ms, zones }: Subject, choices: Choices, status: Status): ViewInput {
  return {
    position: cursor.current,
    history: (length) => cursor.history(length),
    timeline: {
      range: cursor.range,
      envelope: (columns) => cursor.envelope(columns),
      events: cursor.events(),
    },
    choices,
    status,
    zones,
    interval_ms,
  };
}

/** The status line of a view that plays. `note` is for what there is to say for a few seconds only. */
export function playerStatus({ cursor, isLive }: Subject, player: Player, note: string | null): Status {
  const common = {
    note: note ?? lastingNote(cursor),
    progress: cursor.progress ?? player.scanned,
  };
  if (isLive) return { kind: "live", isFrozen: player.state === "paused", ...common };
  return { kind: "replay", state: player.state, speed: player.speed, isLoop: player.isLoop, ...common };
}

/** What was wrong with the recording as far as it has been read, and what it has no room for. */
export function lastingNote(cursor: Cursor): string | null {
  const words = [skippedWords(cursor.skipped), refusedWords(cursor.refusedConditions())];
  return cursor.refused ?? (words.filter((one) => one !== null).join("; ") || null);
}

const totalOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, one) => sum + one, 0);

const listed = (counts: ReadonlyMap<string, number>): string =>
  [...counts].map(([name, count]) => `${name} (${count})`).join(", ");

/** `608 conditions not recorded, too many at once: throttle (608)`; `null` where there were none. */
function refusedWords(refused: ReadonlyMap<string, number>): string | null {
  const count = totalOf(refused);
  if (count === 0) return null;
  return `${count} condition${count === 1 ? "" : "s"} not recorded, too many at once: ${listed(refused)}`;
}

/** `3 lines skipped: bad JSON (2), too long (1)`; `null` where there were none. */
export function skippedWords(skipped: ReadonlyMap<string, number>): string | null {
  const count = totalOf(skipped);
  return count === 0 ? null : `${count} line${count === 1 ? "" : "s"} skipped: ${listed(skipped)}`;
}
