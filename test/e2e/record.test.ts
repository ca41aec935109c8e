import { describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { cpus, hostname } from "node:os";
import { join } from "node:path";
import { checkIndex } from "./index_check.ts";
import {
  complaint,
  counted,
  EXTENSIONS,
  framesOf,
  type Line,
  linesOf,
  printed,
  readFrames,
  readLines,
  scanned,
  seqsOf,
} from "./recordings.ts";
import { LAUNCHER, record, SMALL, start, testFolder, until } from "./run.ts";

const folder = testFolder();
const MOCK = ["--source", "mock", "--mock", "1x2", "-i", "0.1"] as const;

describe.concurrent.each(EXTENSIONS)("a recording %s", (extension) => {
  const path = join(folder, `whole${extension}`);

  test("can be read at any moment, and is whole in the end", async () => {
    const recorder = start([LAUNCHER, "record", "-o", path, "--duration", "3s", ...MOCK]);
    await until("the recording", () => existsSync(path) && statSync(path).size > 0);
    const seen: number[] = [];
    const moment = join(folder, `moment${extension}`);
    while (recorder.child.exitCode === null) {
      copyFileSync(path, moment);
      const text = await printed(moment);
      expect(text.slice(0, text.lastIndexOf("\n") + 1)).toBe(await scanned(moment));
      seen.push(framesOf(linesOf(text)).length);
      await Bun.sleep(30);
    }
    const { code, out, err } = await recorder.ended;
    expect([code, out]).toEqual([0, ""]);
    expect(err).toMatch(/^all-smi: recorded 00:00:03 to .*: \d+ frames, [^\n]*\n$/);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(new Set(seen).size).toBeGreaterThan(2);

    expect(complaint(path)).toBe("");
    const lines = await readLines(path);
    expect(lines[0]).toMatchObject({ header: true, segment: 1, first_seq: 0, hosts: ["mock-0001"] });
    const frames = framesOf(lines);
    expect(frames.length).toBeGreaterThanOrEqual(10);
    expect(seqsOf(lines)).toEqual(counted(frames.length));
    expect(lines.at(-1)).toMatchObject({ index: true, end: true, seq: frames.length - 1, byte_offset: 0 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("goes on where it stopped, with an index that says where everything stands", async () => {
    const path = join(folder, `continued${extension}`);
    for (let n = 0; n < 4; n++) {
      expect((await record("-o", path, "--duration", "0.3s", ...SMALL).ended).code).toBe(0);
    }
    expect(complaint(path)).toBe("");
    const lines = await readLines(path);
    const frames = framesOf(lines);
    expect(seqsOf(lines)).toEqual(counted(frames.length));
    expect(new Set(lines.filter((line) => line.header).map((line) => line.recording)).size).toBe(1);
    const elapsed = frames.map((frame) => frame.elapsed_ms ?? -1);
    expect(elapsed).toEqual(elapsed.toSorted((a, b) => a - b));
    expect(await checkIndex(path, lines)).toBe(4);
  });
});

test.skipIf(Bun.which("jq") === null || Bun.which("zstd") === null)(
  "jq prints the times of all frames that are there",
  async () => {
    const path = join(folder, "jq.ndjson.zst");
    const recorder = record("-o", path, ...SMALL);
    await until("frames", async () => existsSync(path) && (await readFrames(path)).length >= 5);
    const shell = start(["sh", "-c", 'zstd -dc "$0" 2>/dev/null | jq -c .t', path]);
    const { out, err } = await shell.ended;
    expect(err).toBe("");
    expect(out.split("\n").length - 1).toBeGreaterThanOrEqual(6);
    for (const time of out.trimEnd().split("\n")) expect(time).toMatch(/^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$/);
    recorder.child.kill("SIGTERM");
    expect((await recorder.ended).code).toBe(0);
  },
);

test("this machine is recorded, all of its sections", async () => {
  const path = join(folder, "machine.ndjson.zst");
  const recorder = record("-o", path, "-i", "0.2");
  await until("ten frames", async () => existsSync(path) && (await readFrames(path)).length >= 10);
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  const frames = (await readFrames(path)) as (Line & Record<string, unknown[]>)[];
  expect(frames.some((frame) => (frame.processes?.length ?? 0) > 0)).toBe(true);
  expect(frames.some((frame) => frame.cpus?.length === 1 && frame.memory?.length === 1)).toBe(true);
  for (const frame of frames) {
    expect(frame.hostname).toBe(hostname());
    expect(Array.isArray(frame.gpus)).toBe(true);
    const isLate = frame.errors?.some((error) => error.startsWith("process"));
    expect(isLate || (frame.processes?.length ?? 0) > 0).toBe(true);
  }
});

describe.concurrent("the name", () => {
  const cases: [given: string[], written: string, told: boolean][] = [
    [["-o", "trace"], "trace.ndjson.zst", true],
    [["-o", "plain.ndjson"], "plain.ndjson", false],
    [["-o", "short.zst"], "short.zst", false],
    [["-o", "packed.ndjson", "--compress", "zstd"], "packed.ndjson.zst", true],
    [["-o", "given.ndjson", "--compress", "none"], "given.ndjson", false],
    [["-o", "squeezed", "--compress", "gzip"], "squeezed.ndjson.gz", true],
    [["-o", "dgx-01.local"], "dgx-01.local.ndjson.zst", true],
  ];
  test.each(cases)("%p becomes %s", async ([flag, name, ...options], written, told) => {
    const path = join(folder, written);
    const { code, err } = await record(
      flag as string,
      join(folder, name as string),
      ...options,
      "--duration",
      "0.2s",
      ...SMALL,
    ).ended;
    expect(code).toBe(0);
    expect((await readFrames(path)).length).toBeGreaterThan(0);
    expect(complaint(path)).toBe("");
    expect(err.includes(`all-smi: writing to ${path}\n`)).toBe(told);
    const first = readFileSync(path).subarray(0, 2).toString("hex");
    expect(first).toBe(written.endsWith(".zst") ? "28b5" : written.endsWith(".gz") ? "1f8b" : "7b22");
  });

  test("without one it goes into the cache folder", async () => {
    const path = join(folder, "cache", "all-smi", "records", "all-smi-record.ndjson.zst");
    const shell = start([
      ...["env", `XDG_CACHE_HOME=${join(folder, "cache")}`, LAUNCHER, "record", "--duration", "0.2s", ...SMALL],
    ]);
    const { code, err } = await shell.ended;
    expect(code).toBe(0);
    expect(err).toContain(` to ${path}: `);
    expect((await readFrames(path)).length).toBeGreaterThan(0);
    expect(statSync(join(folder, "cache", "all-smi", "records")).mode & 0o777).toBe(0o700);
  });
});

test("--quiet says nothing", async () => {
  const { code, out, err } = await record("-o", join(folder, "quiet"), "--quiet", "--duration", "0.2s", ...SMALL).ended;
  expect([code, out, err]).toEqual([0, "", ""]);
  expect((await readFrames(join(folder, "quiet.ndjson.zst"))).length).toBeGreaterThan(0);
});

test("a short run does not claim more CPU than the machine has", async () => {
  const { code, err } = await record("-o", join(folder, "short.ndjson"), "--duration", "0.1s", ...SMALL).ended;
  expect(code).toBe(0);
  const percent = Number(/, CPU ([\d.]+) %/.exec(err)?.[1]);
  expect(percent).toBeGreaterThan(0);
  expect(percent).toBeLessThanOrEqual(100 * cpus().length);
});
