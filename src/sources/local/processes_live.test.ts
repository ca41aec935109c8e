import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import type { Process } from "../../frame/schema.ts";
import { parseProcessStat } from "./process_stat.ts";
import { processSource } from "./processes.ts";

/** On this very machine: what is read is what ps(1) tells of the same processes. */

const folder = mkdtempSync(join(tmpdir(), "processes-"));
const oddName = join(folder, "a) R 9 (b");
const children: Bun.Subprocess[] = [];
let asNobody: ChildProcess | undefined;

function start(...command: string[]): number {
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] });
  children.push(child);
  return child.pid;
}

/** As another user, where this test may become one. */
function startAsNobody(): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  asNobody = spawn("sleep", ["60"], { stdio: "ignore", uid: 65534 });
  return asNobody.pid;
}

let odd = 0;
let secret = 0;
let nice = 0;
let nobody: number | undefined;

beforeAll(async () => {
  copyFileSync(Bun.which("sleep") ?? "/bin/sleep", oddName);
  odd = start(oddName, "60");
  secret = start("sh", "-c", "while :; do sleep 60; done", "--token", "hidden value", "https://me:hidden@h");
  nice = start("nice", "-n", "7", "sleep", "60");
  nobody = startAsNobody();
  const names = { [odd]: "a) R 9 (b", [secret]: "sh", [nice]: "sleep", ...(nobody ? { [nobody]: "sleep" } : {}) };
  for (const [pid, name] of Object.entries(names)) while (statOf(Number(pid))?.comm !== name) await Bun.sleep(1);
});

afterAll(async () => {
  for (const child of children) child.kill();
  asNobody?.kill();
  await Promise.all(children.map((child) => child.exited));
  rmSync(folder, { recursive: true });
});

function statOf(pid: number) {
  return parseProcessStat(readFileSync(`/proc/${pid}/stat`));
}

function open() {
  const source = processSource({ root: "", limit: 1_000_000, command: "masked" });
  return {
    async read(): Promise<Map<number, Process>> {
      const { signal } = new AbortController();
      const reading = await source.read({ t_ms: 0, time: "", monotonic_ms: performance.now(), wait_ms: 800, signal });
      return new Map((reading.processes ?? []).map((row) => [row.pid, row]));
    },
    [Symbol.dispose]: () => source.close?.(),
  };
}

const columns = ["pid", "ppid", "euser:40", "stat", "nlwp", "rss", "vsz", "ni", "lstart", "args"];
const line = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S)\S*\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\w+ +\w+ +\d+ [\d:]+ \d+) (.*)$/;

/** The same processes by ps. */
function readPs(): Map<number, { seconds: number; args: string; same: Partial<Process> }> {
  const { stdout } = Bun.spawnSync(["ps", "-ww", "-eo", columns.join(",")], {
    env: { ...process.env, TZ: "UTC", LC_ALL: "C.UTF-8" },
  });
  const rows = stdout
    .toString()
    .split("\n")
    .map((text) => line.exec(text));
  return new Map(
    rows.flatMap((match) => {
      if (match === null) return [];
      const [, pid, ppid, user = "", state = "", threads, rss, vms, niceness, started, args = ""] = match;
      const sizes = { memory_rss: Number(rss) * 1024, memory_vms: Number(vms) * 1024 };
      const same = { ppid: Number(ppid), user, state, threads: Number(threads), ...sizes };
      const nice_value = niceness === "-" ? {} : { nice_value: Number(niceness) };
      return [[Number(pid), { seconds: Date.parse(`${started} UTC`) / 1000, args, same: { ...same, ...nice_value } }]];
    }),
  );
}

test("the children are told as ps tells them", async () => {
  using source = open();
  const pids = [odd, secret, nice, ...(nobody ? [nobody] : [])];
  const told = (ps: ReturnType<typeof readPs>) => pids.map((pid) => ps.get(pid)?.same);
  let before = readPs();
  let rows = await source.read();
  // A program that is still starting changes in between; under load a command line comes with a later frame.
  const isSettled = (after: typeof before) =>
    Bun.deepEquals(told(before), told(after)) && !pids.some((pid) => rows.get(pid)?.command.startsWith("["));
  for (let after = readPs(); !isSettled(after); after = readPs()) {
    before = after;
    rows = await source.read();
  }
  expect(pids.map((pid) => rows.get(pid))).toMatchObject(told(before));
  for (const pid of pids) {
    // The kernel gives the time of the boot in whole seconds.
    expect(Math.abs(Number(rows.get(pid)?.start_time) - (before.get(pid)?.seconds ?? 0))).toBeLessThanOrEqual(2);
  }
  expect(rows.get(odd)).toMatchObject({ process_name: "a) R 9 (b", command: before.get(odd)?.args });
  expect(before.get(secret)?.args).toContain("hidden");
  expect(rows.get(secret)?.command).toBe("sh -c while :; do sleep 60; done --token *** https://me:***@h");
  expect(rows.get(nice)).toMatchObject({ nice_value: Math.min(19, getPriority() + 7), command: "sleep 60" });
  if (nobody) expect(rows.get(nobody)?.user).toBe("nobody");
});

test("every process that ps saw before and after is there, under the same parent and user", async () => {
  using source = open();
  const before = readPs();
  const rows = await source.read();
  const after = readPs();
  const lasting = [...before.keys()].filter((pid) => after.get(pid)?.seconds === before.get(pid)?.seconds);
  expect(lasting.length).toBeGreaterThan(4);
  for (const pid of lasting) {
    const was = before.get(pid)?.same;
    const is = after.get(pid)?.same;
    if (was?.ppid !== is?.ppid || was?.user !== is?.user) continue;
    expect(rows.get(pid)).toMatchObject({ ppid: is?.ppid, user: is?.user });
  }
});

test("CPU use is what the kernel charged in between", async () => {
  using source = open();
  const pid = start("sh", "-c", "while :; do :; done");
  const ticks = () => statOf(pid)?.cpu_ticks ?? 0;
  const begun_ms = performance.now();
  await source.read();
  const afterFirst = ticks();
  const firstDone_ms = performance.now();
  while (ticks() < afterFirst + 20) await Bun.sleep(5);
  const beforeSecond = ticks();
  const again_ms = performance.now();
  const row = (await source.read()).get(pid);
  const last = ticks();
  const done_ms = performance.now();
  // Ticks are 10 ms, so that a percentage is ticks a second.
  expect(row?.cpu_percent).toBeGreaterThanOrEqual((beforeSecond - afterFirst) / ((done_ms - begun_ms) / 1000) - 0.1);
  expect(row?.cpu_percent).toBeLessThanOrEqual((last * 1000) / (again_ms - firstDone_ms) + 0.1);
  expect(row?.state).toBe("R");
});

test("a process that has ended and is not reaped is a zombie without a command line", async () => {
  using source = open();
  // `exec` leaves the shell's child to a program that never asks for it.
  const parent = start("sh", "-c", "sleep 0 & exec sleep 60");
  const zombie = () => [...readPs()].find(([, { same }]) => same.ppid === parent && same.state === "Z")?.[0];
  while (zombie() === undefined) await Bun.sleep(5);
  const row = (await source.read()).get(zombie() ?? 0);
  expect(row).toMatchObject({ state: "Z", ppid: parent, memory_rss: 0, command: "[sleep]", threads: 1 });
});
