import { wordOf } from "../frame/section_words.ts";
import { chooseEncoding } from "./accept.ts";
import { type Ask, answer, refuse, UNSTORED } from "./answer.ts";
import type { EventRequest } from "./event_client.ts";
import type { EventClients } from "./event_clients.ts";
import { isSet, secondsOf, selectionOf } from "./query.ts";
import type { ServedFeed } from "./served_feed.ts";

/** `/snapshot`: the current frame, as recordings have it. What was asked for and is not served, a header says. */
export function snapshotRoute(feed: ServedFeed) {
  return (c: Ask): Response => {
    const selection = selectionOf(c.req.query("include"), c.req.query("without"));
    const isPretty = isSet("pretty", c.req.query("pretty"));
    const { current } = feed;
    if (current === null) return refuse(c, 503, reasonOf(feed), { "Retry-After": "1" });
    const body = current.frameBody(selection, isPretty ? "pretty" : "line", isPretty ? indented : ended);
    const missing = selection.include?.filter((name) => current.frame[name] === undefined) ?? [];
    if (missing.length > 0) c.header("All-Smi-Not-Served", missing.map(wordOf).join(", "));
    return answer(c, body, "application/json");
  };
}

const ended = (line: string): string => `${line}\n`;
const indented = (line: string): string => `${JSON.stringify(JSON.parse(line), null, 2)}\n`;

const HEARTBEAT_MS = 30_000;
const LONGEST_S = 86_400;
const EVENT_HEADERS = {
  ...UNSTORED,
  "Content-Type": "text/event-stream",
  "X-Accel-Buffering": "no",
  Vary: "Accept-Encoding",
} as const;

/** Closes it soon: this is what reaches a connection whose client does not read. */
const SOON_S = 1;

/** `/events`: every frame as it comes. */
export function eventsRoute(clients: EventClients) {
  return (c: Ask): Response => {
    const encoding = chooseEncoding(c.req.header("accept-encoding"), ["gzip"]) === "gzip" ? "gzip" : "identity";
    const headers = encoding === "gzip" ? { ...EVENT_HEADERS, "Content-Encoding": encoding } : EVENT_HEADERS;
    const request: EventRequest = {
      encoding,
      selection: selectionOf(c.req.query("include"), c.req.query("without")),
      throttle_ms: secondsOf("throttle", c.req.query("throttle"), 0, LONGEST_S) ?? 0,
      heartbeat_ms: secondsOf("heartbeat", c.req.query("heartbeat"), 1, LONGEST_S) ?? HEARTBEAT_MS,
      lastEventId: c.req.header("last-event-id") ?? null,
    };
    if (c.req.method === "HEAD") return c.body(null, 200, headers);
    // Optional where no server passed a second argument at all.
    const connection = c.env?.connection;
    const stream = clients.open(request, () => connection?.setIdleTimeout(SOON_S));
    if (stream === null) {
      return c.json({ schema: 1, error: "subscriber_cap_exceeded" }, 503, { ...UNSTORED, "Retry-After": "5" });
    }
    connection?.setIdleTimeout(0);
    return c.body(stream, 200, headers);
  };
}

/** `/-/ready`: whether there is something to serve. */
export function readyRoute(feed: ServedFeed) {
  return (c: Ask): Response =>
    feed.current === null
      ? c.text(`all-smi is not ready: ${reasonOf(feed)}.\n`, 503, { ...UNSTORED, "Retry-After": "1" })
      : c.text("all-smi is ready.\n", 200, UNSTORED);
}

/** Why there is no current frame. */
function reasonOf({ age_ms }: ServedFeed): string {
  if (age_ms === null) return "no collection cycle has completed yet";
  return `the last collection cycle was completed ${Math.round(age_ms / 1000)} s ago`;
}
