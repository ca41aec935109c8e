import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryOf, sampleOf } from "./recorder.ts";

const PROGRAM = join(import.meta.dir, "../bin/all-smi");
const PORT = 21_999;
const BASE = `http://127.0.0.1:${PORT}`;

const CONNECTIONS = 20;
const WRK_S = 10;

/** Connections and compiled code are there, and what the first frames left is collected. */
const SETTLED_S = 15;

export interface ServedApi {
  readonly pid: number;
  stop(): Promise<void>;
}

/** On the first core where `taskset` can say so; what asks is on the second. */
const onCore = (core: number): string[] => (Bun.which("taskset") === null ? [] : ["taskset", "-c", `${core}`]);

export async function serveApi(): Promise<ServedApi> {
  const options = ["api", "--port", `${PORT}`, "--source", "mock", "--mock", "1x8", "-i", "1", "--processes"];
  const served = Bun.spawn([...onCore(0), PROGRAM, ...options], { stdio: ["ignore", "ignore", "ignore"] });
  while (!(await fetch(`${BASE}/-/ready`).catch(() => null))?.ok) {
    if (served.exitCode !== null) throw new Error(`nothing can be served on port ${PORT}`);
    await Bun.sleep(20);
  }
  return {
    pid: served.pid,
    stop: async () => {
      served.kill("SIGKILL");
      await served.exited;
    },
  };
}

export interface Load {
  readonly headers: readonly string[];
  /** `null`: each connection asks again at once. */
  readonly perSecond: number | null;
}

export interface MetricsCost {
  readonly perSecond: number;
  readonly median_ms: number;
  readonly p99_ms: number;
  /** Requests without an answer, or with another than 200. */
  readonly failed: number;
  /** Of one core. */
  readonly cpuShare: number;
}

export async function measureMetrics({ pid }: ServedApi, { headers, perSecond }: Load): Promise<MetricsCost> {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-bench-"));
  try {
    const script = join(folder, "load.lua");
    writeFileSync(script, loadScript(perSecond));
    const options = ["-t1", `-c${CONNECTIONS}`, `-d${WRK_S}s`, "-s", script];
    const wrk = ["wrk", ...options, ...headers.flatMap((header) => ["-H", header]), `${BASE}/metrics`];
    const before = sampleOf(pid);
    const load = Bun.spawn([...onCore(1), ...wrk], { stdio: ["ignore", "pipe", "inherit"] });
    const text = await load.stdout.text();
    const after = sampleOf(pid);
    const result = JSON.parse(text.trimEnd().split("\n").at(-1) ?? "") as Omit<MetricsCost, "cpuShare">;
    return { ...result, cpuShare: (after.cpu_ms - before.cpu_ms) / (after.t_ms - before.t_ms) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `wrk` knows no rate: each connection waits before it asks, on average as long as it takes for the rate. */
function loadScript(perSecond: number | null): string {
  const mean_ms = perSecond === null ? 0 : (CONNECTIONS / perSecond) * 1000;
  const pace = perSecond === null ? "" : `function delay() return math.random(0, ${2 * mean_ms - 2}) end\n`;
  return `${pace}function done(summary, latency)
  local errors = summary.errors
  print(string.format('{"perSecond":%f,"median_ms":%f,"p99_ms":%f,"failed":%d}',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
`;
}

export interface StreamsCost {
  readonly frames: { readonly least: number; readonly most: number };
  /** Over all clients, as the program itself counts. */
  readonly missed: number;
  readonly cpuShare: number;
  /** In MiB: the least in each half of the time, that is without what is to be collected. */
  readonly resident: { readonly before: number; readonly after: number };
  readonly sentBytesPerSecond: number;
}

/** So many clients for so long, after a while for all of them to come. */
export async function measureStreams({ pid }: ServedApi, clients: number, seconds: number): Promise<StreamsCost> {
  const streams = await Promise.all(Array.from({ length: clients }, () => Stream.open()));
  await Bun.sleep(SETTLED_S * 1000);
  const before = sampleOf(pid);
  const [frames, bytes] = [streams.map((one) => one.frames), sum(streams.map((one) => one.bytes))];
  const resident = { before: await leastResident(pid, seconds / 2), after: await leastResident(pid, seconds / 2) };
  const after = sampleOf(pid);
  const passed_ms = after.t_ms - before.t_ms;
  const got = streams.map((one, n) => one.frames - (frames[n] ?? 0));
  const cost = {
    frames: { least: Math.min(...got), most: Math.max(...got) },
    missed: await missedFrames(),
    cpuShare: (after.cpu_ms - before.cpu_ms) / passed_ms,
    resident,
    sentBytesPerSecond: ((sum(streams.map((one) => one.bytes)) - bytes) / passed_ms) * 1000,
  };
  for (const one of streams) one.close();
  return cost;
}

async function leastResident(pid: number, seconds: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await Bun.sleep(500)) {
    least = Math.min(least, memoryOf(pid).resident);
  }
  return least;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

async function missedFrames(): Promise<number> {
  const text = await (await fetch(`${BASE}/metrics`)).text();
  return Number(/^all_smi_event_frames_dropped_total\{.*\} (\d+)$/m.exec(text)?.[1]);
}

const NEWLINE = 10;
/** `retry:` and an empty line come first; each frame is `event:`, `id:`, `data:` and an empty line. */
const LINES_BEFORE = 2;
const LINES_A_FRAME = 4;

/** A client of the event stream that counts what it gets. */
class Stream {
  readonly #request: http.ClientRequest;
  #lines = 0;
  bytes = 0;

  /** Resolves when it has its first frame. Not by `fetch`, which keeps no more than 256 of them. */
  static async open(): Promise<Stream> {
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const request = http.get(`${BASE}/events`, { agent: false }, resolve).on("error", reject);
    const stream = new Stream(request);
    const response = await promise;
    if (response.statusCode !== 200) throw new Error(`a client got ${response.statusCode}`);
    await new Promise<void>((ready) => {
      response.on("error", () => {});
      response.on("data", (bytes: Buffer) => {
        stream.#take(bytes);
        if (stream.frames > 0) ready();
      });
    });
    return stream;
  }

  private constructor(request: http.ClientRequest) {
    this.#request = request;
  }

  get frames(): number {
    return Math.max(0, Math.floor((this.#lines - LINES_BEFORE) / LINES_A_FRAME));
  }

  close(): void {
    this.#request.destroy();
  }

  #take(bytes: Buffer): void {
    this.bytes += bytes.length;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) this.#lines++;
  }
}
