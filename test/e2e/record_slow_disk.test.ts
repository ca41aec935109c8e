import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { framesOf, readLines } from "./recordings.ts";
import { LAUNCHER, start, testFolder, until } from "./run.ts";

const folder = testFolder();

const SLOW = "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat";
const DELAY_US = 1_000_000;
const INTERVAL_MS = 500;
const ROTATIONS = 3;

/** Names of closed segments that were given while it was traced. */
const rotationsIn = (log: string): number =>
  new Set(Array.from(readFileSync(log, "utf8").matchAll(/"[^"]*slow\.(\d{4})\.ndjson"/g), ([, number]) => number)).size;

test.skipIf(Bun.which("strace") === null)(
  "a disk that takes a second for each sync, renaming and removal makes no frame late, and none is missing",
  async () => {
    const path = join(folder, "slow.ndjson");
    const log = join(folder, "calls");
    const { child, said, ended } = start([
      ...[
        "strace",
        "-D",
        "-f",
        "-qq",
        "-o",
        log,
        "-e",
        `trace=${SLOW}`,
        "-e",
        `inject=${SLOW}:delay_enter=${DELAY_US}`,
      ],
      ...[LAUNCHER, "record", "-o", path, "--source", "mock", "--mock", "1x1", "--include", "memory"],
      ...["-i", String(INTERVAL_MS / 1000), "--max-size", "8K", "--max-files", "2", "--keep-free", "0"],
    ]);
    await until("the rotations", () => readdirSync(folder).includes("calls") && rotationsIn(log) >= ROTATIONS);
    child.kill("SIGINT");
    const { code } = await ended;
    expect({ code, said: said() }).toMatchObject({ code: 0, said: expect.not.stringMatching(/missing|cannot|pauses/) });
    const calls = readFileSync(log, "utf8");
    // Whatever was renamed, made or removed was brought to the disk in its folder as well.
    expect(calls).toMatch(/\bfsync\(/);
    const names = readdirSync(folder)
      .filter((name) => name.startsWith("slow."))
      .sort();
    expect(names.length).toBeLessThanOrEqual(2);
    const frames = (await Promise.all(names.map((name) => readLines(join(folder, name))))).flatMap(framesOf);
    expect(frames.length).toBeGreaterThan(2);
    expect(frames.flatMap(({ errors }) => errors ?? [])).toEqual([]);
    const first = frames[0];
    const inOrder = frames.toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
    const places = inOrder.map(({ elapsed_ms = 0 }) =>
      Math.round((elapsed_ms - (inOrder[0]?.elapsed_ms ?? 0)) / INTERVAL_MS),
    );
    expect(first).toBeDefined();
    expect(inOrder.map(({ seq = 0 }) => seq - (inOrder[0]?.seq ?? 0))).toEqual(inOrder.map((_, n) => n));
    expect(places).toEqual(inOrder.map((_, n) => n));
  },
);
