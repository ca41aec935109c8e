import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM, type Started, start, until } from "./run.ts";

/** Simulated nodes that are served. */
export interface Nodes {
  readonly process: Started;
  readonly hostfile: string;
  readonly port: number;
  /** `host:port` of each. */
  readonly ids: readonly string[];
}

/** Small machines, but for their number. */
const SMALL = ["--gpus", "2", "--threads", "8", "--processes", "12"] as const;

let next = 23_000 + (process.pid % 200) * 40;

/** On that port, or on the first where there is room for all. */
export async function startNodes(
  folder: string,
  count: number,
  options: readonly string[] = [],
  port?: number,
): Promise<Nodes> {
  for (;;) {
    const first = port ?? next;
    next = first + count;
    const hostfile = join(folder, `nodes-${first}-${crypto.randomUUID()}`);
    const command = ["mock", "--nodes", `${count}`, "--port", `${first}`, "--hostfile", hostfile, ...SMALL, ...options];
    const nodes = start([...PROGRAM, ...command]);
    await until("nodes, or none", () => existsSync(hostfile) || nodes.child.exitCode !== null);
    if (existsSync(hostfile)) return { process: nodes, hostfile, port: first, ids: idsIn(hostfile) };
    const { err } = await nodes.ended;
    if (!err.includes("another program listens there") || port !== undefined) throw new Error(err);
  }
}

const idsIn = (hostfile: string): string[] =>
  readFileSync(hostfile, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
