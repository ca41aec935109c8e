import { afterAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { bareFrame, openRecorder, writeFrames } from "./in_process.ts";
import { complaint, counted, EXTENSIONS, framesOf, type Line, readFrames, readLines, seqsOf } from "./recordings.ts";
import { PROGRAM, record, type Started, start, testFolder, until } from "./run.ts";

const disks: string[] = [];
// Before the folder goes.
afterAll(() => {
  for (const disk of disks) Bun.spawnSync(["umount", "-l", disk]);
});
const folder = testFolder();

/** Frames of some KB, so that a small disk is full soon. */
const FRAMES = ["--source", "mock", "--mock", "1x8", "-i", "0.1"];

/** Mounts a small file system; `null` where that is not allowed. */
function smallDisk(name: string, bytes: number): string | null {
  const path = join(folder, name);
  mkdirSync(path);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path], { stderr: "ignore" });
  if (mounted.exitCode !== 0) return null;
  disks.push(path);
  return path;
}

const canMount = (() => {
  if (process.getuid?.() !== 0 || Bun.which("mount") === null) return false;
  const path = smallDisk("probe", 1 << 20);
  return path !== null;
})();
if (!canMount) console.warn("no file system can be mounted here: a full disk is tried by a limit on the file's size");

/** Fills what is left of a disk, to which a recorder writes meanwhile. */
function fill(disk: string): void {
  const { bavail, bsize } = statfsSync(disk);
  try {
    writeFileSync(join(disk, "filler-all"), Buffer.alloc(bavail * bsize));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

const isPaused = ({ said }: Started): boolean => said().includes("recording pauses");

/** What one frame says is missing before it. */
const missingOf = ({ errors }: Line): number[] =>
  (errors ?? []).flatMap((error) => {
    const count = /^recording: (\d+) frames missing, /.exec(error)?.[1];
    return count === undefined ? [] : [Number(count)];
  });

/** Nothing of what was written is lost, what is missing is said in the frame after it, and on stderr once each. */
async function checkPauses(path: string, { ended }: Started, words: string, pauses: number): Promise<void> {
  const { code, err } = await ended;
  expect(code).toBe(0);
  const said = err
    .trimEnd()
    .split("\n")
    .filter((line) => !line.startsWith("all-smi: continues "));
  expect(said.filter((line) => line.includes(`recording pauses: ${words}; it goes on when that is over`)).length).toBe(
    pauses,
  );
  expect(said.filter((line) => /recording again, \d+ frames are missing$/.test(line)).length).toBe(pauses);
  expect(said.length).toBe(2 * pauses + 1);
  expect(complaint(path)).toBe("");
  const lines = await readLines(path);
  const frames = framesOf(lines);
  expect(seqsOf(frames)).toEqual(counted(frames.length));
  const missing = frames.flatMap(missingOf);
  expect(missing.length).toBe(pauses);
  const toldOnStderr = [...err.matchAll(/recording again, (\d+) frames/g)].map(([, count]) => Number(count));
  expect(missing).toEqual(toldOnStderr);
  expect(lines.at(-1)).toMatchObject({ index: true, end: true });
}

describe.skipIf(!canMount).concurrent("a full disk", () => {
  test.each(EXTENSIONS)("%s: recording pauses, and goes on when there is room", async (extension) => {
    const disk = smallDisk(`disk${extension}`, 2 << 20) ?? "";
    const path = join(disk, `t${extension}`);
    const recorder = record("-o", path, ...FRAMES, "--keep-free", "0");
    await until("frames", async () => existsSync(path) && (await readFrames(path)).length >= 3);
    for (const pause of [1, 2]) {
      fill(disk);
      await until("a pause", () => recorder.said().split("recording pauses").length - 1 === pause);
      const { length } = await readFrames(path);
      // The third one may have been seen while it found no room.
      expect(length).toBeGreaterThan(1);
      expect(recorder.child.exitCode).toBe(null);
      await Bun.sleep(300);
      rmSync(join(disk, "filler-all"));
      await until("frames again", async () => (await readFrames(path)).length > length);
    }
    recorder.child.kill("SIGTERM");
    await checkPauses(path, recorder, "disk full", 2);
    const { length } = await readFrames(path);
    expect((await record("-o", path, ...FRAMES, "--duration", "0.3s", "--keep-free", "0").ended).code).toBe(0);
    expect(complaint(path)).toBe("");
    expect(seqsOf(await readLines(path)).slice(0, length + 1)).toEqual(counted(length + 1));
  });

  test("from the start: it waits for room", async () => {
    const disk = smallDisk("full", 1 << 20) ?? "";
    fill(disk);
    const path = join(disk, "t.ndjson.zst");
    const recorder = record("-o", path, ...FRAMES, "--keep-free", "0");
    await until("a pause", () => isPaused(recorder));
    rmSync(join(disk, "filler-all"));
    await until("a frame", async () => (await readFrames(path)).length > 0);
    recorder.child.kill("SIGTERM");
    await checkPauses(path, recorder, "disk full", 1);
  });

  test.each(EXTENSIONS)("%s: one that was killed is continued when there is room", async (extension) => {
    const disk = smallDisk(`killed${extension}`, 1 << 20) ?? "";
    const path = join(disk, `t${extension}`);
    const first = record("-o", path, ...FRAMES, "--keep-free", "0");
    await until("frames", async () => existsSync(path) && (await readFrames(path)).length >= 3);
    fill(disk);
    await until("a pause", () => isPaused(first));
    first.child.kill("SIGKILL");
    await first.ended;
    const kept = seqsOf(await readFrames(path));
    const second = record("-o", path, ...FRAMES, "--keep-free", "0");
    await until("a pause", () => isPaused(second));
    // What is left of the last block of the disk may just do for a frame.
    const { length } = await readFrames(path);
    expect(seqsOf(await readFrames(path)).slice(0, kept.length)).toEqual(kept);
    rmSync(join(disk, "filler-all"));
    await until("another frame", async () => (await readFrames(path)).length > length);
    second.child.kill("SIGTERM");
    await checkPauses(path, second, "disk full", 1);
  });

  test("--keep-free: the oldest segments go first, but none of the last hour: then it pauses", async () => {
    const disk = smallDisk("kept", 2 << 20) ?? "";
    const path = join(disk, "t.ndjson");
    const segments = () =>
      readdirSync(disk)
        .filter((name) => /^t\.\d+\.ndjson$/.test(name))
        .sort();
    await recordAgo(path, [180, 150, 120, 45, 30], 100 << 10);
    expect(segments().length).toBe(5);
    const needed = segments().slice(-2);
    const recorder = record("-o", path, ...FRAMES, "--max-size", "100K", "--max-files", "100", "--keep-free", "1M");
    const seen: string[][] = [];
    await until("a pause", () => {
      seen.push(segments());
      const room = statfsSync(disk);
      const bytes = Math.min(16 << 10, room.bavail * room.bsize);
      if (!isPaused(recorder)) appendFileSync(join(disk, "filler"), Buffer.alloc(bytes));
      return isPaused(recorder);
    });
    // The oldest first, each one.
    const wasThere = (name: string) => seen.findLastIndex((names) => names.includes(name));
    const gone = (seen[0] ?? []).filter((name) => !segments().includes(name));
    expect(gone).toEqual(["t.0001.ndjson", "t.0002.ndjson", "t.0003.ndjson"]);
    expect(gone.map(wasThere)).toEqual(gone.map(wasThere).toSorted((a, b) => a - b));
    expect(segments().slice(0, 2)).toEqual(needed);
    const kept = segments();

    // However much is wanted: what the last hour needs stays.
    fill(disk);
    await Bun.sleep(1000);
    expect(segments()).toEqual(kept);
    for (const name of readdirSync(disk).filter((one) => one.startsWith("filler"))) rmSync(join(disk, name));
    await until("going on", () => recorder.said().includes("recording again"));
    recorder.child.kill("SIGTERM");
    const { code, err } = await recorder.ended;
    expect(code).toBe(0);
    expect(err).toContain(`${path}: recording pauses: less is free on the disk than --keep-free; `);
    const rest = (
      await Promise.all(
        [...segments(), ...(existsSync(path) ? ["t.ndjson"] : [])].map((name) => readFrames(join(disk, name))),
      )
    ).flat();
    expect(seqsOf(rest)).toEqual(counted(rest.length, rest[0]?.seq));
  });
});

/** Closed segments of so many bytes, of which each ended so many minutes ago. */
async function recordAgo(path: string, minutes: readonly number[], bytes: number): Promise<void> {
  const recorder = await openRecorder(path);
  const start_ms = Date.now() - (minutes[0] ?? 0) * 60_000;
  for (const [n, ago] of minutes.entries()) {
    const t_ms = Date.now() - ago * 60_000;
    const frame = { ...bareFrame(n, "x".repeat(bytes)), t_ms, elapsed_ms: t_ms - start_ms };
    recorder.rotate();
    await writeFrames(recorder, [frame]);
    await until("its end", () => !existsSync(path));
  }
  await recorder.close();
}

describe.skipIf(Bun.which("prlimit") === null)("a limit on the file's size", () => {
  const raise = ({ child }: Started): void => {
    expect(Bun.spawnSync(["prlimit", "--pid", String(child.pid), "--fsize=unlimited:"]).exitCode).toBe(0);
  };

  test.each(EXTENSIONS)("%s: one that was killed when not a byte more found room is continued", async (extension) => {
    const path = join(folder, `exact${extension}`);
    const first = record("-o", path, ...FRAMES, "--keep-free", "0");
    await until("frames", async () => existsSync(path) && (await readFrames(path)).length >= 3);
    first.child.kill("SIGKILL");
    await first.ended;
    const kept = seqsOf(await readFrames(path));
    const limited = ["prlimit", `--fsize=${statSync(path).size}:`];
    const second = start([...limited, ...PROGRAM, "record", "-o", path, ...FRAMES, "--keep-free", "0"]);
    await until("a pause", () => isPaused(second));
    const { length } = await readFrames(path);
    expect(seqsOf(await readFrames(path)).slice(0, kept.length)).toEqual(kept);
    raise(second);
    await until("another frame", async () => (await readFrames(path)).length > length);
    second.child.kill("SIGTERM");
    await checkPauses(path, second, "file size limit reached", 1);
  });

  test.each(EXTENSIONS)("%s: recording pauses, and goes on when it is raised", async (extension) => {
    const path = join(folder, `limited${extension}`);
    const shell = ["bash", "-c", 'ulimit -S -f 24; exec "$@"', "bash"];
    const recorder = start([...shell, ...PROGRAM, "record", "-o", path, ...FRAMES, "--keep-free", "0"]);
    await until("a pause", () => isPaused(recorder));
    expect(statSync(path).size).toBeLessThanOrEqual(24 << 10);
    const { length } = await readFrames(path);
    await Bun.sleep(300);
    raise(recorder);
    await until("frames again", async () => (await readFrames(path)).length > length);
    recorder.child.kill("SIGTERM");
    await checkPauses(path, recorder, "file size limit reached", 1);
  });
});

test("a recorder that finds no room for a single frame has failed", async () => {
  const path = join(folder, "nothing.ndjson");
  const { code, err } = await record("-o", path, ...FRAMES, "--duration", "0.3s", "--keep-free", "1000000T").ended;
  expect(err).toContain("recording pauses: less is free on the disk than --keep-free; ");
  // A reader that fails in the simulation just then is counted behind that.
  expect(err).toMatch(/: 0 frames, 0 B, CPU [\d.]+ %, [123] missing(, \d errors?)?\n$/);
  expect(code).toBe(1);
});
