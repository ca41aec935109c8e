import { expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { allSmi } from "./pty.ts";
import { type Outcome, PROGRAM, start, TEST_MS, testFolder } from "./run.ts";
import { appendFrames, everySecond, framesAt, writeRecording } from "./view_recordings.ts";

const folder = testFolder();
const FIXTURES = resolve(import.meta.dir, "../fixtures/rust");
const HOUR = writeRecording(folder, "hour", everySecond(3601));
/** All of it is known at once, however busy the machine is. */
const MINUTE = writeRecording(folder, "minute", everySecond(61));

const view = (...options: string[]): Promise<Outcome> => start([...PROGRAM, "view", ...options]).ended;
const once = (path: string, ...options: string[]): Promise<Outcome> => view("--replay", path, "--once", ...options);

const starts: [start: string, elapsed: string, state: string][] = [
  ["00:14:32", "00:14:32", "paused"],
  ["00:30", "00:00:30", "paused"],
  ["90", "00:01:30", "paused"],
  ["-5m", "00:55:00", "paused"],
  ["50%", "00:30:00", "paused"],
  ["@12:31:58", "00:31:58", "paused"],
  ["2026-04-18T12:10:00Z", "00:10:00", "paused"],
];
test.each(starts)(
  "--start %s --once is the screen at that moment",
  async (start, elapsed, state) => {
    const { code, out, err } = await once(HOUR, `--start=${start}`, "--size", "120x40");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain(`REPLAY | ${elapsed} / 01:00:00 | 1.0x | ${state}`);
    expect(out.split("\n").length).toBe(41);
  },
  TEST_MS,
);

test.each([
  ["99:00:00", "01:00:00", "after the end: the last frame is shown"],
  ["-2h", "00:00:00", "before the beginning: the first frame is shown"],
])(
  "--start %s is outside: the nearest end, and a line that says so",
  async (start, elapsed, words) => {
    const { code, out, err } = await once(HOUR, `--start=${start}`, "--size", "120x40");
    expect([code, err]).toEqual([0, `all-smi: --start is ${words}\n`]);
    expect(out).toContain(`REPLAY | ${elapsed} / 01:00:00 |`);
  },
  TEST_MS,
);

test.each(["mock-0001", "ホスト-01", "é\u0301x 한글"])(
  "it is the very screen that the interactive view shows there: %s",
  async (hostname) => {
    const path = writeRecording(folder, "named", everySecond(60));
    writeFileSync(path, readFileSync(path, "utf8").replaceAll("mock-0001", hostname));
    const at = ["--replay", path, "--start", "00:00:20"];
    const size = ["--size", "120x40"];
    const { out } = await start(["env", "TZ=UTC", ...PROGRAM, "view", ...at, "--once", ...size]).ended;
    expect(out).toContain(hostname.slice(0, 3));
    const pty = allSmi(["view", ...at, "--paused"]);
    const plain = (text: string) =>
      text
        .split("\n")
        .map((row) => row.trimEnd())
        .join("\n")
        .trimEnd();
    await pty.until(`the same screen as\n${out}`, ({ text }) => plain(text) === plain(out));
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

test(
  "colours: only where they are asked for",
  async () => {
    const sizes = ["--size", "80x24"] as const;
    const always = await start([
      "env",
      "NO_COLOR=1",
      "TERM=dumb",
      ...PROGRAM,
      "view",
      "--replay",
      MINUTE,
      "--once",
      "--color",
      "always",
      ...sizes,
    ]).ended;
    expect(always.out).toContain("\x1b[");
    const plain = await once(MINUTE, ...sizes);
    expect(plain.out).not.toContain("\x1b");
    expect(
      Bun.stripANSI(always.out)
        .split("\n")
        .map((row) => row.trimEnd()),
    ).toEqual(plain.out.split("\n"));
  },
  TEST_MS,
);

test(
  "on a terminal it has the terminal's size and colours, and leaves it alone",
  async () => {
    const pty = allSmi(["view", "--replay", HOUR, "--once"], { columns: 90, rows: 28 });
    expect(await pty.exit()).toBe(0);
    expect(pty.isAlternate).toBe(false);
    expect(pty.output).toContain("\x1b[0;38;2;");
    const rows = pty.rows.filter((row) => row !== "");
    expect(rows.at(-1)).toContain("REPLAY | 00:00:00");
    expect(rows.some((row) => row.startsWith(" mock-0001"))).toBe(true);
  },
  TEST_MS,
);

const recordings: [name: string, hosts: string[]][] = [
  ["amd.2hosts.ndjson", ["node-0001", "node-0002"]],
  ["apple.2hosts.ndjson", ["node-0001", "node-0002"]],
  ["gaudi.2hosts.ndjson", ["node-0001", "node-0002"]],
  ["jetson.2hosts.ndjson", ["node-0001", "node-0002"]],
  ["nvidia.2hosts.ndjson", ["node-0001", "node-0002"]],
  ["nvidia.3hosts.ndjson.gz", ["node-0001", "node-0002", "node-0003"]],
  ["nvidia.3hosts.ndjson.zst", ["node-0001", "node-0002", "node-0003"]],
  ["cut-off.ndjson.gz", []],
  ["cut-off.ndjson.zst", []],
  ["killed.ndjson", []],
  ["linux-no-gpu.ndjson", []],
  ["zstd-in-disguise.ndjson", []],
  ["rotated", []],
  ["rotated/rot.ndjson.zst", []],
  ["rotated/rot.0001.ndjson.zst", []],
];
test.each(recordings)(
  "the Rust tool's %s replays",
  async (name, hosts) => {
    const { code, out } = await once(join(FIXTURES, name), "--start", "50%", "--size", "120x40");
    expect(code).toBe(0);
    expect(out).toMatch(/REPLAY \| 00:0\d:\d\d \/ 00:0\d:\d\d \| 1\.0x \| (paused|end)/);
    for (const host of hosts) expect(out).toContain(host);
  },
  TEST_MS,
);

test(
  "frames that are early or late by some milliseconds are of the second that was asked for",
  async () => {
    const path = writeRecording(folder, "jitter", [0, 999, 1999, 3002, 4000]);
    const chip = async (start: string) =>
      (await once(path, "--start", start)).out.match(/REPLAY[^|]*[|] ([^|]*) /)?.[1];
    expect([await chip("00:01"), await chip("2"), await chip("00:00:03")]).toEqual([
      "00:00:01 / 00:00:04",
      "00:00:02 / 00:00:04",
      "00:00:03 / 00:00:04",
    ]);
  },
  TEST_MS,
);

test(
  "another schema is refused in its words",
  async () => {
    const { code, out, err } = await once(join(FIXTURES, "schema-2.ndjson"));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toBe("replay: unsupported schema version 2, this all-smi supports schema 1\n");
  },
  TEST_MS,
);

test(
  "another schema in the middle: what came before is shown, and the words with it",
  async () => {
    const path = writeRecording(folder, "middle", everySecond(5));
    writeFileSync(path, `{"schema":2,"t":"2026-04-18T12:00:05Z"}\n`, { flag: "a" });
    appendFrames(path, framesAt(everySecond(9)).slice(6));
    const { code, out, err } = await once(path, "--size", "160x40");
    expect(code).toBe(2);
    expect(out).toContain("REPLAY | 00:00:00 / 00:00:04");
    expect(out).toContain("unsupported schema version 2");
    expect(err).toContain("unsupported schema version 2, this all-smi supports schema 1");
  },
  TEST_MS,
);

test(
  "lines that had to be skipped are counted, on the screen and on stderr",
  async () => {
    const path = writeRecording(folder, "skipped", everySecond(5));
    writeFileSync(path, '{"schema":1,"t":"2026-04-\nrubbish\n', { flag: "a" });
    const { code, out, err } = await once(path, "--size", "160x40");
    expect(code).toBe(0);
    expect(out).toContain("2 lines skipped");
    expect(err).toMatch(/^all-smi: 2 lines skipped: [^\n]+\n$/);
  },
  TEST_MS,
);

const empty = join(folder, "nothing");
mkdirSync(empty);
writeFileSync(join(folder, "empty.ndjson"), "");
writeFileSync(join(folder, "text.ndjson"), "this is no recording\nnot at all\n");
writeFileSync(join(folder, "header.ndjson"), '{"schema":1,"header":true,"interval_ms":1000}\n');
const several = join(folder, "several");
mkdirSync(several);
for (const name of ["a", "b"]) cpSync(HOUR, join(several, `${name}.ndjson`));
const pipe = join(folder, "pipe");
Bun.spawnSync(["mkfifo", pipe]);

const refused: [what: string, args: string[], words: RegExp][] = [
  ["a missing file", ["--replay", join(folder, "missing.ndjson")], /no such file/],
  ["a folder without recordings", ["--replay", empty], /nothing: /],
  ["a folder with several", ["--replay", several], /a\.ndjson.*b\.ndjson/],
  ["an empty file", ["--replay", join(folder, "empty.ndjson")], /is empty/],
  ["no recording", ["--replay", join(folder, "text.ndjson")], /is not a recording/],
  ["a header only", ["--replay", join(folder, "header.ndjson")], /no frames/],
  ["a device", ["--replay", "/dev/null"], /null: /],
  ["a pipe that nobody writes to", ["--replay", pipe], /pipe: /],
  ["a bad start", ["--replay", HOUR, "--start", "noon"], /--start noon: try 00:14:32/],
  ["a bad speed", ["--replay", HOUR, "--speed", "0"], /0\.25 to 64/],
  ["too much speed", ["--replay", HOUR, "--speed", "65"], /0\.25 to 64/],
  ["a bad size", ["--replay", HOUR, "--size", "80"], /160x45/],
  ["a bad colour", ["--replay", HOUR, "--color", "pink"], /auto, always, never/],
  ["an interval with a recording", ["--replay", HOUR, "-i", "2"], /--interval .*--replay/],
  ["a source with a recording", ["--replay", HOUR, "--source", "mock"], /--source .*--replay/],
  ["a start without a recording", ["--start", "00:30"], /--start goes with --replay/],
  ["loop without a recording", ["--loop"], /--loop goes with --replay/],
  ["an argument", ["trace.ndjson"], /too many arguments.*1\.\n$/],
  ["a recording without --replay", [HOUR], /too many arguments.*\(To play a recording: all-smi view --replay .+\)\n$/],
];
test("info on a full disk fails", async () => {
  const { code, err } = await start(["sh", "-c", '"$@" >/dev/full', "sh", ...PROGRAM, "info", HOUR]).ended;
  expect([code, err]).toEqual([1, "all-smi: standard output: disk full\n"]);
});

test("without a command it is the view, with its options", async () => {
  const { code, out, err } = await start([...PROGRAM, "--replay", HOUR, "--once", "--size", "80x24"]).ended;
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain("REPLAY | 00:00:00 / 01:00:00");
  expect((await start([...PROGRAM, "--version"]).ended).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect((await start([...PROGRAM, "--help"]).ended).out).toContain("Usage: all-smi [options] [command]");
});

test.each(refused)(
  "%s: one line, status 2",
  async (_, args, words) => {
    const { code, out, err } = await view("--once", ...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^all-smi: [^\n]*\n$/);
    expect(err).toMatch(words);
  },
  TEST_MS,
);

test(
  "a recording that may not be read: one line, status 2",
  async () => {
    if (process.getuid?.() === 0) return console.warn("root may read everything");
    const path = writeRecording(folder, "secret", everySecond(2));
    chmodSync(path, 0o000);
    const { code, err } = await once(path);
    expect(code).toBe(2);
    expect(err).toMatch(/^all-smi: [^\n]*permission denied\n$/);
  },
  TEST_MS,
);
