import type { DetectedEvent } from "../events/event.ts";
import { isReturn } from "../events/event_log.ts";
import { type Cursor, Overtaken, type Position } from "../recording/cursor.ts";
import { placeAt, type Region } from "./hits.ts";
import { type Host, hostsOf } from "./hosts.ts";
import type { ViewClock } from "./lapse.ts";
import type { Player } from "./player.ts";
import { seekMeant } from "./seek_meant.ts";
import { needsEnd, outsideWords, placeOf, type Target } from "./timecode.ts";

/** So long after a jump to an event further jumps count from it, and not from where playing has come meanwhile. */
const STAY_MS = 3000;

/** The ways to another place of a recording, for the keys, the mouse and the command line. */
export class Travel {
  readonly #player: Player;
  readonly #cursor: Cursor;
  readonly #clock: ViewClock;
  readonly #say: (note: string) => void;
  /** The event to which the last jump went, and when; `null` after any other move. */
  #stop: { readonly seq: number; readonly at_ms: number } | null = null;

  constructor(player: Player, cursor: Cursor, clock: ViewClock, say: (note: string) => void) {
    this.#player = player;
    this.#cursor = cursor;
    this.#clock = clock;
    this.#say = say;
  }

  /** One frame on or back; pauses. */
  step(direction: 1 | -1): void {
    this.#stop = null;
    this.#player.step(direction);
  }

  #travel(...move: Parameters<Player["travel"]>): void {
    this.#stop = null;
    this.#player.travel(...move);
  }

  /** To a place of the timeline, or its nearest end. */
  to(place_ms: number): void {
    const target_ms = this.#nearest_ms(place_ms);
    this.#travel(() => this.#cursor.seek(target_ms), target_ms);
  }

  #nearest_ms(place_ms: number): number {
    const { first_place_ms, last_place_ms, scanned } = this.#cursor.range;
    return Math.max(first_place_ms, scanned < 1 ? place_ms : Math.min(place_ms, last_place_ms));
  }

  /** That much further, or back. */
  by(distance_ms: number): void {
    const target_ms = this.#nearest_ms(this.#player.playhead_ms + distance_ms);
    this.#travel(() => seekMeant(this.#cursor, target_ms), target_ms);
  }

  /** To what the scrubber shows in that column of the screen; beyond its ends to the nearest. */
  toColumn(scrubber: Region, column: number): void {
    this.to(placeAt(scrubber, column, this.#cursor.range));
  }

  first(): void {
    this.#travel(() => this.#cursor.first());
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
      const words = found === null ? null : outsideWords(target, found, cursor);
      if (words !== null) this.#say(words);
      return found;
    };
    if (target.kind === "wall") this.#travel(() => arrive(cursor.seekWall(target.t_ms)));
    else if (needsEnd(target) && cursor.range.scanned < 1) {
      this.#travel((givenUp) => arrive(seekScanned(cursor, target, givenUp)));
    } else {
      const target_ms = this.#nearest_ms(placeOf(target, cursor.range));
      this.#travel(() => arrive(seekMeant(cursor, target_ms)), target_ms);
    }
  }

  /** To the next or previous frame at which something happened. What that is, or that there is none. */
  toEvent(direction: 1 | -1): string {
    const { shown } = this.#player;
    const none = direction > 0 ? "no later event" : "no earlier event";
    if (shown === null) return none;
    const here = this.#seqHere(shown);
    const events = this.#cursor.events().filter(isStop);
    const found = direction > 0 ? events.find(({ seq }) => seq > here) : events.findLast(({ seq }) => seq < here);
    if (found === undefined) return this.#cursor.analysed < 1 ? `${none} found yet` : none;
    this.#travel(() => this.#cursor.seekTo(found.seq));
    this.#stop = { seq: found.seq, at_ms: this.#clock.now() };
    const hosts = hostsOf(shown.frame);
    const together = events.filter(({ seq }) => seq === found.seq);
    return together.map((event) => sentence(event, hosts)).join(" · ");
  }

  /** From where the next and the previous event count: playing fast one is soon far behind the event one went to. */
  #seqHere({ frame, ordinal }: Position): number {
    const here = frame.seq ?? ordinal;
    const stop = this.#stop;
    if (stop === null || this.#clock.now() - stop.at_ms >= STAY_MS) return here;
    // Otherwise playing began again meanwhile.
    return this.#player.isTravelling || here >= stop.seq ? stop.seq : here;
  }
}

/** Where something begins, happens once, or is back. */
const isStop = (event: DetectedEvent): boolean => event.state !== "end" || isReturn(event);

/** What happened, and where; one host alone is named only where there is nothing else to name. */
function sentence(event: DetectedEvent, hosts: readonly Host[]): string {
  const { device, text, state } = event;
  // What ends has the text of its beginning.
  const isBack = state === "end";
  const name = hosts.find(({ host_id }) => host_id === event.host)?.name ?? event.host;
  const isOnly = hosts.length === 1 && hosts[0]?.name === name;
  const names = [isOnly && !(isBack && device === null) ? "" : name, device ?? ""].filter((part) => part !== "");
  if (isBack) return `${names.join(" ")} is back; before: ${text}`;
  const where = names.filter((part) => !text.includes(part));
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
