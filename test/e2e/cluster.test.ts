import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { openReplay } from "../../src/recording/replay.ts";
import { type Nodes, startNodes } from "./nodes.ts";
import { counted, printed } from "./recordings.ts";
import { PROGRAM, record, start, testFolder, until } from "./run.ts";

const folder = testFolder();

const all = (...options: string[]) => start([...PROGRAM, ...options]).ended;

async function framesOf(path: string): Promise<Frame[]> {
  if (!existsSync(path)) return [];
  const lines = (await printed(path)).split("\n").map(decodeLine);
  return lines.flatMap((line) => (line.kind === "frame" ? [line.frame] : []));
}

/** What became of these hosts in a frame: errors, or up. */
const outcomes = ({ scrapes = [] }: Frame, ids: readonly string[]): string[] =>
  ids.map((id) => scrapes.find(({ host }) => host === id)?.error ?? "up");

async function stop({ process }: Nodes, signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
  process.child.kill(signal);
  return (await process.ended).code;
}

describe("a cluster of a hundred, of which ten fail, some are killed and come back", async () => {
  const path = join(folder, "cluster.ndjson.zst");
  const failing = ["--garbage", "2", "--slow", "3", "--down", "5"];
  const errors = [
    ...["not a metrics page", "not a metrics page", "timeout", "timeout", "timeout"],
    ...Array<string>(5).fill("connection refused"),
  ];
  const nodes = await startNodes(folder, 94, failing);
  let killed = await startNodes(folder, 6);
  const ids = [...nodes.ids, ...killed.ids];
  const hostfile = join(folder, "all");
  writeFileSync(hostfile, readFileSync(nodes.hostfile, "utf8") + readFileSync(killed.hostfile, "utf8"));

  const recorder = record("-o", path, "--hostfile", hostfile, "-i", "1", "--keep-free", "0");
  const well = [...Array<string>(84).fill("up"), ...errors];
  /** The newest frame, once it is as it would be on a machine that is never busy: with the six as they are then. */
  const asItIs = (six: string) => async (): Promise<Frame | null> => {
    const last = (await framesOf(path)).at(-1);
    const expected = [...well, ...Array<string>(6).fill(six)];
    return last !== undefined && Bun.deepEquals(outcomes(last, ids), expected) ? last : null;
  };
  await until("all are up", asItIs("up"));
  await stop(killed, "SIGKILL");
  const lost = await until("six are lost", asItIs("connection refused"));
  killed = await startNodes(folder, 6, [], killed.port);
  const back = await until("six are back", asItIs("up"));
  recorder.child.kill("SIGTERM");
  const { code } = await recorder.ended;
  const frames = await framesOf(path);

  test("every frame has every host, and what became of it", () => {
    expect(code).toBe(0);
    expect(frames.map(({ seq }) => seq)).toEqual(counted(frames.length));
    for (const frame of frames) {
      expect(frame.scrapes?.map(({ host }) => host)).toEqual(ids);
      // Whoever has no time to answer, or nobody to ask in time, has not answered.
      const others = outcomes(frame, nodes.ids).filter((one, n) => one !== well[n]);
      expect(others).toEqual(Array<string>(others.length).fill("timeout"));
      const up = frame.scrapes?.flatMap((one) => (one.up ? [one.host] : []));
      expect([...new Set(frame.gpus?.map(({ host_id }) => host_id))]).toEqual(up ?? []);
    }
  });

  test("that nodes were lost and came back are its events", async () => {
    const { cursor } = await openReplay(path, false);
    const hosts = (state: string) =>
      cursor
        .events()
        .filter((event) => event.kind === "host_lost" && event.state === state && killed.ids.includes(event.host))
        .map(({ host }) => host);
    expect([...new Set(hosts("begin"))].sort()).toEqual([...killed.ids].sort());
    expect([...new Set(hosts("end"))].sort()).toEqual([...killed.ids].sort());
    cursor.close();
  });

  test("it replays: the overview, a tab for each host, and its state as it was then", async () => {
    const [then, end] = await Promise.all(
      [lost, back].map(({ elapsed_ms }) =>
        all("view", "--replay", path, "--once", "--size", "160x60", "--start", `${(elapsed_ms ?? 0) / 1000}`),
      ),
    );
    expect([then?.code, end?.code]).toEqual([0, 0]);
    expect(then?.out.split("\n")[0]).toMatch(/^ All .* mock-0007 +mock-0008 /);
    expect(then?.out).toContain("100 hosts");
    expect(then?.out).toContain("84 up");
    expect(end?.out).toContain("90 up");
  });

  test("the nodes end when they are told to", async () => {
    expect([await stop(nodes), await stop(killed)]).toEqual([0, 0]);
  });
});

test("a host file of which nothing is a host is refused; a host that nobody knows is one that is down", async () => {
  const path = join(folder, "never.ndjson");
  const empty = join(folder, "empty");
  writeFileSync(empty, "# node-01\n\n   # node-02\n");
  const refused = await all("record", "-o", path, "--hostfile", empty);
  expect(refused).toEqual({ code: 2, out: "", err: `all-smi: ${empty}: no host in it\n` });
  expect(existsSync(path)).toBe(false);

  const unknown = join(folder, "unknown");
  writeFileSync(unknown, "no-such-host.invalid:9090\n");
  const recorder = record("-o", path, "--hostfile", unknown, "-i", "0.5", "--keep-free", "0");
  await until("two frames", async () => (await framesOf(path)).length >= 2);
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  for (const { scrapes } of await framesOf(path)) {
    expect(scrapes).toMatchObject([{ host: "no-such-host.invalid:9090", up: false }]);
  }
});

describe("mock", () => {
  test("says which of its nodes fail, and writes them into the host file", async () => {
    const nodes = await startNodes(folder, 5, ["--slow", "1", "--down", "2"]);
    const lines = readFileSync(nodes.hostfile, "utf8").split("\n");
    expect(lines).toEqual([
      `127.0.0.1:${nodes.port} # mock-0001`,
      `127.0.0.1:${nodes.port + 1} # mock-0002`,
      `127.0.0.1:${nodes.port + 2} # mock-0003, slow`,
      `127.0.0.1:${nodes.port + 3} # mock-0004, down`,
      `127.0.0.1:${nodes.port + 4} # mock-0005, down`,
      "",
    ]);
    const words = `down: ports ${nodes.port + 3} to ${nodes.port + 4}\n`;
    await until("it is said", () => nodes.process.said().includes(words));
    const answer = await fetch(`http://${nodes.ids[1]}/metrics`);
    expect([answer.status, (await answer.text()).includes('hostname="mock-0002"')]).toEqual([200, true]);
    await expect(startNodes(folder, 2, [], nodes.port)).rejects.toThrow("another program listens there");
    expect(await stop(nodes, "SIGINT")).toBe(0);
  });

  test.each([
    [["--nodes", "2", "--down", "3"], "3 of 2 nodes cannot fail"],
    [["--nodes", "3", "--port", "65534"], "--port 65534: there are no 3 ports from there on"],
    [["--nodes", "0"], "from 1 to 1000"],
    [["--nodes", "1", "--hostfile", join(folder, "none", "nodes")], "no such file or directory"],
  ])("%p will not do", async (options, words) => {
    const { code, err } = await all("mock", "--port", "64000", ...options);
    expect(err).toContain(words);
    expect(code).toBe(2);
  });
});
