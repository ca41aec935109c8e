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

/** What may be wrong, as kernels from 3.10 on and drivers of all years say it, and how bad it is. */
const SAID: readonly (readonly [message: string, kind: string, severity: string])[] = [
  ["BUG: soft lockup - CPU#3 stuck for 22s! [trainer:123]", "hang", "critical"],
  ["NMI watchdog: BUG: soft lockup - CPU#4 stuck for 23s! [trainer:123]", "hang", "critical"],
  ["watchdog: BUG: soft lockup - CPU#5 stuck for 26s! [trainer:123]", "hang", "critical"],
  ["Watchdog detected hard LOCKUP on cpu 6", "hang", "critical"],
  ["watchdog: CPU7: Watchdog detected hard LOCKUP on cpu 7", "hang", "critical"],
  ["Watchdog CPU:8 Hard LOCKUP", "hang", "critical"],
  ["watchdog: CPU 9 self-detected hard LOCKUP @ queued_spin_lock_slowpath+0x1e4/0x260", "hang", "critical"],
  ["Watchdog CPU:10 detected Hard LOCKUP other CPUS:11", "hang", "critical"],
  ["watchdog: CPU 10 detected hard LOCKUP on other CPUs 12", "hang", "critical"],
  ["INFO: task dd:456 blocked in I/O wait for more than 122 seconds.", "hang", "critical"],
  ["rcu: INFO: rcu_sched self-detected stall on CPU", "hang", "critical"],
  ["Out of memory: Kill process 12 (trainer) score 900 or sacrifice child", "oom", "critical"],
  ["Memory cgroup out of memory: Killed process 13 (trainer) total-vm:9kB, anon-rss:9kB", "oom", "critical"],
  ["pcieport 0000:00:01.0: AER: Corrected error received: id=0008", "aer", "warning"],
  ["igb 0000:02:00.0: PCIe Bus Error: severity=Uncorrectable (Non-Fatal), type=Physical Layer, (ID)", "aer", "warning"],
  [
    "igb 0000:03:00.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Physical Layer, id=0300(ID)",
    "aer",
    "critical",
  ],
  ["pcieport 0000:04:00.0: AER: Device recovery failed", "aer", "critical"],
  ["NVRM: Xid (PCI:0000:01:00): 145, RLW_SRC_TRACK Nonfatal XC0 i0 Link 02 (0x00000014)", "xid", "warning"],
  ["NVRM: Xid (PCI:0000:01:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 08 (0x004505c6)", "xid", "critical"],
  [
    "NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (OS Reboot)",
    "xid",
    "critical",
  ],
  ["NVRM: Xid (PCI:0000:01:00 GPU-I:05): 31, pid=9, name=trainer, Ch 00000008", "xid", "warning"],
  ["NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x26:0xffff:1290)", "gpu_error", "critical"],
  ["amdgpu 0000:05:00.0: [drm] device wedged, but recovered through reset", "gpu_reset", "warning"],
  ["amdgpu 0000:05:00.0: [drm] device wedged, needs recovery", "hang", "critical"],
  ["amdgpu 0000:05:00.0: GPU reset failed, reboot", "gpu_reset", "critical"],
  ["mce: [Hardware Error]: CPU 3: Machine Check: 0 Bank 7: 8c00004000010091", "mce", "warning"],
];

test(
  "messages of all kernels are told, each as bad as it is",
  async () => {
    const { root, log } = machineWithLog();
    const path = join(folder, "severities.ndjson");
    const options = ["--host-root", root, "--hostname", "h", "--include", "memory", "-i", "0.2", "--keep-free", "0"];
    const recorder = record(...options, "-o", path);
    const written = () => (existsSync(path) ? readFileSync(path, "utf8") : "");
    await until("a frame", () => written().includes('"hostname"'));
    appendFileSync(log, SAID.map(([message], n) => `3,${10 + n},${10 + n},-;${message}\n`).join(""));
    await until("the last of them", () => written().includes('"kind":"mce"'));
    recorder.child.kill("SIGINT");
    expect((await recorder.ended).code).toBe(0);
    const frames = written()
      .split("\n")
      .filter((line) => line.includes('"events"') && line.includes('"hostname"'));
    const events: { kind: string; severity: string }[] = frames.flatMap((line) => JSON.parse(line).events);
    const told = events.map(({ kind, severity }) => `${kind} ${severity}`);
    expect(told.sort()).toEqual(SAID.map(([, kind, severity]) => `${kind} ${severity}`).sort());
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
