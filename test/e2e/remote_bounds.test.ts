import { afterAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import { frameLine } from "../../src/frame/encode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import type { Gpu } from "../../src/frame/schema.ts";
import { pageBytes } from "../exporter_pages.ts";
import { nvidiaFrame } from "../frames.ts";
import { api, closeHosts, exporter } from "../hosts.ts";
import { PROGRAM, record, start, testFolder, until } from "./run.ts";

const folder = testFolder();
afterAll(closeHosts);

const framesOf = (path: string): Frame[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .map(decodeLine)
    .flatMap((line) => (line.kind === "frame" ? [line.frame] : []));

/** Machines that serve more than anybody can read, in a process of their own: their ids by name. */
async function hostile(): Promise<Record<string, string>> {
  const file = join(folder, "ports");
  start([process.execPath, resolve(import.meta.dir, "../hostile_hosts.ts"), file]);
  await until("they listen", () => existsSync(file));
  const ports = JSON.parse(readFileSync(file, "utf8")) as Record<string, number>;
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `127.0.0.1:${port}`]));
}

const FRAMES = 4;
/** Of hosts that all take what they may, a second has not enough on a busy machine. */
const INTERVAL = 3;
/** A recorder of two machines has 62 MB; what came last from each of the others is being read or thrown away. */
const MOST_KB = 400 * 1024;

test("hosts that serve without end cost those beside them no frame, and the recorder no memory", async () => {
  const well = [await exporter(pageBytes("dcgm_exporter_made")), await exporter(pageBytes("node_exporter_made_1"))];
  const bad = await hostile();
  const path = join(folder, "bounds.ndjson");
  const hosts = [...well.map(({ id }) => id), ...Object.values(bad)];
  const recorder = record("-o", path, "--hosts", ...hosts, "-i", `${INTERVAL}`, "--keep-free", "0", "--quiet");
  let peak_kb = 0;
  const memory = (): number => {
    const status = readFileSync(`/proc/${recorder.child.pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  };
  await until("it is recorded", () => {
    peak_kb = memory();
    return existsSync(path) && framesOf(path).length >= FRAMES;
  });
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  const frames = framesOf(path);
  for (const { scrapes = [], gpus = [], cpus = [] } of frames) {
    expect(scrapes.slice(0, 2).map(({ up }) => up)).toEqual([true, true]);
    expect(gpus.filter(({ host_id }) => host_id === well[0]?.id)).toHaveLength(2);
    expect(cpus.filter(({ host_id }) => host_id === well[1]?.id)).toHaveLength(1);
  }
  const refused = ["too large", "too much to read", "not a metrics page", "not HTTP", "timeout"];
  for (const [n, name] of Object.keys(bad).entries()) {
    const errors = new Set(frames.map(({ scrapes }) => scrapes?.[n + 2]?.error ?? "none"));
    // These fit, when they are cut.
    const may = ["command", "details", "fewer_gpus"].includes(name) ? [...refused, "none"] : refused;
    expect({ name, other: [...errors].filter((error) => !may.includes(error)) }).toEqual({ name, other: [] });
  }
  expect(peak_kb).toBeLessThan(MOST_KB);
});

test("a host that loses other GPUs in every frame hides no lost GPU of another", async () => {
  let frames = 0;
  const lost = { since: "2026-04-18T12:00:00Z", reason: "does not answer" };
  const loud = await api(() => {
    const seq = ++frames;
    const gpus = Array.from({ length: 256 }, (_, n) => ({
      name: "x",
      uuid: `${seq}-${n}`,
      index: seq * 256 + n,
      lost,
    }));
    const errors = Array.from({ length: 8 }, (_, n) => `reader-${seq}-${n}: fails`);
    return JSON.stringify({ schema: 1, t: "2026-04-18T12:00:00Z", hostname: "loud", seq, gpus, errors });
  });
  let asked = 0;
  const well = await api(() => {
    const seq = ++asked;
    const gpus = (nvidiaFrame.gpus ?? []).map((gpu, n) => ({ ...gpu, lost: n === 0 && seq > 3 ? lost : null }));
    return frameLine({ ...nvidiaFrame, seq, gpus, errors: [] });
  });
  const path = join(folder, "loud.ndjson");
  const recorder = record("-o", path, "--hosts", loud.id, well.id, "-i", "0.5", "--keep-free", "0", "--quiet");
  await until("the other one has lost a GPU", () => existsSync(path) && asked > 6);
  await until("it is recorded", () => framesOf(path).filter(({ gpus }) => gpus?.some(isLostOf(well.id))).length > 2);
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  const { out } = await start([...PROGRAM, "info", path, "--json"]).ended;
  const { still_on } = JSON.parse(out) as { still_on: Record<string, number> };
  expect(still_on.gpu_lost).toBe(24 + 1);
  expect(still_on.error).toBe(24);
  const index = JSON.parse(readFileSync(path, "utf8").trimEnd().split("\n").at(-1) ?? "") as {
    block: { events: { kind: string; host: string }[] };
  };
  expect(index.block.events.filter(({ kind, host }) => kind === "gpu_lost" && host === well.id)).toHaveLength(1);
});

test("many hosts that say much crowd nobody out of a frame", async () => {
  const detail = { said: "x".repeat(1000) };
  const gpus = Array.from({ length: 250 }, (_, index) => ({ uuid: `u${index}`, name: "x", index, detail }));
  const body = JSON.stringify({ schema: 1, t: "2026-04-18T12:00:00Z", seq: 1, hostname: "much", gpus });
  const loud = await Promise.all(Array.from({ length: 48 }, () => api(() => body)));
  const well = await exporter(pageBytes("dcgm_exporter_made"));
  const path = join(folder, "much.ndjson");
  const hosts = [...loud, well].map(({ id }) => id);
  const recorder = record("-o", path, "--hosts", ...hosts, "-i", "5", "--keep-free", "0", "--quiet");
  await until("it is recorded", () => existsSync(path) && framesOf(path).length > 1);
  recorder.child.kill("SIGTERM");
  await recorder.ended;
  const frame = framesOf(path).at(-1);
  expect(frame?.errors.filter((error) => error.startsWith("recording"))).toEqual([]);
  expect(frame?.gpus?.filter(({ host_id }) => host_id === well.id)).toHaveLength(2);
  expect(new Set(frame?.scrapes?.slice(0, -1).map(({ error }) => error))).toEqual(new Set(["too large"]));
});

const isLostOf =
  (host: string) =>
  ({ host_id, lost }: Gpu): boolean =>
    host_id === host && lost != null;
