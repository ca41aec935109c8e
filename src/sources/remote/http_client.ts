import http from "node:http";
import https from "node:https";
import { errorCode, oneLine } from "../../errors.ts";
import { type Endpoint, endpointId } from "./target.ts";

/** Takes a body as it comes; `false`: the rest is of no use. */
export type Sink = (bytes: Uint8Array) => boolean;

/** How a request ended. `isAnswer`: something that speaks HTTP is there. */
export type HttpEnd = { readonly error: null } | { readonly error: string; readonly isAnswer: boolean };

export interface HttpOptions {
  /** Sent as a bearer token. */
  readonly token: string | null;
  /** PEM of the only authorities that are trusted; `null`: the system's. */
  readonly ca: string | null;
}

/** Longer bodies are not read to their end: the largest page of an exporter is a fifth of it. */
const LARGEST_BODY = 8 << 20;

/** Statuses of the kind `100 Continue` before the one that counts. */
const MOST_INFORMED = 8;

const WORDS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection closed"],
  ["EPIPE", "connection closed"],
  ["ENOTFOUND", "unknown host"],
  ["EAI_AGAIN", "unknown host"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["ETIMEDOUT", "timeout"],
  ["HPE_HEADER_OVERFLOW", "too large"],
]);

/** What a failed connection is called in a frame's `scrapes`. */
function errorWords(error: unknown): string {
  const code = errorCode(error) ?? "";
  const words = WORDS.get(code);
  if (words !== undefined) return words;
  if (code.startsWith("HPE_")) return "not HTTP";
  if (/TLS|SSL|CERT|SIGNED|SIGNATURE|EPROTO/.test(code))
    return `TLS: ${code
      .replace(/^ERR_(?:TLS|SSL)_/, "")
      .toLowerCase()
      .replaceAll("_", " ")}`;
  return code || oneLine(error).slice(0, 80);
}

const SUCCESS: HttpEnd = { error: null };
const answered = (error: string): HttpEnd => ({ error, isAnswer: true });

/** What a request came to before it is an answer for whoever asked. */
type Step = HttpEnd | "stale" | { readonly location: string };

/** What has moved is looked for so often: proxies that add a slash, then TLS. */
const MOST_REDIRECTS = 4;
const REDIRECTED: HttpEnd = answered("redirected");

interface Place {
  readonly endpoint: Endpoint;
  readonly path: string;
}

/**
 * Where a redirect leads on the same host: to another path, or to TLS. `null`: elsewhere, where neither the token nor
 * the question belongs.
 */
export function redirected({ endpoint, path }: Place, location: string): Place | null {
  const from = `${endpoint.scheme}://${endpointId({ ...endpoint, path: null })}`;
  const base = URL.parse(path, from);
  const to = base === null ? null : URL.parse(location, base.href);
  if (base === null || to === null || to.hostname !== base.hostname) return null;
  const isToTls = base.protocol === "http:" && to.protocol === "https:";
  if (!isToTls && (to.protocol !== base.protocol || to.port !== base.port)) return null;
  const scheme = isToTls ? "https" : endpoint.scheme;
  const port = isToTls ? Number(to.port || "443") : endpoint.port;
  return { endpoint: { ...endpoint, scheme, port }, path: to.pathname + to.search };
}

/**
 * Fetches bodies, one connection a host, kept from cycle to cycle. `node:http`, since Bun's `fetch` keeps no more than
 * 64 connections and takes proxies from the environment; it costs 0.16 ms of CPU a request of 60 KB, `fetch` 0.15.
 */
export class HttpClient {
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };
  readonly #headers: Record<string, string>;

  constructor({ token, ca }: HttpOptions) {
    this.#agents = {
      http: new http.Agent({ keepAlive: true }),
      https: new https.Agent({ keepAlive: true, ...(ca === null ? {} : { ca }) }),
    };
    this.#headers = {
      accept: "application/json, text/plain;version=0.0.4;q=0.9, */*;q=0.1",
      // In a cluster's network bytes are cheaper than the CPU that unpacks them.
      "accept-encoding": "identity",
      "user-agent": "all-smi",
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /** Never rejects. `open` gives a new sink for each try: a connection that the host closed meanwhile has a second. */
  async get(endpoint: Endpoint, path: string, open: () => Sink, signal: AbortSignal): Promise<HttpEnd> {
    let place: Place | null = { endpoint, path };
    for (let asked = 0; place !== null && asked <= MOST_REDIRECTS; asked++) {
      const first: Step = await this.#try(place, open(), signal);
      const step: Step = first === "stale" ? await this.#try(place, open(), signal) : first;
      if (step === "stale") return { error: "connection closed", isAnswer: false };
      if ("error" in step) return step;
      place = redirected(place, step.location);
    }
    return REDIRECTED;
  }

  #try({ endpoint, path }: Place, sink: Sink, signal: AbortSignal): Promise<Step> {
    const { scheme, host, port } = endpoint;
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve(TIMEOUT);
        return;
      }
      const options = {
        host,
        port,
        path,
        headers: { ...this.#headers, host: endpointId({ ...endpoint, path: null }) },
      };
      const request =
        scheme === "https"
          ? https.get({ ...options, agent: this.#agents.https })
          : http.get({ ...options, agent: this.#agents.http });
      let isOver = false;
      const settle: Settle = (result, isDone = false) => {
        isOver = true;
        signal.removeEventListener("abort", onAbort);
        resolve(result);
        if (!isDone) request.destroy();
      };
      const onAbort = () => settle(TIMEOUT);
      signal.addEventListener("abort", onAbort);
      request.on("error", (error) => {
        const isStale = request.reusedSocket && errorCode(error) === "ECONNRESET";
        settle(isStale ? "stale" : { error: errorWords(error), isAnswer: errorCode(error) === "HPE_HEADER_OVERFLOW" });
      });
      let informed = 0;
      const inform = () => {
        if (++informed > MOST_INFORMED) settle(answered("not HTTP"));
      };
      request.on("continue", inform);
      request.on("information", inform);
      request.on("response", (response) => readBody(response, (bytes) => !isOver && sink(bytes), settle));
    });
  }
}

const TIMEOUT: HttpEnd = { error: "timeout", isAnswer: false };

/** `isDone`: the connection can be used again. */
type Settle = (result: Step, isDone?: boolean) => void;

/** Of a status other than 200. */
function statusStep(status: number, location: string | undefined): Step {
  if (status < 300 || status >= 400) return answered(`HTTP ${status}`);
  return location === undefined || status === 304 ? REDIRECTED : { location: location.slice(0, LONGEST_LOCATION) };
}

const LONGEST_LOCATION = 2048;

function readBody(response: http.IncomingMessage, sink: Sink, settle: Settle): void {
  const { statusCode = 0, headers } = response;
  response.on("error", (cause) => settle({ error: errorWords(cause), isAnswer: false }));
  if (statusCode !== 200) {
    settle(statusStep(statusCode, headers.location));
    return;
  }
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    settle(answered(`sends ${encoding.slice(0, 16)}, not asked for`));
    return;
  }
  let left = LARGEST_BODY;
  if (Number(headers["content-length"] ?? 0) > left) {
    settle(answered("too large"));
    return;
  }
  response.on("data", (bytes: Uint8Array) => {
    left -= bytes.length;
    if (left < 0) settle(answered("too large"));
    else if (!sink(bytes)) settle(SUCCESS);
  });
  response.on("end", () => settle(SUCCESS, true));
}
