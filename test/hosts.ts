import { createServer, type Server, type Socket } from "node:net";
import type { Cycle } from "../src/sources/source.ts";

/** Machines on this one that are asked over HTTP, well and not so well. */

const ADDRESS = "127.0.0.1";

/** Something that listens, to be closed when a test is over. */
export interface Host {
  readonly id: string;
  readonly port: number;
  /** Requests so far, by path. */
  readonly asked: string[];
  /** Connections so far. */
  connections: number;
  close(): Promise<void>;
}

const open = new Set<Host>();

export async function closeHosts(): Promise<void> {
  await Promise.all([...open].map((host) => host.close()));
}

/** What is written to whoever connects and has sent a request. */
type Answer = (socket: Socket, path: string) => void;

/** A server that answers as it likes, byte by byte. */
export async function rawHost(answer: Answer, port = 0): Promise<Host> {
  const sockets = new Set<Socket>();
  const host: { -readonly [K in keyof Host]: Host[K] } = {
    id: "",
    port: 0,
    asked: [],
    connections: 0,
    close: () => {
      open.delete(host);
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(() => done()));
    },
  };
  const server: Server = createServer((socket) => {
    host.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const path = /^GET (\S+) HTTP/.exec(bytes.toString("latin1"))?.[1];
      if (path === undefined) return;
      host.asked.push(path);
      answer(socket, path);
    });
  });
  await new Promise<void>((ready, fail) => {
    server.once("error", fail);
    server.listen(port, ADDRESS, ready);
  });
  const address = server.address();
  host.port = typeof address === "object" && address !== null ? address.port : 0;
  host.id = `${ADDRESS}:${host.port}`;
  open.add(host);
  return host;
}

export const response = (status: string, body: string | Uint8Array, headers = ""): string | Uint8Array => {
  const head = `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
};

type Text = string | Uint8Array;

/** An exporter: its page under `/metrics`, nothing elsewhere. */
export const exporter = (page: Text | (() => Text), port = 0): Promise<Host> =>
  rawHost((socket, path) => {
    const found = path === "/metrics";
    const body = typeof page === "function" ? page() : page;
    socket.write(found ? response("200 OK", body) : response("404 Not Found", "nothing here"));
  }, port);

/** Our own API: a frame under `/snapshot`. */
export const api = (line: () => string, port = 0): Promise<Host> =>
  rawHost((socket, path) => {
    const found = path.startsWith("/snapshot");
    socket.write(found ? response("200 OK", line()) : response("404 Not Found", ""));
  }, port);

/** The cycle that begins now. */
export function cycleNow(wait_ms: number): Cycle {
  const { signal } = new AbortController();
  return { t_ms: Date.now(), time: "2026-04-18 21:02:06", monotonic_ms: performance.now(), wait_ms, signal };
}
