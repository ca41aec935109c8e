import type { DetectedEvent } from "../events/event.ts";
import { isReturn } from "../events/event_log.ts";
import { type Cursor, Overtaken, type Position } from "../recording/cursor.ts";
import { placeAt, type Region } from "./hits.ts";
import type { Player } from "./player.ts";
import { seekMeant } from "./seek_meant.ts";
import { needsEnd, outsideWords, placeOf, type Target } from "./timecode.ts";

/** The ways to another place of a recording, for the keys, the mouse and the command line. */
export class Travel {
  readonly #player: Player;
  readonly #cursor: Cursor;
  readonly #say: (note: string) => void;

  constructor(player: Player, cursor: Cursor, say: (note: string) => void) {
    this.#player = player;
    this.#cursor = cursor;
    this.#say = say;
  }

  /** To a place of the timeline, or its nearest end. */
  to(place_ms: number): void {
    const target_ms = this.#nearest_ms(place_ms);
    this.#player.travel(() => this.#cursor.seek(target_ms), target_ms);
  }

  #nearest_ms(place_ms: number): number {
    const { first_place_ms, last_place_ms, scanned } = this.#cursor.range;
    return Math.max(first_place_ms, scanned < 1 ? place_ms : Math.min(place_ms, last_place_ms));
  }

  /** That much further, or back. */
  by(distance_ms: number): void {
    const target_ms = this.#nearest_ms(this.#player.playhead_ms + distance_ms);
    this.#player.travel(() => seekMeant(this.#cursor, target_ms), target_ms);
  }

  /** To what the scrubber shows in that column of the screen; beyond its ends to the nearest. */
  toColumn(scrubber: Region, column: number): void {
    this.to(placeAt(scrubber, column, this.#cursor.range));
  }

  first(): void {
    this.#player.travel(() => this.#cursor.first());
  }

  last(): void {
    this.go({ kind: "end", offset_ms: 0 });
  }

  /**
   * To what a timecode says, or the nearest end, which is told. Where that takes the end, and it is not known yet, the
   * scan is waited for.
   */
  go(target: Target): void {
    const cursor = this.#cursor;
    const arrive = async (move: Promise<Position | null>): Promise<Position | null> => {
      const found = await move;
      const words = found === null ? null : outsideWords(target, found, cursor.range);
      if (words !== null) this.#say(words);
      return found;
    };
    if (target.kind === "wall") this.#player.travel(() => arrive(cursor.seekWall(target.t_ms)));
    else if (needsEnd(target) && cursor.range.scanned < 1) {
      this.#player.travel((givenUp) => arrive(seekScanned(cursor, target, givenUp)));
    } else {
      const target_ms = this.#nearest_ms(placeOf(target, cursor.range));
      this.#player.travel(() => arrive(seekMeant(cursor, target_ms)), target_ms);
    }
  }

  /** To the next or previous frame at which something happened. What that is, or that there is none. */
  toEvent(direction: 1 | -1): string {
    const { shown } = this.#player;
    const none = direction > 0 ? "no later event" : "no earlier event";
    if (shown === null) return none;
    const here = shown.frame.seq ?? shown.ordinal;
    const events = this.#cursor.events().filter(isStop);
    const found = direction > 0 ? events.find(({ seq }) => seq > here) : events.findLast(({ seq }) => seq < here);
    if (found === undefined) return this.#cursor.analysed < 1 ? `${none} found yet` : none;
    this.#player.travel(() => this.#cursor.seekTo(found.seq));
    const together = events.filter(({ seq }) => seq === found.seq);
    return together.map(sentence).join(" · ");
  }
}

/** Where something begins, happens once, or is back. */
const isStop = (event: DetectedEvent): boolean => event.state !== "end" || isReturn(event);

/** What ends has the text of its beginning. */
function sentence({ host, device, text, state }: DetectedEvent): string {
  const names = [host, device].filter((name) => name !== null && name !== "");
  if (state === "end") return `${names.join(" ")} is back; before: ${text}`;
  const where = names.filter((name) => name !== null && !text.includes(name));
  return where.length > 0 ? `${where.join(" ")}: ${text}` : text;
}

/** Seeks what counts from the end, when that is known. */
async function seekScanned(
  cursor: Cursor,
  target: Exclude<Target, { kind: "wall" }>,
  givenUp: AbortSignal,
): Promise<Position | null> {
  await scanned(cursor, givenUp);
  return await seekMeant(cursor, placeOf(target, cursor.range));
}

/** Resolves when all of a recording has been looked at; rejects with Overtaken when given up before. */
async function scanned(cursor: Cursor, givenUp: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    if (cursor.range.scanned >= 1) resolve();
  };
  const stopListening = cursor.onChange(look);
  const giveUp = () => reject(new Overtaken());
  givenUp.addEventListener("abort", giveUp);
  look();
  try {
    await promise;
  } finally {
    stopListening();
    givenUp.removeEventListener("abort", giveUp);
  }
}
