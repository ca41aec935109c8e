import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { complaint, counted, framesOf, readFrames, readLines, seqsOf } from "./recordings.ts";
import { PROGRAM, record, SMALL, type Started, start, testFolder, until } from "./run.ts";

const folder = testFolder();

const frameCount = async (path: string): Promise<number> => (existsSync(path) ? (await readFrames(path)).length : 0);

const untilFrames = (path: string, count: number) =>
  until(`${count} frames`, async () => (await frameCount(path)) >= count);

async function expectClosed({ ended }: Started, path: string): Promise<void> {
  const { code, out, err } = await ended;
  expect([code, out]).toEqual([0, ""]);
  expect(err).toMatch(/^all-smi: recorded [^\n]*\n$/);
  expect(complaint(path)).toBe("");
  const lines = await readLines(path);
  expect(lines.at(-1)).toMatchObject({ index: true, end: true });
  expect(seqsOf(lines)).toEqual(counted(framesOf(lines).length));
}

describe.concurrent.each(["SIGTERM", "SIGINT"] as const)("%s", (signal) => {
  test.each([".ndjson", ".ndjson.gz", ".ndjson.zst"])("closes %s", async (extension) => {
    const path = join(folder, `${signal}${extension}`);
    const recorder = record("-o", path, ...SMALL);
    await untilFrames(path, 3);
    recorder.child.kill(signal);
    await expectClosed(recorder, path);
  });

  test("does not wait for the next frame", async () => {
    const path = join(folder, `${signal}-long.ndjson.zst`);
    const recorder = record("-o", path, ...SMALL, "-i", "3600");
    await untilFrames(path, 1);
    recorder.child.kill(signal);
    await expectClosed(recorder, path);
  });
});

test("before the first frame there is no file left", async () => {
  // A first reading takes a quarter of a second here.
  const path = join(folder, "early.ndjson.zst");
  const recorder = record("-o", path, "--include", "cpu", "-i", "3600", "--keep-free", "0");
  await until("the file", () => existsSync(path));
  await until("its handlers", async () => (await caughtSignals(recorder.child.pid)).includes(15));
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  const left = await frameCount(path);
  expect(existsSync(path)).toBe(left > 0);
});

/** The signals that a process has handlers for, by their numbers. */
async function caughtSignals(pid: number): Promise<number[]> {
  const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(await Bun.file(`/proc/${pid}/status`).text())?.[1] ?? "0";
  return counted(64, 1).filter((signal) => ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n);
}

/** A recorder to a pipe that nobody reads: its write hangs, as on a disk that is gone. */
async function stalledRecorder(name: string): Promise<ReturnType<typeof start>> {
  const path = join(folder, name);
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  const shell = ['exec 3<>"$0"; exec "$@" >&3', path, ...PROGRAM, "record", "-o", "-"];
  const recorder = start(["bash", "-c", ...shell, "--source", "mock", "--mock", "8x8", "-i", "0.1"]);
  await until("its handlers", async () => (await caughtSignals(recorder.child.pid)).includes(15));
  await Bun.sleep(500);
  return recorder;
}

test("one ends it though nobody reads, and it says that the end is lost", async () => {
  const recorder = await stalledRecorder("unread.fifo");
  recorder.child.kill("SIGTERM");
  const { code, err } = await recorder.ended;
  // One of the simulated hosts may be down just then.
  const said = err.replace(/^all-smi: 1 of 8 hosts down: .*\n/, "");
  expect([code, said]).toEqual([1, "all-smi: standard output is not read: the last frames are lost\n"]);
});

test("a second one ends it at once, where the disk does not answer", async () => {
  const recorder = await stalledRecorder("out.fifo");
  recorder.child.kill("SIGTERM");
  await Bun.sleep(300);
  expect(recorder.child.exitCode).toBe(null);
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(143);
});

describe.concurrent("SIGHUP", () => {
  test("begins a new segment, where there is no terminal", async () => {
    const path = join(folder, "service.ndjson.zst");
    const recorder = record("-o", path, ...SMALL);
    await untilFrames(path, 2);
    recorder.child.kill("SIGHUP");
    const first = join(folder, "service.0001.ndjson.zst");
    await until("the first segment", () => existsSync(first));
    await untilFrames(path, 2);
    recorder.child.kill("SIGTERM");
    expect((await recorder.ended).code).toBe(0);
    const segments = [await readLines(first), await readLines(path)];
    expect(segments.map((lines) => lines[0])).toMatchObject([
      { header: true, segment: 1 },
      { header: true, segment: 2 },
    ]);
    const seqs = segments.flatMap(seqsOf);
    expect(seqs).toEqual(counted(seqs.length));
    expect([complaint(first), complaint(path)]).toEqual(["", ""]);
  });

  test.skipIf(Bun.which("nohup") === null)("does nothing under nohup", async () => {
    const path = join(folder, "nohup.ndjson.zst");
    const recorder = start(["nohup", ...PROGRAM, "record", "-o", path, ...SMALL]);
    await untilFrames(path, 2);
    recorder.child.kill("SIGHUP");
    await untilFrames(path, (await frameCount(path)) + 2);
    expect(readdirSync(folder).filter((name) => name.startsWith("nohup"))).toEqual(["nohup.ndjson.zst"]);
    recorder.child.kill("SIGTERM");
    expect((await recorder.ended).code).toBe(0);
    expect((await readLines(path)).at(-1)).toMatchObject({ end: true });
  });
});

describe.concurrent("to standard output", () => {
  const STREAM = ["record", "-o", "-", "--source", "mock", "--mock", "1x1", "-i", "0.1"];

  test("come a header and frames, nothing else", async () => {
    const { code, out, err } = await start([...PROGRAM, ...STREAM, "--duration", "0.5s"]).ended;
    expect([code, err]).toEqual([0, ""]);
    const lines = out.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).header === true)).toEqual([true, false, false, false, false, false]);
  });

  test("it ends without a word when nobody reads any more", async () => {
    const shell = start(["bash", "-c", '{ "$0" "$@"; echo "$?" >&2; } | head -n 2', ...PROGRAM, ...STREAM]);
    const { out, err } = await shell.ended;
    const lines = out.trimEnd().split("\n");
    expect([lines.length, err]).toEqual([2, "0\n"]);
    expect(JSON.parse(lines[0] ?? "").header).toBe(true);
    expect(JSON.parse(lines[1] ?? "").seq).toBe(0);
  });

  test("a signal ends it", async () => {
    const recorder = start([...PROGRAM, ...STREAM]);
    await until("its handlers", async () => (await caughtSignals(recorder.child.pid)).includes(15));
    recorder.child.kill("SIGTERM");
    const { code, out, err } = await recorder.ended;
    expect([code, err]).toEqual([0, ""]);
    expect(out.endsWith("}\n")).toBe(true);
  });
});
