import { expect, test } from "bun:test";
import { closeSync, constants, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { decodeLine } from "../../src/frame/decode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { FOLDER, hostTree, type Tree } from "./host_tree.ts";
import { LAUNCHER, PROGRAM, start, testFolder, until } from "./run.ts";

const folder = testFolder();

const CARD = "/sys/devices/pci0000:00/0000:03:00.0";

/** A machine with something of everything. */
const MACHINE: Tree = {
  "/proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\ncpu0 1 0 1 1 0 0 0 0 0 0\n",
  "/proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 400 kB\n",
  "/proc/loadavg": "0.1 0.2 0.3 1/2 3\n",
  "/proc/uptime": "100.00 100.00\n",
  "/proc/1/mountinfo": "27 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
  "/proc/42/stat": `42 (train) D 1 42 42 0 -1 4194560 1 0 0 0 5 5 0 0 20 0 1 0 100 1000000 200 ${"0 ".repeat(28)}\n`,
  "/proc/42/statm": "100 50 0 0 0 0 0\n",
  "/proc/42/status": "Name:\ttrain\nUid:\t0\t0\t0\t0\n",
  "/proc/42/cmdline": "train\0",
  "/sys/devices/system/cpu/cpu0/topology/physical_package_id": "0\n",
  "/sys/devices/system/cpu/cpu0/topology/core_cpus_list": "0\n",
  "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "2000000\n",
  "/sys/class/hwmon/hwmon0/name": "coretemp\n",
  "/sys/class/hwmon/hwmon0/temp1_input": "40000\n",
  "/sys/class/hwmon/hwmon0/temp1_label": "Package id 0\n",
  "/sys/class/hwmon/hwmon1/name": "nct6775\n",
  "/sys/class/hwmon/hwmon1/fan1_input": "900\n",
  "/sys/class/powercap/intel-rapl:0/name": "package-0\n",
  "/sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850\n",
  "/sys/class/powercap/intel-rapl:0/energy_uj": "1000\n",
  "/sys/class/power_supply/AC/type": "Mains\n",
  "/sys/class/power_supply/AC/online": "1\n",
  "/sys/class/power_supply/BAT0/type": "Battery\n",
  "/sys/class/power_supply/BAT0/present": "1\n",
  "/sys/class/power_supply/BAT0/status": "Full\n",
  "/sys/class/power_supply/BAT1/type": "Battery\n",
  "/sys/class/power_supply/BAT1/present": "1\n",
  "/sys/class/power_supply/BAT1/status": "Full\n",
  "/sys/class/drm/card0/device": { link: `../../../..${CARD}` },
  [`${CARD}/driver`]: { link: "../../../bus/pci/drivers/amdgpu" },
  [`${CARD}/vendor`]: "0x1002\n",
  [`${CARD}/device`]: "0x744c\n",
  [`${CARD}/gpu_busy_percent`]: "7\n",
  "/sys/bus/pci/drivers/amdgpu": FOLDER,
};

/** Of every reader one. */
const HUNG: readonly string[] = [
  "/proc/42/cmdline",
  "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
  "/sys/class/hwmon/hwmon0/temp1_input",
  "/sys/class/hwmon/hwmon1/fan1_input",
  "/sys/class/powercap/intel-rapl:0/energy_uj",
  "/sys/class/power_supply/BAT0/status",
  "/sys/class/power_supply/BAT1/status",
  `${CARD}/gpu_busy_percent`,
];

/** A pipe that nobody writes to: who opens it hangs. */
function hang(root: string): void {
  for (const file of HUNG) {
    rmSync(root + file);
    expect(Bun.spawnSync(["mkfifo", root + file]).exitCode).toBe(0);
  }
}

/** Whoever waits goes on; what is read from now on is there. */
function answer(root: string): void {
  for (const file of HUNG) {
    closeSync(openSync(root + file, constants.O_RDWR | constants.O_NONBLOCK));
    rmSync(root + file);
  }
  for (const file of HUNG) Bun.spawnSync(["tee", root + file], { stdin: Buffer.from(String(MACHINE[file])) });
}

function framesOf(path: string): Frame[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1).map(decodeLine);
  return lines.flatMap((line) => (line.kind === "frame" ? [line.frame] : []));
}

const isMissed = (error: string): boolean => /skipped|late, has not answered/.test(error);

const TOLD = ["amd:", "chassis:", "cpu:"];

/** Errors of the last frame, by reader. */
const failing = (frames: readonly Frame[]): string[] =>
  (frames.at(-1)?.errors ?? []).map((error) => `${error.split(":")[0]}:`).sort();

const record = (command: readonly string[], root: string, path: string) =>
  start([...command, "record", "-o", path, "-i", "0.5", "--keep-free", "0", "--host-root", root]);

test("files that hang, of every reader: each frame is written in its time, and says which; they come back", async () => {
  const root = hostTree(folder, MACHINE);
  hang(root);
  const path = join(folder, "hung.ndjson");
  const recorder = record([LAUNCHER], root, path);
  const hung = await until("all told", () => {
    const frames = framesOf(path);
    return TOLD.every((reader) => failing(frames).includes(reader)) && frames.length > 12 ? frames : null;
  });
  // The others of the same machine are read.
  expect(hung.at(-1)).toMatchObject({
    memory: [{ used_bytes: 600 * 1024 }],
    storage: [{ mount_point: "/" }],
    processes: [{ pid: 42 }],
    chassis: [{ psu_status: [{ name: "AC", status: "Ok" }, { name: "BAT0" }, { name: "BAT1" }] }],
  });
  const told = hung.at(-1)?.errors.join("\n");
  for (const file of ["hwmon0/temp1_input", "hwmon1/fan1_input", "BAT0/status", "BAT1/status", "0000:03:00.0"]) {
    expect(told).toContain(file);
  }
  answer(root);
  await until("all read again", () => {
    const { errors = ["none"], gpus, cpus, chassis, processes } = framesOf(path).at(-1) ?? {};
    const [cpu] = cpus ?? [];
    const values = [gpus?.[0]?.utilization, cpu?.temperature, cpu?.per_socket_info[0]?.frequency_mhz];
    const others = [chassis?.[0]?.fan_speeds[0]?.speed_rpm, processes?.[0]?.command, errors.length];
    return Bun.deepEquals([...values, ...others], [7, 40, 2000, 900, "train", 0]);
  });
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  const frames = framesOf(path);
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => i));
  expect(frames.flatMap(({ errors }) => errors).filter(isMissed)).toEqual([]);
});

test("so it is where the pool has two threads: the last one is for writing, also while the recorder is closed", async () => {
  const root = hostTree(folder, MACHINE);
  hang(root);
  const path = join(folder, "two.ndjson");
  const recorder = record(["env", "UV_THREADPOOL_SIZE=2", ...PROGRAM], root, path);
  await until("all told", () => {
    const frames = framesOf(path);
    return TOLD.every((reader) => failing(frames).includes(reader)) && frames.length > 12;
  });
  recorder.child.kill("SIGTERM");
  expect((await recorder.ended).code).toBe(0);
  const frames = framesOf(path);
  expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => i));
  expect(frames.flatMap(({ errors }) => errors).filter((error) => error.includes("skipped"))).toEqual([]);
  answer(root);
});
