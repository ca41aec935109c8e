import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM, SMALL, start, testFolder, until } from "./run.ts";

const folder = testFolder();
const UNSYNCED =
  /what was recorded cannot be brought to the disk: input\/output error; it is written again until it can\n/g;
const SYNCED = /what was recorded is on the disk now\n/g;

interface Call {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

/** The lines of a log of strace; a call that another thread's came between is in two, and put together again. */
function wholeLines(log: string): string[] {
  const begun = new Map<string, string>();
  return log.split("\n").flatMap((line) => {
    const [, thread = "", call = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const [, beginning] = /^(.*?) *<unfinished \.\.\.>$/.exec(call) ?? [];
    if (beginning !== undefined) {
      begun.set(thread, beginning);
      return [];
    }
    const [, rest] = /^<\.\.\. \w+ resumed> *(.*)$/.exec(call) ?? [];
    return [rest === undefined ? call : `${begun.get(thread)}${rest}`];
  });
}

/** The calls about one file in a log of strace: what was written where, and what was brought to the disk. */
function callsOf(log: string): Call[] {
  return wholeLines(readFileSync(log, "utf8")).flatMap((line) => {
    const written = /pwrite64\(\d+, .*, (\d+), (\d+)\)\s+= \1$/.exec(line);
    if (written !== null) {
      const [length, from] = [Number(written[1]), Number(written[2])];
      return [{ name: "write", from, to: from + length, failed: false }];
    }
    const synced = /fdatasync\(\d+\)\s+= (-1 EIO|0)/.exec(line);
    return synced === null ? [] : [{ name: "sync", from: 0, to: 0, failed: synced[1] !== "0" }];
  });
}

/** What had been written and is not on the disk by the end of these calls, where a sync that fails drops what it had. */
function lostBytes(calls: readonly Call[]): number {
  const waiting: Call[] = [];
  let dropped: Call[] = [];
  for (const call of calls) {
    if (call.name === "write") {
      waiting.push(call);
      dropped = dropped.filter(({ from, to }) => call.from > from || call.to < to);
    } else {
      if (call.failed) dropped.push(...waiting);
      waiting.length = 0;
    }
  }
  return dropped.reduce((sum, { from, to }) => sum + to - from, 0);
}

test.skipIf(Bun.which("strace") === null)(
  "what a sync did not bring to the disk is written again before the next one, and said once",
  async () => {
    const path = join(folder, "refused.ndjson");
    const log = join(folder, "calls");
    const { child, said } = start([
      ...["strace", "-D", "-f", "-qq", "-s", "0", "-o", log, "-e", "trace=fdatasync,pwrite64"],
      // Each thread that brings something to the disk fails twice; the launcher would have it many of them.
      ...["-e", "inject=fdatasync:error=EIO:when=1..2"],
      ...["env", "UV_THREADPOOL_SIZE=1", ...PROGRAM, "record", "-o", path, ...SMALL, "-i", "0.5"],
    ]);
    await until("the second failure", () => existsSync(log) && callsOf(log).filter(({ failed }) => failed).length >= 2);
    await until("that it is on the disk", () => said().match(SYNCED) !== null);
    child.kill("SIGKILL");
    await child.exited;
    const calls = callsOf(log);
    const lastSync = calls.findLastIndex(({ name, failed }) => name === "sync" && !failed);
    expect(lostBytes(calls.slice(0, calls.findIndex(({ failed }) => failed) + 1))).toBeGreaterThan(0);
    expect(lostBytes(calls.slice(0, lastSync + 1))).toBe(0);
    expect(said().match(UNSYNCED)?.length).toBe(said().match(SYNCED)?.length ?? 0);
    // Two that fail one after the other are one thing that happens.
    expect(said().match(UNSYNCED)?.length).toBeLessThan(calls.filter(({ failed }) => failed).length);
    expect(said().replaceAll(UNSYNCED, "").replaceAll(SYNCED, "")).not.toContain("cannot");
  },
);

test.skipIf(Bun.which("strace") === null)(
  "an end that cannot be brought to the disk is told, with status 1",
  async () => {
    const path = join(folder, "end.ndjson");
    const { code, out, err } = await start([
      ...["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"],
      ...[...PROGRAM, "record", "-o", path, "--duration", "0.5s", ...SMALL],
    ]).ended;
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe(`all-smi: ${path}: its end could not be written: input/output error\n`);
  },
);
