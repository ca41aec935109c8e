import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { readFrames } from "./recordings.ts";
import { type Outcome, PROGRAM, record, SMALL, start, testFolder, until } from "./run.ts";

const folder = testFolder();

/** One line on stderr, status 2, and nothing on stdout. */
function expectRefused({ code, out, err }: Outcome, words: string): void {
  expect([code, out]).toEqual([2, ""]);
  expect(err).toBe(`all-smi: ${words}\n`);
}

const recordOnce = (path: string): Promise<Outcome> => record("-o", path, "--duration", "0.2s", ...SMALL).ended;

describe.concurrent("what stands at the path stays as it is:", () => {
  const files: [what: string, content: string | Uint8Array][] = [
    ["text", "notes of somebody\n"],
    ["other JSON", '{"name":"all-smi","version":1}\n'],
    ["other JSON without a newline", '{"name":"all-smi"}'],
    ["other NDJSON", '{"a":1}\n{"a":2}\n'],
    ["binary", new Uint8Array(5000).map((_, n) => (n * 7) % 251)],
    ["other text in zstd", Bun.zstdCompressSync("notes of somebody\n")],
    ["other text in gzip", Bun.gzipSync("notes of somebody\n")],
    ["a cut-off archive", Bun.gzipSync("notes of somebody, of more than a line").subarray(0, 40)],
  ];
  test.each(files.map(([what, content], n) => ({ what, content, n })))("$what", async ({ content, n }) => {
    for (const extension of [".ndjson", ".ndjson.zst", ".ndjson.gz"]) {
      const path = join(folder, `file-${n}${extension}`);
      writeFileSync(path, content);
      const { mtimeMs, ino } = statSync(path);
      expectRefused(
        await recordOnce(path),
        `${path}: exists and is not a recording; it was left as it is, give another path`,
      );
      expect(readFileSync(path).equals(Buffer.from(content))).toBe(true);
      expect([statSync(path).mtimeMs, statSync(path).ino]).toEqual([mtimeMs, ino]);
    }
  });

  test("a directory", async () => {
    for (const name of ["directory", "directory.ndjson"]) {
      const path = join(folder, name);
      mkdirSync(path);
      expectRefused(await recordOnce(path), `${path}: is a directory; give the path of a file in it`);
      expect(readdirSync(path)).toEqual([]);
    }
  });

  test("a directory at the completed name", async () => {
    const path = join(folder, "completed.ndjson.zst");
    mkdirSync(path);
    expectRefused(await recordOnce(join(folder, "completed")), `${path}: is a directory; give the path of a file`);
  });

  test("a link, and what it leads to", async () => {
    const target = join(folder, "target.ndjson");
    expect((await recordOnce(target)).code).toBe(0);
    const bytes = readFileSync(target);
    const path = join(folder, "link.ndjson");
    symlinkSync(target, path);
    expectRefused(await recordOnce(path), `${path}: is a symbolic link; give the path of the file itself`);
    expect(readlinkSync(path)).toBe(target);
    expect(readFileSync(target).equals(bytes)).toBe(true);
  });

  test("a link that leads nowhere", async () => {
    const path = join(folder, "dangling.ndjson");
    symlinkSync(join(folder, "nowhere"), path);
    expectRefused(await recordOnce(path), `${path}: is a symbolic link; give the path of the file itself`);
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
  });

  test("a pipe", async () => {
    const path = join(folder, "pipe.ndjson");
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
    expectRefused(await recordOnce(path), `${path}: is no regular file; give another path`);
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  test("a pipe whose name would be completed", async () => {
    const path = join(folder, "pipe");
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
    expectRefused(await recordOnce(path), `${path}: is no regular file; give another path`);
    expect(existsSync(`${path}.ndjson.zst`)).toBe(false);
  });
});

describe.concurrent("a folder", () => {
  test("that is not there", async () => {
    const path = join(folder, "missing", "t.ndjson");
    expectRefused(await recordOnce(path), `${join(folder, "missing")}: no such file or directory`);
    expect(existsSync(join(folder, "missing"))).toBe(false);
  });

  test("that is a file", async () => {
    writeFileSync(join(folder, "plain"), "");
    const path = join(folder, "plain", "t.ndjson");
    const { code, err } = await recordOnce(path);
    expect([code, err.split("\n").length]).toEqual([2, 2]);
    expect(err).toContain("not a directory");
  });

  /** Root may write anywhere. */
  const unprivileged = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  test.skipIf(unprivileged[0] !== undefined && Bun.which(unprivileged[0]) === null)(
    "that may not be written to",
    async () => {
      const locked = join(folder, "locked");
      mkdirSync(locked);
      chmodSync(folder, 0o755);
      chmodSync(locked, 0o555);
      const path = join(locked, "t.ndjson");
      const { ended } = start([...unprivileged, ...PROGRAM, "record", "-o", path, "--duration", "0.2s", ...SMALL]);
      expectRefused(await ended, `${path}: permission denied`);
      expect(readdirSync(locked)).toEqual([]);
    },
  );
});

describe.concurrent("options", () => {
  const path = join(folder, "options.ndjson.zst");
  const cases: [options: string[], words: RegExp][] = [
    [["--durations", "3s"], /^unknown option '--durations' \(Did you mean --duration\?\)$/],
    [["--max-sise", "3"], /^unknown option '--max-sise' \(Did you mean --max-size\?\)$/],
    [["--nothing"], /^unknown option '--nothing'$/],
    [["argument"], /too many arguments/],
    [["--interval"], /argument missing/],
    [["-i", "fast"], /'-i, --interval <seconds>' argument 'fast' is invalid\. Give seconds from 0\.1 to 86400\.$/],
    [["-i", "0"], /Give seconds from 0\.1 to 86400\.$/],
    [["-i", "-1"], /Give seconds|argument missing/],
    [["-i", "0.01"], /Give seconds from 0\.1 to 86400\.$/],
    [["-i", "1e999"], /Give seconds from 0\.1 to 86400\.$/],
    [["--duration", "soon"], /Give a duration such as 30s, 5m, 1h or 1d\.$/],
    [["--duration", "5 minutes"], /Give a duration/],
    [["--max-size", "10X"], /Give a size such as 512K, 100M or 2G\.$/],
    [["--max-size", "-5"], /Give a size|argument missing/],
    [["--max-files", "0"], /Give a whole number of at least 1\.$/],
    [["--max-files", "2.5"], /Give a whole number of at least 1\.$/],
    [["--keep-free", "much"], /Give a size/],
    [["--compress", "lzma"], /Allowed choices are zstd, gzip, none\.$/],
    [["--compress", "gzip"], /options\.ndjson\.zst and --compress gzip contradict each other: leave one out$/],
    [["--source", "moon"], /Allowed choices are local, remote, mock\.$/],
    [["--source", "remote"], /^no host: give --hosts or --hostfile$/],
    [["--include", "gpu,nothing"], /"nothing" is none of gpu, cpu, memory, chassis, process, storage\.$/],
    [["--source", "mock", "--mock", "many"], /^--mock many: not HOSTSxGPUS/],
    [["--host-root", join(folder, "nowhere")], /^--host-root .*: there is no proc in it$/],
    [["--command", "some"], /Allowed choices are masked, full, name\.$/],
    [["-o", ""], /^--output is empty: give a path$/],
    [
      ["-o", "-", "--compress", "zstd"],
      /^--output - is plain lines, not zstd: leave --compress out, or pipe them to zstd$/,
    ],
    [["-o", "-", "--max-size", "1K"], /^--max-size is for files: not with --output -$/],
    [["-o", "-", "--max-files", "10"], /^--max-files is for files: not with --output -$/],
    [["-o", "-", "--keep-free", "0"], /^--keep-free is for files: not with --output -$/],
    [["-o", "/dev/null"], /^\/dev\/null: no recording goes into \/dev; --output - is standard output$/],
    [["-o", "/dev/../dev/none"], /no recording goes into \/dev/],
  ];
  test.each(cases.map(([options, words]) => [options.join(" "), options, words] as const))(
    "%s",
    async (_, options, words) => {
      const { code, out, err } = await record("-o", path, "--duration", "0.2s", ...options).ended;
      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(/^all-smi: [^\n]+\n$/);
      expect(err.slice("all-smi: ".length, -1)).toMatch(words);
      expect(existsSync(path)).toBe(false);
    },
  );

  test("a command that is none", async () => {
    const { code, err } = await start([...PROGRAM, "recrod"]).ended;
    expect([code, err]).toEqual([2, "all-smi: unknown command 'recrod' (Did you mean record?)\n"]);
  });
});

describe.concurrent("a second recorder", () => {
  test("is refused, and the first goes on", async () => {
    const path = join(folder, "twice.ndjson.zst");
    const first = record("-o", path, ...SMALL);
    const frames = async () => (existsSync(path) ? (await readFrames(path)).length : 0);
    await until("a frame", async () => (await frames()) > 0);
    const words = `${path}: another all-smi is recording to it; stop that one, or give another path`;
    expectRefused(await recordOnce(path), words);
    const seen = await frames();
    await until("another frame", async () => (await frames()) > seen);
    first.child.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);
  });

  test("may begin when the first was killed", async () => {
    const path = join(folder, "after.ndjson.zst");
    const first = record("-o", path, ...SMALL);
    await until("a frame", async () => existsSync(path) && (await readFrames(path)).length > 0);
    first.child.kill("SIGKILL");
    await first.ended;
    expect((await recordOnce(path)).code).toBe(0);
  });

  test("one of two that start at once is refused", async () => {
    const path = join(folder, "race.ndjson.zst");
    const outcomes = await Promise.all([recordOnce(path), recordOnce(path), recordOnce(path)]);
    const codes = outcomes.map(({ code }) => code);
    expect(codes.filter((code) => code !== 0 && code !== 2)).toEqual([]);
    expect(codes).toContain(0);
    const frames = await readFrames(path);
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, n) => n));
  });
});
