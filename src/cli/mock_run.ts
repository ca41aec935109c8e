import { Hono } from "hono";
import type { Environment } from "../api/answer.ts";
import { type App, createApp } from "../api/app.ts";
import { type Listener, listenTcp } from "../api/listen.ts";
import { machineClock } from "../clock.ts";
import { systemWords, UsageError } from "../errors.ts";
import { type SectionName, sections } from "../frame/schema.ts";
import { type MockMachine, mockMachines } from "../sources/mock/mock.ts";
import { build } from "./build.ts";
import type { MockCommandOptions } from "./mock.ts";
import { MockFeed, Seconds } from "./mock_feed.ts";
import { writeOutputFile } from "./output_file.ts";
import { say } from "./say.ts";
import { stopSignal } from "./signals.ts";
import { formatCount } from "./units.ts";
import { useMachineZone } from "./zones.ts";

const HOST = "127.0.0.1";
const LAST_PORT = 65_535;

/** A cycle waits 5 s for its sources at most, ours and everybody else's. */
const SLOW_MS = 6000;

/** Neither text nor anything that it could be packed as. */
const GARBAGE = Uint8Array.from({ length: 4096 }, (_, n) => 0x80 | ((n * 7) & 0x7f));

type Failure = "garbage" | "slow" | "down";

interface Node {
  readonly port: number;
  readonly failure: Failure | null;
  readonly machine: MockMachine;
}

/** Serves until a signal comes. */
export async function mock(options: MockCommandOptions): Promise<void> {
  const nodes = nodesOf(options);
  const problem = useMachineZone();
  if (problem !== null) say(problem);
  const stop = stopSignal(() => {});
  const listeners: Listener[] = [];
  try {
    const seconds = new Seconds(machineClock);
    for (const node of nodes) {
      if (node.failure === "down") continue;
      listeners.push(listenTcp(appOf(node, seconds), { hostname: HOST, port: node.port, tls: null }));
    }
    if (options.hostfile !== undefined) await writeHostfile(options.hostfile, nodes);
    tell(nodes, options);
    await machineClock.until(Number.POSITIVE_INFINITY, stop);
  } finally {
    await Promise.all(listeners.map((one) => one.stop()));
  }
}

function nodesOf({ nodes, gpus, port, threads, processes, seed, down, slow, garbage }: MockCommandOptions): Node[] {
  if (port + nodes - 1 > LAST_PORT) throw new UsageError(`--port ${port}: there are no ${nodes} ports from there on`);
  const failing = garbage + slow + down;
  if (failing > nodes) throw new UsageError(`--down, --slow and --garbage: ${failing} of ${nodes} nodes cannot fail`);
  const include = Object.keys(sections) as SectionName[];
  const machines = mockMachines({ hosts: nodes, gpus, cpus: threads, processes, seed, include });
  const failureOf = (n: number): Failure | null => {
    if (n >= nodes - down) return "down";
    if (n >= nodes - down - slow) return "slow";
    return n >= nodes - failing ? "garbage" : null;
  };
  return machines.map((machine, n) => ({ machine, port: port + n, failure: failureOf(n) }));
}

/** What `all-smi api` serves there, or what a node serves that fails. */
function appOf({ machine, failure }: Node, seconds: Seconds): App {
  if (failure === "garbage") return new Hono<Environment>().all("*", (c) => c.body(GARBAGE));
  const { hostname } = machine;
  const app = createApp({ feed: new MockFeed(machine, seconds), hostname, build, token: null, tell: say });
  if (failure === null) return app;
  return new Hono<Environment>().all("*", async (c) => {
    await Bun.sleep(SLOW_MS);
    return await app.fetch(c.req.raw, c.env);
  });
}

async function writeHostfile(path: string, nodes: readonly Node[]): Promise<void> {
  const lines = nodes.map(({ port, failure, machine }) => {
    const remarks = failure === null ? machine.hostname : `${machine.hostname}, ${failure}`;
    return `${HOST}:${port} # ${remarks}\n`;
  });
  try {
    await writeOutputFile(path, lines.join(""));
  } catch (error) {
    throw new UsageError(`--hostfile ${path}: ${systemWords(error)}`);
  }
}

function tell(nodes: readonly Node[], { gpus, hostfile }: MockCommandOptions): void {
  say(`${formatCount(nodes.length, "node")} of ${formatCount(gpus, "GPU")} on ${HOST}, ${portsOf(nodes)}`);
  for (const kind of ["garbage", "slow", "down"] as const) {
    const failing = nodes.filter(({ failure }) => failure === kind);
    if (failing.length > 0) say(`${kind}: ${portsOf(failing)}`);
  }
  if (hostfile !== undefined) say(`their list is in ${hostfile}`);
}

function portsOf(nodes: readonly Node[]): string {
  const [first, last] = [nodes[0]?.port, nodes.at(-1)?.port];
  return first === last ? `port ${first}` : `ports ${first} to ${last}`;
}
