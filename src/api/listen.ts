import { lstatSync, unlinkSync } from "node:fs";
import { errorCode, oneLine, systemWords, UsageError } from "../errors.ts";
import type { App } from "./app.ts";
import { isLoopbackHost } from "./host_check.ts";

export interface Tls {
  /** Both as PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Address {
  readonly hostname: string;
  readonly port: number;
  readonly tls: Tls | null;
}

/** A server that answers until it is stopped; then it cuts what is still connected. */
export interface Listener {
  /** Where, as one says it: a URL, or the path of a socket. */
  readonly where: string;
  stop(): Promise<void>;
}

/** Longer than it usually takes until the next scrape, which then finds the connection open. */
const IDLE_S = 75;
/** No request has a body that anybody would read. */
const BODY_BYTES = 1024;

const common = { development: false, maxRequestBodySize: BODY_BYTES } as const;

type Server = Bun.Server<undefined>;

const fetchBy = (app: App) => (request: Request, server: Server) =>
  app.fetch(request, {
    connection: { setIdleTimeout: (seconds) => server.timeout(request, seconds), isOfLoopback: isOfLoopback(server) },
  });

/** By the address that a name turned out to have; a Unix socket has none. */
function isOfLoopback(server: Server): boolean {
  // Bun has it, and its types have not.
  const { address } = server as Server & { readonly address?: { readonly address?: string } | null };
  return address?.address !== undefined && isLoopbackHost(address.address);
}

/** What has its answer gets time to take the end of it. */
const FAREWELL_MS = 300;

const listener = (server: Server, where: string): Listener => ({
  where,
  stop: async () => {
    await Promise.race([server.stop(), Bun.sleep(FAREWELL_MS)]);
    await server.stop(true);
  },
});

const ADDRESS_WORDS: Readonly<Record<string, string>> = {
  EACCES: "not allowed to listen there",
  EADDRINUSE: "another program listens there",
  ENAMETOOLONG: "the path of a socket may not be that long",
};

const addressWords = (error: unknown): string | undefined => ADDRESS_WORDS[errorCode(error) ?? ""];

/** Of a name that means nothing the error's code is whatever failed last in the process: ENOENT, EINVAL, ENOTCONN. */
const NOT_OURS = "this machine has no such address";

/** Serves on a port. Throws a UsageError where that cannot be. */
export function listenTcp(app: App, { hostname, port, tls }: Address): Listener {
  try {
    // Where `development` is off the port is shared by default: a second program would take half of the requests.
    const options = { ...common, hostname, port, reusePort: false, idleTimeout: IDLE_S, ...(tls ? { tls } : {}) };
    const server = Bun.serve({ ...options, fetch: fetchBy(app) });
    return listener(server, server.url.href.replace(/\/$/, ""));
  } catch (error) {
    if (/^ERR_(OSSL|SSL|BORINGSSL)/.test(errorCode(error) ?? "")) throw new UsageError(`TLS: ${oneLine(error)}`);
    throw new UsageError(`cannot listen on ${hostname} port ${port}: ${addressWords(error) ?? NOT_OURS}`);
  }
}

/** Group and others: nothing. */
const OWNER_ONLY_UMASK = 0o177;

/** Serves on a Unix socket that only its owner may use. Throws a UsageError where that cannot be. */
export async function listenUnix(app: App, path: string): Promise<Listener> {
  await makeRoom(path);
  const umask = process.umask(OWNER_ONLY_UMASK);
  try {
    return listener(Bun.serve({ ...common, unix: path, fetch: fetchBy(app) }), path);
  } catch (error) {
    throw new UsageError(`cannot listen on ${path}: ${addressWords(error) ?? systemWords(error)}`);
  } finally {
    process.umask(umask);
  }
}

/** Removes a socket that nobody listens on any more: its program was killed. */
async function makeRoom(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new UsageError(`${path}: is there, and is no socket`);
  if (await isAnswered(path)) throw new UsageError(`${path}: another program listens there`);
  unlinkSync(path);
}

async function isAnswered(path: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data: () => {} } });
    socket.end();
    return true;
  } catch (error) {
    if (errorCode(error) === "ECONNREFUSED") return false;
    throw new UsageError(`${path}: ${systemWords(error)}`);
  }
}
