import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import type { Encoding } from "./accept.ts";
import { Body } from "./body.ts";
import { BACKLOG } from "./feed.ts";
import { GzipPieces } from "./gzip_pieces.ts";
import { type Selection, selected } from "./served_cycle.ts";
import type { ServedFeed } from "./served_feed.ts";

/** What a client of the event stream asked for. */
export interface EventRequest {
  readonly selection: Selection;
  /** From frame to frame at least; 0: every frame. */
  readonly throttle_ms: number;
  /** After so long without a frame comes a comment, so that nothing between takes the connection for dead. */
  readonly heartbeat_ms: number;
  /** The id of the last event that the client has, as it came. */
  readonly lastEventId: string | null;
  readonly encoding: EventEncoding;
}

/** Not zstd: hardly a client reads more than one frame of it, and each event would be one. */
export type EventEncoding = Exclude<Encoding, "zstd">;

/** How long a client should wait before it comes back. */
const RETRY_MS = 2000;

/** A client that takes nothing for so many cycles is disconnected. */
const MOST_CYCLES_BLOCKED = 64;

const event = (name: string, data: string, id = ""): string => `event: ${name}\n${id}data: ${data}\n\n`;

/** The number of the frame that the client had last; `null` where this program never gave it that id. */
function numberOf(feed: ServedFeed, lastEventId: string): number | null {
  const [, number, run] = /^(\d{1,15})-(\d{1,15})$/.exec(lastEventId) ?? [];
  return run === feed.run && Number(number) < feed.count ? Number(number) : null;
}

/**
 * One client of the event stream (the `text/event-stream` of the HTML standard, 9.2). Nothing is queued for it: it has
 * a place among the frames, and gets the next one when it has taken the one before. Once it has caught up it may be
 * `BACKLOG` frames behind; what it loses beyond that, or by coming back too late, it is told as `event: lag`. With an
 * id that is none of this program's, of an earlier run of it for instance, nobody knows how much that is: `dropped` is
 * `null`, and then comes every frame that is still there.
 */
export class EventClient {
  readonly #feed: ServedFeed;
  readonly #request: EventRequest;
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;
  #wake = (): void => {};
  #next: number;
  #hasCaughtUp: boolean;
  readonly #isStranger: boolean;
  #sentPlace_ms = Number.NEGATIVE_INFINITY;
  #sentAt_ms = performance.now();
  /** The count of cycles when it was given what it has not taken yet. */
  #blockedFrom: number | null = null;
  readonly #gzip: GzipPieces | null;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;

  /** Frames that it was too slow for. */
  dropped = 0;

  constructor(feed: ServedFeed, request: EventRequest) {
    this.#feed = feed;
    this.#request = request;
    this.#gzip = request.encoding === "gzip" ? new GzipPieces() : null;
    const { lastEventId } = request;
    const had = lastEventId === null ? feed.count - 2 : numberOf(feed, lastEventId);
    this.#isStranger = had === null;
    this.#next = had === null ? feed.oldest : Math.max(0, had + 1);
    this.#hasCaughtUp = this.#next >= feed.count - 1;
  }

  get isStuck(): boolean {
    return this.#blockedFrom !== null && this.#feed.count - this.#blockedFrom > MOST_CYCLES_BLOCKED;
  }

  /** Resolves when the client is gone. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** The stream's bytes, made as they are taken. */
  stream(): ReadableStream<Uint8Array> {
    const chunks = this.#chunks();
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
      this.#blockedFrom = null;
      const { value } = await chunks.next();
      if (this.#isOver) return;
      if (value === undefined) return this.end();
      this.#blockedFrom = this.#feed.count;
      this.#sentAt_ms = performance.now();
      controller.enqueue(this.#gzip?.add(value) ?? value.bytes("identity"));
    };
    const start = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      this.#controller = controller;
    };
    return new ReadableStream({ start, pull, cancel: () => this.#leave() }, { highWaterMark: 0 });
  }

  /** Ends the stream as one that was complete. */
  end(): void {
    if (this.#isOver) return;
    this.#leave();
    if (this.#gzip !== null) this.#controller?.enqueue(this.#gzip.end());
    this.#controller?.close();
  }

  #leave(): void {
    this.#isOver = true;
    this.#wake();
    this.#over.resolve();
  }

  async *#chunks(): AsyncGenerator<Body> {
    yield new Body(`retry: ${RETRY_MS}\n\n`);
    if (this.#isStranger) yield new Body(event("lag", JSON.stringify({ dropped: null })));
    while (!this.#isOver && !this.#feed.isClosed) {
      const lost = this.#skipLost();
      if (lost > 0) yield new Body(event("lag", JSON.stringify({ dropped: lost })));
      else if (this.#next < this.#feed.count) yield* this.#due();
      else if (this.#quiet_ms >= this.#request.heartbeat_ms) yield new Body(": keep-alive\n\n");
      else await this.#wait();
    }
  }

  /** Goes on to the oldest frame that it may still have; how many were passed over. */
  #skipLost(): number {
    const { oldest, count } = this.#feed;
    const lost = Math.max(oldest, this.#hasCaughtUp ? count - BACKLOG : 0) - this.#next;
    if (lost <= 0) return 0;
    this.#next += lost;
    this.dropped += lost;
    return lost;
  }

  /** One of the last frames, or all of the stretch of older ones that begins there. */
  async *#due(): AsyncGenerator<Body> {
    const { selection } = this.#request;
    const recent = this.#feed.recent(this.#next);
    if (recent !== null) {
      const id = this.#takeId();
      this.#hasCaughtUp ||= this.#next === this.#feed.count;
      if (this.#isDue(recent.frame)) {
        yield recent.frameBody(selection, "event", (line) => event("snapshot", line, id));
      }
      return;
    }
    for (const frame of await this.#feed.past(this.#next)) {
      const id = this.#takeId();
      if (this.#isDue(frame)) yield new Body(event("snapshot", frameLine(selected(frame, selection)), id));
    }
  }

  #takeId(): string {
    return `id: ${this.#next++}-${this.#feed.run}\n`;
  }

  /** Half an interval early is in time: cycles are not to the millisecond. */
  #isDue({ elapsed_ms, t_ms }: Frame): boolean {
    const place_ms = elapsed_ms ?? t_ms;
    const least_ms = this.#request.throttle_ms - this.#feed.interval_ms / 2;
    if (place_ms - this.#sentPlace_ms < least_ms) return false;
    this.#sentPlace_ms = place_ms;
    return true;
  }

  get #quiet_ms(): number {
    return performance.now() - this.#sentAt_ms;
  }

  /**
   * Until there is a frame more, it is time for a heartbeat, or the client is gone. Not by `Promise.race`, which leaves
   * something behind with each that lives longer: 500 clients took 6 MB a minute.
   */
  async #wait(): Promise<void> {
    const woken = Promise.withResolvers<void>();
    this.#wake = woken.resolve;
    const handle = setTimeout(this.#wake, Math.max(0, Math.ceil(this.#request.heartbeat_ms - this.#quiet_ms)));
    void this.#feed.next().then(this.#wake);
    await woken.promise;
    clearTimeout(handle);
  }
}
