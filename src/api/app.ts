import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import { oneLine } from "../errors.ts";
import { type Environment, refuse, UNSTORED } from "./answer.ts";
import { EventClients } from "./event_clients.ts";
import { eventsRoute, readyRoute, snapshotRoute } from "./frame_routes.ts";
import { hostCheck } from "./host_check.ts";
import { type MetricsOptions, metricsRoute } from "./metrics_route.ts";
import { QueryError } from "./query.ts";
import { RequestCounts } from "./request_counts.ts";
import { tokenCheck } from "./token.ts";

export interface AppOptions extends MetricsOptions {
  /** What everybody must bring who wants more than to know whether it is up; `null`: nothing. */
  readonly token: string | null;
  /** Beside this machine's own, the hosts under whose name listeners on loopback addresses answer, in lower case. */
  readonly allowedHosts?: readonly string[];
  /** Is told of what must not happen. */
  readonly tell: (message: string) => void;
  /** Of the event stream at once. */
  readonly mostEventClients?: number;
}

export type App = Hono<Environment>;

const MOST_EVENT_CLIENTS = 1024;

const PATHS = ["/metrics", "/snapshot", "/events", "/-/healthy", "/-/ready"] as const;

/** Those anybody may ask: they tell nothing, and what watches over services has no token. */
const isOpen = (path: string): boolean => path.startsWith("/-/");

/** The HTTP interface of `all-smi api`. It reads no device: all it knows comes from the feed. */
export function createApp(options: AppOptions): App {
  const { feed, token, tell, mostEventClients = MOST_EVENT_CLIENTS, allowedHosts = [], ...metrics } = options;
  const requests = new RequestCounts(PATHS);
  const clients = new EventClients(feed, mostEventClients);
  const counts = () => ({
    requests: requests.all,
    eventClients: clients.count,
    framesDropped: clients.framesDropped,
    clientsDropped: clients.dropped,
  });
  const app: App = new Hono({ getPath: pathOf });
  app.use(async (c, next) => {
    await next();
    requests.add(c.req.path, c.res.status);
  });
  needHost(app, allowedHosts);
  if (token !== null) needToken(app, token);
  app.get("/metrics", metricsRoute({ feed, ...metrics }, counts));
  app.get("/snapshot", snapshotRoute(feed));
  app.get("/events", eventsRoute(clients));
  app.get("/-/healthy", (c) => c.text("all-smi is healthy.\n", 200, UNSTORED));
  app.get("/-/ready", readyRoute(feed));
  for (const path of PATHS) app.all(path, (c) => refuse(c, 405, "only GET and HEAD", { Allow: "GET, HEAD" }));
  app.notFound((c) => refuse(c, 404, "there is nothing at this path"));
  app.onError((error, c) => {
    if (error instanceof QueryError) return refuse(c, 400, error.message);
    tell(`${c.req.method} ${c.req.path}: ${oneLine(error)}`);
    return refuse(c, 500, "internal error");
  });
  return app;
}

/** HTTP/1.0 has no `Host`: what asks without one, as load balancers do, is not told by a whole URL. */
const pathOf = (request: Request): string =>
  request.url.startsWith("/") ? (request.url.split(/[?#]/, 1)[0] ?? "") : getPath(request);

function needHost(app: App, allowed: readonly string[]): void {
  const isRight = hostCheck(allowed);
  app.use(async (c, next) => {
    if (!c.env?.connection?.isOfLoopback || isRight(c.req.header("host"))) return await next();
    return refuse(c, 403, "this Host is not this machine: --allow-host names others that are answered");
  });
}

function needToken(app: App, token: string): void {
  const isRight = tokenCheck(token);
  app.use(async (c, next) => {
    if (isOpen(c.req.path) || isRight(c.req.header("authorization"))) return await next();
    return refuse(c, 401, "a bearer token is needed", { "WWW-Authenticate": 'Bearer realm="all-smi"' });
  });
}
