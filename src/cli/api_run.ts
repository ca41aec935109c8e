import { createApp } from "../api/app.ts";
import { Feed } from "../api/feed.ts";
import { isLoopbackHost } from "../api/host_check.ts";
import { type Listener, listenTcp, listenUnix, type Tls } from "../api/listen.ts";
import { machineClock } from "../clock.ts";
import { UsageError } from "../errors.ts";
import type { SectionName } from "../frame/schema.ts";
import { Sampler } from "../sampler.ts";
import type { ApiOptions } from "./api.ts";
import { build } from "./build.ts";
import type { SourceOptions } from "./options.ts";
import { say } from "./say.ts";
import { readToken } from "./secret_file.ts";
import { stopSignal } from "./signals.ts";
import { openSources } from "./sources.ts";
import { readTls } from "./tls_files.ts";

/** What each frame leaves behind for each client is little, and for hundreds of them 10 MiB before the runtime collects. */
const COLLECT_EVERY_MS = 30_000;

/** Serves until a signal comes. */
export async function serve(options: ApiOptions): Promise<void> {
  check(options);
  const { tokenFile, interval, tlsCert, tlsKey } = options;
  const token = tokenFile === undefined ? null : readToken("--token-file", tokenFile);
  const tls = tlsCert === undefined || tlsKey === undefined ? null : readTls(tlsCert, tlsKey);
  const include = sectionsToServe(options, token);
  const { sources, kind, hostname, nameNow, warning } = await openSources(sourceOptions(options, include));
  if (warning !== null) say(warning);
  const sampler = new Sampler({
    ...(nameNow && { nameNow }),
    ...{ sources, include, hostname, source: kind, interval_ms: interval, duration_ms: 0, clock: machineClock },
  });
  const feed = new Feed({ interval_ms: interval, clock: machineClock });
  const app = createApp({ feed, hostname, build, token, allowedHosts: options.allowHost, tell: say });
  const listeners: Listener[] = [];
  const collecting = setInterval(() => Bun.gc(true), COLLECT_EVERY_MS);
  try {
    if (options.port > 0)
      listeners.push(listenTcp(app, { hostname: options.listen.hostname, port: options.port, tls }));
    if (options.socket !== undefined) listeners.push(await listenUnix(app, options.socket));
    for (const { where } of listeners) say(`listening on ${where}`);
    if (options.port > 0) warn(options, token, tls);
    await sampler.run(
      stopSignal(() => {}),
      (frame, outcome) => feed.take(frame, outcome),
    );
  } finally {
    clearInterval(collecting);
    feed.close();
    await Promise.all(listeners.map((one) => one.stop()));
    sampler.close();
  }
}

function check({ port, socket, tlsCert, tlsKey }: ApiOptions): void {
  if (port === 0 && socket === undefined)
    throw new UsageError("--port 0 goes with --socket: there is nothing to listen on");
  if (socket === "") throw new UsageError("--socket is empty: give a path");
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new UsageError("--tls-cert and --tls-key go together");
  if (tlsCert !== undefined && port === 0) throw new UsageError("--tls-cert is for a TCP port: not with --port 0");
}

/** Whether others than this machine can get there. A name may mean any address, but for the one that all know. */
const isWide = ({ port, listen }: ApiOptions): boolean => port > 0 && !isLoopbackHost(listen.hostname);

/** What to read: no processes where anybody could ask for them. */
function sectionsToServe(options: ApiOptions, token: string | null): SectionName[] {
  const isAsked = options.processes !== undefined || options.include.includes("processes");
  const others = options.include.filter((name) => name !== "processes");
  if (!isAsked) return others;
  if (!isWide(options) || token !== null) return [...others, "processes"];
  say(`processes are left out: with --listen ${options.listen.hostname} and no --token-file, everybody could see them`);
  return others;
}

const USUAL_PROCESSES = 100;

/** Without the token, which is for those who ask us and not for whom we ask. */
const sourceOptions = ({ tokenFile: _, ...options }: ApiOptions, include: SectionName[]): SourceOptions => ({
  ...options,
  include,
  processes: typeof options.processes === "number" ? options.processes : USUAL_PROCESSES,
});

function warn(options: ApiOptions, token: string | null, tls: Tls | null): void {
  if (!isWide(options)) return;
  if (token === null) say("anybody who reaches this port can read what it serves: --token-file keeps others out");
  else if (tls === null) say("the token passes the network in the clear: --tls-cert and --tls-key encrypt it");
}
