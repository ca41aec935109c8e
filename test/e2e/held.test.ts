import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { allSmi } from "./pty.ts";
import { readFrames } from "./recordings.ts";
import { PROGRAM, record, SMALL, start, testFolder, until } from "./run.ts";

const mounts: string[] = [];
// Before the folder goes.
afterAll(() => {
  for (const mount of mounts) Bun.spawnSync(["umount", "-l", mount]);
});
const root = testFolder();

/** The files that a process has open, as it sees them: those that were removed say so. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

test("a viewer that follows lets go of segments that were removed", async () => {
  const folder = join(root, "followed");
  mkdirSync(folder);
  const path = join(folder, "t.ndjson.zst");
  const recorder = record("-o", path, ...SMALL, "--max-size", "1K", "--max-files", "3");
  await until("frames", async () => existsSync(path) && (await readFrames(path)).length > 2);
  const view = allSmi(["view", "--replay", path]);
  await until("the recording to be open", () => openFiles(view.child.pid).some((file) => file.startsWith(folder)));
  const number = () => Math.max(...readdirSync(folder).map((name) => Number(/\.(\d+)\./.exec(name)?.[1] ?? 0)));
  const seen = number();
  await until("twelve rotations", () => number() > seen + 12);
  const removed = () =>
    openFiles(view.child.pid).filter((file) => file.startsWith(folder) && file.endsWith("(deleted)"));
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  await until("what was removed to be closed", () => removed().length === 0);
  expect(openFiles(view.child.pid).filter((file) => file.startsWith(folder)).length).toBeGreaterThan(0);
  expect(openFiles(view.child.pid).filter((file) => file.startsWith(folder)).length).toBeLessThanOrEqual(3);
  view.type("q");
  expect(await view.exit()).toBe(0);
});

/** Two small file systems, of which files get the same numbers; `null` where that is not allowed. */
function twoDisks(): [string, string] | null {
  if (process.getuid?.() !== 0 || Bun.which("mount") === null) return null;
  const disks = ["one", "other"].map((name) => {
    const path = join(root, name);
    mkdirSync(path);
    const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", path], { stderr: "ignore" });
    if (exitCode === 0) mounts.push(path);
    return exitCode === 0 ? path : null;
  });
  const [one, other] = disks;
  return one != null && other != null ? [one, other] : null;
}

const disks = twoDisks();

describe.skipIf(disks === null || !existsSync("/proc/locks"))("whether it is being recorded", () => {
  test("is told of that very file, and of none with its number on another file system", async () => {
    const [one = "", other = ""] = disks ?? [];
    const [live, killed] = [join(one, "t.ndjson"), join(other, "t.ndjson")];
    const dead = record("-o", killed, ...SMALL);
    await until("a frame", async () => existsSync(killed) && (await readFrames(killed)).length > 0);
    dead.child.kill("SIGKILL");
    await dead.ended;
    const recorder = record("-o", live, ...SMALL);
    await until("a frame", async () => existsSync(live) && (await readFrames(live)).length > 0);
    expect(statSync(live).ino).toBe(statSync(killed).ino);
    const ended = async (path: string): Promise<unknown> =>
      JSON.parse((await start([...PROGRAM, "info", path, "--json"]).ended).out).ended;
    expect(await ended(live)).toBe("recording");
    expect(await ended(killed)).toBe("killed");
    recorder.child.kill("SIGTERM");
    expect((await recorder.ended).code).toBe(0);
    expect(await ended(live)).toBe("closed");
  });
});
