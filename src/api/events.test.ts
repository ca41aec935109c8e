import { describe, expect, test } from "bun:test";
import { gunzipSync } from "node:zlib";
import { type Api, frameNumber, INTERVAL_MS, openApi } from "../../test/api.ts";
import { frameLine } from "../frame/encode.ts";
import { BACKLOG } from "./feed.ts";

interface Event {
  readonly name: string;
  readonly id: string;
  readonly data: string;
}

/** A client of the event stream that reads what it is told to. */
class Client {
  readonly #reader;
  #text = "";
  comments = 0;

  constructor(response: Response) {
    if (response.body === null) throw new Error("no body");
    this.#reader = response.body.getReader();
  }

  /** The next event; `null` at the end. Comments and the time to wait are no events. */
  async next(): Promise<Event | null> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = await this.#reader.read();
        if (done) return null;
        this.#text += new TextDecoder().decode(value);
        continue;
      }
      const lines = this.#text.slice(0, end).split("\n");
      this.#text = this.#text.slice(end + 2);
      if (lines[0]?.startsWith(":")) this.comments++;
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
      if (field("event") !== "") return { name: field("event"), id: field("id"), data: field("data") };
      if (this.comments > 0 && lines[0]?.startsWith(":")) return { name: "comment", id: "", data: "" };
    }
  }

  async take(count: number): Promise<Event[]> {
    const events: Event[] = [];
    while (events.length < count) {
      const event = await this.next();
      if (event === null) break;
      events.push(event);
    }
    return events;
  }

  close = () => this.#reader.cancel();
}

const open = async ({ app }: Api, query = "", lastEventId?: string): Promise<Client> =>
  new Client(await app.request(`/events${query}`, { headers: lastEventId ? { "last-event-id": lastEventId } : {} }));

const numberOf = ({ id }: Event): number => Number(id.split("-")[0]);
const settled = () => new Promise((resolve) => setImmediate(resolve));
const lag = (dropped: number | null): Event => ({ name: "lag", id: "", data: JSON.stringify({ dropped }) });

const sampleOf = async ({ app }: Api, name: string): Promise<number> =>
  Number(new RegExp(`^all_smi_${name}{.*} (.*)$`, "m").exec(await (await app.request("/metrics")).text())?.[1]);

describe("a client", () => {
  test("gets the current frame, and then each that comes, as their lines", async () => {
    const api = openApi();
    api.cycle(3);
    const client = await open(api);
    const [first] = await client.take(1);
    expect(first).toEqual({ name: "snapshot", id: `2-${api.feed.run}`, data: frameLine(frameNumber(2)) });
    for (const n of [3, 4, 5]) {
      const coming = client.next();
      await settled();
      api.cycle();
      expect(await coming).toEqual({ name: "snapshot", id: `${n}-${api.feed.run}`, data: frameLine(frameNumber(n)) });
    }
  });

  test("that comes before the first cycle waits for it", async () => {
    const api = openApi();
    const client = await open(api);
    const coming = client.next();
    await settled();
    api.cycle();
    expect((await coming)?.id).toStartWith("0-");
  });

  test("gets the sections that it asked for", async () => {
    const api = openApi();
    api.cycle();
    const [event] = await (await open(api, "?include=memory")).take(1);
    const frame = JSON.parse(event?.data ?? "") as object;
    expect(["memory" in frame, "cpus" in frame, "t" in frame]).toEqual([true, false, true]);
  });

  test("gets a frame in so many seconds where it wants no more", async () => {
    const api = openApi();
    api.cycle();
    const client = await open(api, `?throttle=${(INTERVAL_MS / 1000) * 3}`);
    const numbers: number[] = [];
    const reading = client.take(3).then((events) => numbers.push(...events.map(numberOf)));
    for (let n = 0; n < 7; n++) {
      await settled();
      api.cycle();
    }
    await reading;
    expect(numbers).toEqual([0, 3, 6]);
  });

  test("hears a heartbeat where nothing else comes", async () => {
    const api = openApi();
    const client = await open(api, "?heartbeat=1");
    expect((await client.next())?.name).toBe("comment");
  });

  test("that leaves is forgotten", async () => {
    const api = openApi();
    api.cycle();
    const client = await open(api);
    await client.take(1);
    expect(await sampleOf(api, "event_clients")).toBe(1);
    await client.close();
    api.cycle();
    expect(await sampleOf(api, "event_clients")).toBe(0);
  });

  test("sees the end when the feed is closed", async () => {
    const api = openApi();
    api.cycle();
    const client = await open(api);
    await client.take(1);
    const coming = client.next();
    await settled();
    api.feed.close();
    expect(await coming).toBeNull();
  });
});

describe("a client that takes gzip", () => {
  const openGzip = async (api: Api, accepted = "gzip, deflate, br, zstd"): Promise<Response> =>
    await api.app.request("/events", { headers: { "accept-encoding": accepted } });

  test("gets each event as it comes", async () => {
    const api = openApi();
    api.cycle();
    const response = await openGzip(api);
    const client = new Client(new Response(response.body?.pipeThrough(new DecompressionStream("gzip")) ?? null));
    expect(await client.take(1)).toMatchObject([{ name: "snapshot", data: frameLine(frameNumber(0)) }]);
    for (const n of [1, 2, 3]) {
      const coming = client.next();
      await settled();
      api.cycle();
      expect(await coming).toMatchObject({ name: "snapshot", data: frameLine(frameNumber(n)) });
    }
    await client.close();
  });

  test("gets one whole gzip stream, a chunk for each event", async () => {
    const api = openApi();
    api.cycle();
    const reader = (await openGzip(api)).body?.getReader();
    const chunks: Uint8Array[] = [];
    const take = async () => chunks.push((await reader?.read())?.value ?? new Uint8Array(0));
    await take();
    for (let n = 0; n < 4; n++) {
      await take();
      api.cycle();
    }
    api.feed.close();
    await take();
    expect((await reader?.read())?.done).toBe(true);
    const text = gunzipSync(Buffer.concat(chunks)).toString();
    expect(text).toStartWith("retry: ");
    const lines = [0, 1, 2, 3].map(
      (n) => `event: snapshot\nid: ${n}-${api.feed.run}\ndata: ${frameLine(frameNumber(n))}\n`,
    );
    expect(
      text
        .split("\n\n")
        .slice(1, -1)
        .map((event) => `${event}\n`),
    ).toEqual(lines);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(frameLine(frameNumber(0)).length / 2);
  });

  test.each([
    ["gzip", "gzip"],
    ["zstd, gzip;q=0.5", "gzip"],
    ["zstd", null],
    ["gzip;q=0.1, identity", null],
    ["", null],
  ])("by %p has %p", async (accepted, encoding) => {
    const api = openApi();
    const { headers, body } = await openGzip(api, accepted);
    expect([headers.get("content-encoding"), headers.get("vary")]).toEqual([encoding, "Accept-Encoding"]);
    await body?.cancel();
  });
});

describe("coming back", () => {
  test("goes on behind the last event, over everything that is still there", async () => {
    const api = openApi();
    api.cycle(100);
    const events = await (await open(api, "", `9-${api.feed.run}`)).take(90);
    expect(events.map(numberOf)).toEqual(Array.from({ length: 90 }, (_, n) => n + 10));
    for (const [n, { name, data }] of events.entries()) {
      expect([name, data]).toEqual(["snapshot", frameLine(frameNumber(n + 10))]);
    }
  });

  test("goes on while it catches up and more frames come", async () => {
    const api = openApi();
    api.cycle(200);
    const client = await open(api, "?include=memory", `0-${api.feed.run}`);
    const numbers: number[] = [];
    for (let n = 0; n < 99; n++) {
      numbers.push(...(await client.take(3)).map(numberOf));
      api.cycle();
    }
    expect(numbers).toEqual(Array.from({ length: 297 }, (_, n) => n + 1));
  });

  test("with the newest event waits for the next one", async () => {
    const api = openApi();
    api.cycle(5);
    const client = await open(api, "", `4-${api.feed.run}`);
    const coming = client.next();
    await settled();
    api.cycle();
    expect(numberOf((await coming) as Event)).toBe(5);
  });

  test.each(["12345-1700000000000", "rubbish", "2026-04-18T12:00:00Z", "-1-5", "99999999999999999999-1", "1e3-1"])(
    "with the id %p, which this program never gave it, is told so, and gets everything that is there",
    async (id) => {
      const api = openApi();
      api.cycle(20);
      const [first, ...events] = await (await open(api, "", id)).take(21);
      expect(first).toEqual(lag(null));
      expect(events.map(numberOf)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    },
  );

  test("with an id that is still to come is told so", async () => {
    const api = openApi();
    api.cycle(2);
    const [first, second] = await (await open(api, "", `2-${api.feed.run}`)).take(2);
    expect(first).toEqual(lag(null));
    expect(numberOf(second as Event)).toBe(0);
  });

  test("too late is told how much is gone", async () => {
    const api = openApi({ heldBytes: 100_000 });
    while (api.feed.oldest < 20) api.cycle(50);
    const { oldest } = api.feed;
    const [first, second] = await (await open(api, "", `9-${api.feed.run}`)).take(2);
    expect(first).toEqual(lag(oldest - 10));
    expect(numberOf(second as Event)).toBe(oldest);
  });
});

describe("a client that is slow", () => {
  test("is told how many frames it lost, and goes on with the newest", async () => {
    const api = openApi();
    api.cycle();
    const client = await open(api);
    await client.take(1);
    api.cycle(BACKLOG + 30);
    const events = await client.take(1 + BACKLOG);
    expect(events[0]).toEqual(lag(30));
    expect(events.slice(1).map(numberOf)).toEqual(Array.from({ length: BACKLOG }, (_, n) => n + 31));
    expect(await sampleOf(api, "event_frames_dropped_total")).toBe(30);
  });

  test("loses nothing within the backlog", async () => {
    const api = openApi();
    api.cycle();
    const client = await open(api);
    await client.take(1);
    api.cycle(BACKLOG);
    expect((await client.take(BACKLOG)).map(numberOf)).toEqual(Array.from({ length: BACKLOG }, (_, n) => n + 1));
  });

  test("and takes nothing at all is disconnected, and counted", async () => {
    const api = openApi();
    api.cycle();
    const idle: number[] = [];
    const connection = { setIdleTimeout: (seconds: number) => void idle.push(seconds) };
    const stuck = new Client(await api.app.request("/events", {}, { connection }));
    const well = await open(api);
    await stuck.take(1);
    const [served] = await Promise.all([
      well.take(66),
      (async () => {
        for (let n = 0; n < 65; n++) {
          await settled();
          api.cycle();
        }
      })(),
    ]);
    expect(served).toHaveLength(66);
    expect(idle).toEqual([0, 1]);
    expect(await stuck.next()).toBeNull();
    expect(await sampleOf(api, "event_clients")).toBe(1);
    expect(await sampleOf(api, "event_clients_dropped_total")).toBe(1);
  });
});

test("beyond the cap clients are sent away, until one leaves", async () => {
  const api = openApi({ mostEventClients: 3 });
  api.cycle();
  const clients = await Promise.all([open(api), open(api), open(api)]);
  await Promise.all(clients.map((one) => one.take(1)));
  const refused = await api.app.request("/events");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await refused.json()).toEqual({ schema: 1, error: "subscriber_cap_exceeded" });
  await clients[0]?.close();
  await settled();
  expect((await api.app.request("/events")).status).toBe(200);
});
