import { expect, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allSmi } from "./pty.ts";
import { PROGRAM, record, start, TEST_MS, testFolder, until } from "./run.ts";

const folder = testFolder();

/** This machine, with a log that the test writes. */
function machineWithLog(): { root: string; log: string } {
  const root = mkdtempSync(join(folder, "root-"));
  mkdirSync(join(root, "dev"));
  symlinkSync("/proc", join(root, "proc"));
  symlinkSync("/sys", join(root, "sys"));
  const log = join(root, "dev/kmsg");
  writeFileSync(log, "3,1,1,-;Out of memory: Killed process 1 (earlier) total-vm:1kB, anon-rss:1kB\n");
  return { root, log };
}

const FALLEN = "4,2,2,-;NVRM: Xid (PCI:0000:06:00): 79, pid=1234, name=python3, GPU has fallen off the bus.\n";
const KILLED = "3,3,3,-;Out of memory: Killed process 4711 (trainer) total-vm:9kB, anon-rss:2097152kB, file-rss:0kB\n";

test(
  "what the kernel says while it records is in the recording, counted by info, shown by view and found by n",
  async () => {
    const { root, log } = machineWithLog();
    const path = join(folder, "told.ndjson");
    const options = ["--host-root", root, "--hostname", "h", "--include", "memory", "-i", "0.2", "--keep-free", "0"];
    const recorder = record(...options, "-o", path);
    const written = () => (existsSync(path) ? readFileSync(path, "utf8") : "");
    const frames = (): number => written().split('"hostname"').length - 1;
    await until("some frames", () => frames() >= 3);
    appendFileSync(log, FALLEN);
    await until("the XID", () => written().includes('"kind":"xid"'));
    const before = frames();
    await until("some frames more", () => frames() >= before + 2);
    appendFileSync(log, KILLED);
    await until("the kill", () => written().includes('"kind":"oom"'));
    recorder.child.kill("SIGINT");
    expect((await recorder.ended).code).toBe(0);

    const info = await start([...PROGRAM, "info", path]).ended;
    expect(info.out).toMatch(/^events +1 oom, 1 xid$/m);
    const screen = await start([...PROGRAM, "view", "--replay", path, "--once", "--size", "120x36"]).ended;
    expect(screen.out).toMatch(/┃.*X/);

    const pty = allSmi(["view", "--replay", path, "--paused"]);
    await pty.untilText(/┃.*X/);
    pty.type("n");
    await pty.untilText(/XID 79: GPU has fallen off the bus, python3 \(1234\)/);
    pty.type("n");
    await pty.untilText(/killed trainer \(4711\) with 2\.0 GiB/);
    pty.type("q");
    expect(await pty.exit()).toBe(0);
  },
  TEST_MS,
);

test(
  "a snapshot has nothing of what the log held before",
  async () => {
    const { root } = machineWithLog();
    const { code, out } = await start([...PROGRAM, "snapshot", "--host-root", root, "--include", "memory"]).ended;
    expect(code).toBe(0);
    expect(out).toContain("total_bytes");
    expect(out).not.toContain("earlier");
  },
  TEST_MS,
);
