import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Pty } from "./pty.ts";
import { PROGRAM, TEST_MS, testFolder } from "./run.ts";
import { everySecond, writeRecording } from "./view_recordings.ts";

const folder = testFolder();
const CALLS = "trace=open,openat,stat,newfstatat,statx,access,faccessat2,readlink,readlinkat,execve,socket,connect";
/** Bun itself looks for the number of CPUs, below /sys/devices. */
const DEVICES = /"\/proc\/stat|"\/sys\/(class|bus)|"\/dev\/(nvidia|dri|kfd)|libnvidia-ml|librocm|\bsocket\(/;

/** What a view asks the system for, a line a call. */
async function traced(...args: string[]): Promise<string[]> {
  const log = join(folder, "calls");
  const pty = new Pty(["strace", "-f", "-qq", "-o", log, "-e", CALLS, ...PROGRAM, "view", ...args]);
  await pty.untilText(/REPLAY|LIVE/);
  pty.type("]5n?");
  await pty.untilText("this help");
  pty.type("q");
  expect(await pty.exit()).toBe(0);
  return readFileSync(log, "utf8").split("\n");
}

test.skipIf(Bun.which("strace") === null)(
  "a replay touches no device and opens no socket; a live view does, which the trace would show",
  async () => {
    const path = writeRecording(folder, "traced", everySecond(30));
    const calls = await traced("--replay", path, "--paused");
    expect(calls.some((call) => call.includes(path))).toBe(true);
    expect(calls.filter((call) => DEVICES.test(call))).toEqual([]);
    expect(calls.filter((call) => call.includes("/src/sources/"))).toEqual([]);

    const live = await traced();
    expect(live.some((call) => DEVICES.test(call))).toBe(true);
    expect(live.some((call) => call.includes("/src/sources/"))).toBe(true);
  },
  TEST_MS,
);
