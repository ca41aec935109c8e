import type { Socket } from "node:net";
import { type Host, rawHost, response } from "../hosts.ts";
import { lineOf } from "../remote.ts";

/** Nodes that misbehave, each in another way every few seconds. */

const HOSTILE = "\\".repeat(1_000_000);
const ESCAPES = "\u001b]0;owned\u0007\u202e".repeat(1000);

type Answer = (socket: Socket) => void;

const frame = (): Record<string, unknown> => JSON.parse(lineOf({}));

/** A frame in which whatever is a text, or may hold texts, is far too long. */
function swollen(text: string): string {
  const { processes = [], ...rest } = frame() as { processes?: Record<string, unknown>[] };
  const process = { ...processes[0], uses_gpu: true, command: text, process_name: text };
  return JSON.stringify({ ...rest, t: new Date().toISOString(), hostname: text, errors: [text], processes: [process] });
}

const ok = (socket: Socket, body: string | Uint8Array): void => void socket.write(response("200 OK", body));

const WAYS: readonly Answer[] = [
  () => {},
  (socket) => ok(socket, crypto.getRandomValues(new Uint8Array(60_000))),
  (socket) => ok(socket, swollen(HOSTILE)),
  (socket) => ok(socket, swollen(ESCAPES)),
  (socket) => socket.resetAndDestroy(),
  (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{");
    setTimeout(() => socket.resetAndDestroy(), 200);
  },
  (socket) =>
    ok(socket, `# TYPE a gauge\n${Array.from({ length: 50_000 }, (_, n) => `a{b="${n}"} ${n}`).join("\n")}\n`),
  (socket) => ok(socket, lineOf({ t_ms: Date.now() })),
];

const TURN_MS = 7000;

/** So many of them on ports of their own; no two misbehave alike at a time. */
export const badNodes = (count: number): Promise<Host[]> =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      rawHost((socket) => {
        const turn = Math.floor(Date.now() / TURN_MS) + n;
        WAYS[turn % WAYS.length]?.(socket);
      }),
    ),
  );
