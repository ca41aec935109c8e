import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import { hostTree, type Tree } from "./host_tree.ts";
import { PROGRAM, record, type Started, start, testFolder, until } from "./run.ts";

const folder = testFolder();

const MACHINE: Tree = {
  "/proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\n",
  "/proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 400 kB\n",
  "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
};

/** As hostnamectl does: another file takes its place. */
function rename(root: string, name: string): void {
  writeFileSync(`${root}/etc/hostname.new`, `${name}\n`);
  renameSync(`${root}/etc/hostname.new`, `${root}/etc/hostname`);
}

const machine = (name: string, id = MACHINE["/etc/machine-id"] ?? ""): string =>
  hostTree(folder, { ...MACHINE, "/etc/machine-id": id, "/etc/hostname": `${name}\n` });

const recordOf = (root: string, path: string, ...more: string[]): Started =>
  record("-o", path, "-i", "0.2", "--keep-free", "0", "--include", "memory", "--host-root", root, ...more);

interface Line {
  readonly header?: boolean;
  readonly hosts?: readonly string[];
  readonly recording?: string;
  readonly machine?: string;
  readonly seq?: number;
  readonly hostname?: string;
}

const linesOf = (path: string): Line[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);

const headersOf = (path: string): Line[] => linesOf(path).filter(({ header }) => header);
const framesOf = (path: string): Line[] => linesOf(path).filter(({ hostname }) => hostname !== undefined);

async function untilCalled(path: string, name: string): Promise<void> {
  await until(`frames of ${name}`, () => {
    try {
      return framesOf(path).at(-1)?.hostname === name;
    } catch {
      return false;
    }
  });
}

async function stop(recorder: Started): Promise<void> {
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
}

interface Info {
  readonly hosts: readonly string[];
  readonly frames: number;
  readonly skipped_lines: number;
}

async function infoOf(path: string): Promise<Info> {
  const { out } = await start([...PROGRAM, "info", "--json", path]).ended;
  return JSON.parse(out) as Info;
}

const screenAt = async (path: string, at: string): Promise<string> =>
  (await start([...PROGRAM, "view", "--replay", path, "--once", "--size", "120x30", "--start", at]).ended).out;

const path = (name: string): string => join(mkdtempSync(join(folder, "recording-")), name);

describe.concurrent("a machine that gets its name late, or another one", () => {
  test("while it is recorded: the recording goes on, with a header of the new name", async () => {
    const root = hostTree(folder, {
      ...MACHINE,
      "/etc/hostname": "(none)\n",
      "/proc/sys/kernel/hostname": "localhost\n",
    });
    const file = path("late.ndjson");
    const recorder = recordOf(root, file);
    await untilCalled(file, "localhost");
    rename(root, "node7");
    await untilCalled(file, "node7");
    await stop(recorder);
    const headers = headersOf(file);
    expect(headers.map(({ hosts }) => hosts)).toEqual([["localhost"], ["node7"]]);
    expect(new Set(headers.map(({ recording }) => recording)).size).toBe(1);
    const frames = framesOf(file);
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => i));
    expect(await infoOf(file)).toMatchObject({
      hosts: ["localhost", "node7"],
      frames: frames.length,
      skipped_lines: 0,
    });
    expect(await screenAt(file, "0")).toContain("localhost");
    expect(await screenAt(file, "100%")).toContain("node7");
  });

  test.each(["ndjson", "ndjson.zst"])("after a restart, and after one that was killed: %s", async (ending) => {
    const root = machine("localhost");
    const file = path(`restarted.${ending}`);
    await recordOf(root, file, "--duration", "0.5").ended;
    rename(root, "node7");
    const killed = recordOf(root, file);
    await until("three frames more", async () => (await infoOf(file)).frames >= 6);
    killed.child.kill("SIGKILL");
    await killed.ended;
    rename(root, "node8");
    const { code, err } = await recordOf(root, file, "--duration", "0.5").ended;
    expect([code, err.includes("continues")]).toEqual([0, true]);
    const { hosts, frames } = await infoOf(file);
    expect(hosts).toEqual(["localhost", "node7", "node8"]);
    expect(frames).toBeGreaterThanOrEqual(9);
  });

  test("a recording of another machine stays what it is, whatever both are called", async () => {
    const file = path("other.ndjson");
    await recordOf(machine("node1"), file, "--duration", "0.3").ended;
    const before = readFileSync(file, "utf8");
    expect(before).not.toContain("0123456789abcdef");
    expect(headersOf(file)[0]?.machine).toMatch(/^[0-9a-f]{32}$/);
    const other = machine("node2", "ffffffffffffffffffffffffffffffff\n");
    const { code, err } = await recordOf(other, file, "--duration", "0.3").ended;
    expect([code, err]).toEqual([2, `all-smi: ${file}: is a recording of node1, this is node2; give another path\n`]);
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  test("where nothing tells the machine, the name alone makes no other one", async () => {
    const file = path("unknown.ndjson");
    const root = machine("localhost", "uninitialized\n");
    await recordOf(root, file, "--duration", "0.3").ended;
    rename(root, "node7");
    expect((await recordOf(root, file, "--duration", "0.3").ended).code).toBe(0);
    expect((await infoOf(file)).hosts).toEqual(["localhost", "node7"]);
    expect(decodeLine(readFileSync(file, "utf8").split("\n")[0] ?? "").kind).toBe("header");
  });
});

test("a name that is given is clean in headers and frames; one of nothing is refused", async () => {
  const path = join(mkdtempSync(join(folder, "given-")), "given.ndjson");
  const given = (name: string) => recordOf(machine("own"), path, "--duration", "0.3s", "--hostname", name).ended;
  expect((await given(" \u0007 ")).code).toBe(2);
  expect((await given("a\u001b[31m\u202eb")).code).toBe(0);
  expect(headersOf(path).map(({ hosts }) => hosts)).toEqual([["a [31m b"]]);
  expect(new Set(framesOf(path).map(({ hostname }) => hostname))).toEqual(new Set(["a [31m b"]));
});
