import { afterAll, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import { frameLine } from "../../src/frame/encode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import type { FrameEvent } from "../../src/frame/schema.ts";
import { frameWith, gpu } from "../event_frames.ts";
import { api, closeHosts } from "../hosts.ts";
import { START_MS } from "../mock.ts";
import { recordFrames } from "./in_process.ts";
import { counted } from "./recordings.ts";
import { PROGRAM, record, start, testFolder, until } from "./run.ts";

const folder = testFolder();
afterAll(closeHosts);

const HOSTS = 16;
const GPUS = 50;
/** What of the 800 GPUs that are throttled at once finds no room. */
const REFUSED = { throttle: HOSTS * GPUS - 192 };

/** A host of which one may choose what its next page has. */
interface Node {
  lost: boolean;
  throttled: boolean;
  events: FrameEvent[];
}

const frameOf = (n: number, { lost, throttled, events }: Node): Frame => {
  const host = { host_id: `node-${n}`, hostname: `node-${n}`, instance: `node-${n}` };
  const gpus = counted(GPUS).map((index) => ({
    ...gpu(index, { throttle: throttled ? ["thermal"] : [] }, host),
    uuid: `GPU-${n}-${index}`,
  }));
  const [first, ...others] = gpus;
  if (lost && first !== undefined) {
    const since = "2026-04-18T12:00:00Z";
    gpus.splice(0, gpus.length, { ...first, utilization: null, temperature: null, lost: { since, reason: "gone" } });
    gpus.push(...others);
  }
  return frameWith(gpus, { hostname: `node-${n}`, t_ms: Date.now(), events });
};

const linesOf = (path: string): string[] =>
  (existsSync(path) ? readFileSync(path, "utf8") : "").split("\n").filter((line) => line.includes('"hostname"'));

/** The newest frame: these tests serve the nodes, too, and have no time to read them all again and again. */
function last(path: string): Frame | null {
  const line = decodeLine(linesOf(path).at(-1) ?? "");
  return line.kind === "frame" ? line.frame : null;
}

/** Asks every now and then whether the newest frame is such a one. */
const untilLast = (what: string, path: string, isIt: (frame: Frame) => boolean) =>
  until(what, async () => {
    await Bun.sleep(300);
    const frame = last(path);
    return frame !== null && isIt(frame);
  });

interface Found {
  readonly events: Record<string, number>;
  readonly still_on: Record<string, number> | null;
  readonly refused_conditions: Record<string, number>;
  readonly gaps: number;
  readonly errors: number;
}

async function info(path: string): Promise<Found> {
  const { code, out } = await start([...PROGRAM, "info", path, "--json"]).ended;
  expect(code).toBe(0);
  const { events, still_on, refused_conditions, gaps, errors } = JSON.parse(out);
  return { events, still_on, refused_conditions, gaps, errors };
}

/** The same recording without what its recorder found. */
function withoutIndex(path: string): string {
  const stripped = path.replace(".ndjson", ".stripped.ndjson");
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(stripped, lines.filter((line) => !line.startsWith('{"schema":1,"index":true,')).join("\n"));
  return stripped;
}

test("with 800 GPUs throttled the lost GPU, the lost host and the XID that follow are events, index or not", async () => {
  const nodes = counted(HOSTS).map((): Node => ({ lost: false, throttled: true, events: [] }));
  const hosts = await Promise.all(nodes.map((node, n) => api(() => frameLine(frameOf(n, node)))));
  const path = join(folder, "crowd.ndjson");
  const begin = () =>
    record("--source", "remote", "--hosts", ...hosts.map(({ id }) => id), "-o", path, "-i", "1", "--keep-free", "0");
  let recorder = begin();
  await untilLast("all GPUs", path, ({ gpus }) => gpus?.length === HOSTS * GPUS);
  const [first, second, third] = nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error("no nodes");
  first.lost = true;
  await untilLast("a GPU is lost", path, ({ gpus = [] }) => gpus.some(({ lost }) => lost));
  await hosts[5]?.close();
  await untilLast("a host is lost", path, ({ scrapes = [] }) => scrapes.some(({ up }) => !up));
  const t = new Date().toISOString();
  second.events = [{ kind: "xid", severity: "critical", t, host: "node-1", device: "GPU-1-3", text: "XID 79: gone" }];
  await until("an XID", () => linesOf(path).some((line) => line.includes('"kind":"xid"')));
  second.events = [];

  // What its recorder knew does not depend on a restart.
  recorder.child.kill("SIGKILL");
  await recorder.ended;
  const before = linesOf(path).length;
  recorder = begin();
  await until("frames of the second recorder", () => linesOf(path).length > before + 2);
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);

  const found = await info(path);
  // On a machine that has no time other hosts may be too late now and then.
  expect(found.events).toMatchObject({ throttle: 192, gpu_lost: 1 });
  expect(found.events.host_lost).toBeGreaterThanOrEqual(1);
  expect(found.events.xid).toBeGreaterThanOrEqual(1);
  expect(found.still_on).toMatchObject({ throttle: 192, gpu_lost: 1 });
  expect(found.still_on?.host_lost).toBeGreaterThanOrEqual(1);
  expect(found.refused_conditions.throttle).toBeGreaterThanOrEqual(REFUSED.throttle);
  expect(await info(withoutIndex(path))).toEqual(found);

  const words = await start([...PROGRAM, "info", path]).ended;
  expect(words.out).toMatch(/^refused +\d+ throttle: not recorded, too many at once$/m);
  const screen = await start([...PROGRAM, "view", "--replay", path, "--once", "--size", "160x40"]).ended;
  expect(screen.out).toMatch(/\d+ conditions not recorded, too many at once: throttle \(\d+\)/);
});

test("a recording of an earlier version keeps what was on, also where there is less room now, and goes on", async () => {
  const path = join(folder, "earlier.ndjson.zst");
  copyFileSync(join(import.meta.dir, "../fixtures/recordings/one-room-for-all.ndjson.zst"), path);
  const told = { events: { error: 250, host_lost: 1 }, refused_conditions: {} };
  expect(await info(path)).toMatchObject({ ...told, still_on: { error: 210, host_lost: 1 } });
  const errors = counted(205).map((n) => `reader-${n}: no`);
  const later = counted(40).map((n) => {
    const place = { t_ms: START_MS + (45 + n) * 1000, elapsed_ms: n * 1000 };
    return frameWith([], { ...place, errors });
  });
  await recordFrames(path, later);
  expect(await info(path)).toMatchObject({ ...told, still_on: { error: 205, host_lost: 1 } });
});

test("of more events than a block keeps the gravest are shown, with and without an index", async () => {
  const path = join(folder, "storm.ndjson");
  const frames = counted(90).map((n) => {
    const errors = n < 40 ? counted(120).map((reader) => `reader-${reader}: no`) : [];
    const up = n < 80;
    const scrapes = [{ host: "far", hostname: "far", up, latency_ms: null, error: up ? null : "connection refused" }];
    return frameWith([gpu(0)], { t_ms: START_MS + n * 1000, elapsed_ms: n * 1000, errors, scrapes });
  });
  await recordFrames(path, frames);
  const shown = async (file: string): Promise<string> => {
    const view = [...PROGRAM, "view", "--replay", file, "--start", "100%", "--once", "--size", "160x50"];
    const { code, out } = await start(view).ended;
    expect(code).toBe(0);
    return out;
  };
  const screen = await shown(path);
  expect(screen).toContain("does not answer: connection refused");
  expect(await shown(withoutIndex(path))).toBe(screen);
  const found = await info(path);
  expect(found).toMatchObject({ events: { error: 120, host_lost: 1 }, still_on: { host_lost: 1 } });
  expect(await info(withoutIndex(path))).toEqual(found);
});
