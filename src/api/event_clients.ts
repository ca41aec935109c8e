import { EventClient, type EventRequest } from "./event_client.ts";
import type { ServedFeed } from "./served_feed.ts";

/** Closes the connection of a client, also where it does not take what was written to it. */
type Cut = () => void;

/** The clients of the event stream: so many at most, without those that take nothing. */
export class EventClients {
  readonly #feed: ServedFeed;
  readonly #most: number;
  readonly #clients = new Map<EventClient, Cut>();
  #dropped = 0;
  #framesDropped = 0;

  constructor(feed: ServedFeed, most: number) {
    this.#feed = feed;
    this.#most = most;
    void this.#watch();
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Clients that were disconnected. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Frames that clients were too slow for. */
  get framesDropped(): number {
    return [...this.#clients.keys()].reduce((sum, client) => sum + client.dropped, this.#framesDropped);
  }

  /** The stream of one more client; `null` where there are too many. */
  open(request: EventRequest, cut: Cut): ReadableStream<Uint8Array> | null {
    if (this.#clients.size >= this.#most) return null;
    const client = new EventClient(this.#feed, request);
    this.#clients.set(client, cut);
    void client.over.then(() => {
      this.#clients.delete(client);
      this.#framesDropped += client.dropped;
    });
    return client.stream();
  }

  async #watch(): Promise<void> {
    while (!this.#feed.isClosed) {
      await this.#feed.next();
      for (const [client, cut] of this.#clients) if (client.isStuck) this.#drop(client, cut);
    }
    for (const client of this.#clients.keys()) client.end();
  }

  #drop(client: EventClient, cut: Cut): void {
    this.#dropped++;
    client.end();
    cut();
  }
}
