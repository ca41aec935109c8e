import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Report } from "../../src/doctor/report.ts";
import { mayHaveCards } from "../../src/sources/gpu/nvidia/presence.ts";
import { driverTest } from "../driver_test.ts";
import { fakeNvidiaSmi, type Script } from "../nvidia_smi.ts";
import { StubDriver } from "../nvml_stub.ts";
import { rootWithoutCards } from "./host_root.ts";
import { LAUNCHER, type Outcome, PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();

/** Without what the environment of whoever runs the tests says of cards, or of where recordings go. */
const SETTINGS = ["env", "-u", "ALL_SMI_NVML", "-u", "NVIDIA_VISIBLE_DEVICES", `XDG_CACHE_HOME=${folder}`];

const doctor = (...options: string[]): Promise<Outcome> => start([...SETTINGS, ...PROGRAM, "doctor", ...options]).ended;

const MEMINFO = "MemTotal: 16000000 kB\nMemFree: 8000000 kB\nMemAvailable: 9000000 kB\n";
const CPUINFO =
  "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU\nphysical id\t: 0\ncore id\t\t: 0\n\n";

/** A machine of few files, on which nothing is wrong. */
function machine(name: string): string {
  const root = join(folder, name);
  put(root, "/proc/meminfo", MEMINFO);
  put(root, "/proc/cpuinfo", CPUINFO);
  put(root, "/proc/stat", "cpu  10 0 10 100 0 0 0 0 0 0\ncpu0 10 0 10 100 0 0 0 0 0 0\n");
  put(root, "/proc/loadavg", "0.1 0.1 0.1 1/100 1000\n");
  put(root, "/proc/uptime", "1000.00 900.00\n");
  put(root, "/proc/1/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n");
  put(root, "/dev/kmsg", "");
  return root;
}

function put(root: string, path: string, text: string): void {
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, text);
}

const CARD = "/sys/bus/pci/devices/0000:06:00.0";

function putCard(root: string): void {
  put(root, `${CARD}/vendor`, "0x10de");
  put(root, `${CARD}/class`, "0x030200");
  put(root, `${CARD}/device`, "0x2330");
}

async function report(...options: string[]): Promise<{ code: number; report: Report }> {
  const { code, out } = await doctor("--json", ...options);
  return { code, report: JSON.parse(out) };
}

/** NVIDIA's driver, library and nvidia-smi are those of the machine that runs this, whatever root is given. */
const hasOwnDriver = mayHaveCards("") || Bun.which("nvidia-smi") !== null;
if (hasOwnDriver) console.warn("this machine has NVIDIA's driver: what doctor says of one without is not tried");

/** Of what is there to look at, but for the room on the disk and the clock of whatever runs this. */
const problems = ({ findings }: Report): string[] =>
  findings
    .filter(({ state, name }) => state === "problem" && name !== "room")
    .map(({ group, says }) => `${group}: ${says}`);

test.skipIf(hasOwnDriver)("a machine without GPUs, on which nothing is wrong", async () => {
  const root = machine("fine");
  const { report: found } = await report("--host-root", root);
  expect(problems(found)).toEqual([]);
  expect(found.host_root).toBe(root);
  expect(found.findings).toContainEqual({
    ...{ group: "nvidia", name: "cards", state: "absent" },
    ...{ says: "no card on the PCI bus, no driver", fix: null },
  });
  const { ok, note, problem, absent } = found.counts;
  expect(ok + note + problem + absent).toBe(found.findings.length);
});

test.skipIf(hasOwnDriver)("a card without a driver: status 1, with what to do about it", async () => {
  const root = machine("no-driver");
  putCard(root);
  const { code, out, err } = await doctor("--host-root", root);
  expect({ code, err }).toEqual({ code: 1, err: "" });
  expect(out).toMatch(/NVIDIA\n {2}ok {7}cards .*0000:06:00\.0/);
  expect(out).toMatch(/problem {2}driver {6}no driver is loaded\n {23}fix: install the driver/);
  for (const line of out.split("\n")) {
    const isOneWord = !line.trim().includes(" ");
    if (!isOneWord) expect(line.length).toBeLessThanOrEqual(80);
  }
  expect(out).not.toContain("\x1b");
});

test.skipIf(hasOwnDriver)("nouveau has the card", async () => {
  const root = machine("nouveau");
  putCard(root);
  symlinkSync("../../../../bus/pci/drivers/nouveau", `${root}${CARD}/driver`);
  const { code, report: found } = await report("--host-root", root);
  expect(code).toBe(1);
  expect(problems(found)).toEqual(["nvidia: 0000:06:00.0 is driven by nouveau, which tells next to nothing"]);
});

test("a file that hangs is a problem of its own, and the rest is looked at", async () => {
  const root = machine("hangs");
  const power = "/sys/class/powercap/intel-rapl:0";
  put(root, `${power}/name`, "package-0");
  expect(Bun.spawnSync(["mkfifo", `${root}${power}/energy_uj`]).exitCode).toBe(0);
  const { code, report: found } = await report("--host-root", root);
  expect(code).toBe(1);
  expect(problems(found).filter((problem) => !(hasOwnDriver && problem.startsWith("nvidia: ")))).toEqual([
    expect.stringMatching(/^readers: does not answer within .* s: what it reads hangs$/),
  ]);
  const names = found.findings.map(({ group, name }) => `${group} ${name}`);
  for (const name of ["readers processes", "readers cpu power", "nvidia cards", "recording output"]) {
    expect(names.filter((one) => one === name)).toEqual([name]);
  }
});

test("this machine, by the launcher: whatever it lacks, it says so", async () => {
  const { code, out, err } = await start([LAUNCHER, "doctor"]).ended;
  expect(err).toBe("");
  expect(code).toBe(/^0 problems, /m.test(out) ? 0 : 1);
  for (const title of ["Program", "Machine", "Readers", "NVIDIA", "AMD", "Intel", "Kernel", "Recording"]) {
    expect(out.split("\n").filter((line) => line === title)).toEqual([title]);
  }
});

test("the configuration of the folder one stands in is not obeyed", async () => {
  const place = join(folder, "place");
  put(place, "/bunfig.toml", 'preload = ["./evil.ts"]\n');
  put(place, "/evil.ts", `require("node:fs").writeFileSync("${place}/obeyed", "");\n`);
  const { code } = await start([
    "sh",
    "-c",
    'cd "$1" && "$2" doctor --host-root "$3"',
    "sh",
    place,
    LAUNCHER,
    machine("plain"),
  ]).ended;
  expect([0, 1]).toContain(code);
  expect(existsSync(join(place, "obeyed"))).toBe(false);
});

test("a wrong option or root: status 2", async () => {
  expect(await doctor("--host-root", join(folder, "nowhere"))).toMatchObject({
    code: 2,
    out: "",
    err: `all-smi: --host-root ${join(folder, "nowhere")}: there is no proc in it\n`,
  });
  expect((await doctor("--fix")).code).toBe(2);
});

/** On a machine with the stub of the driver's library, which does what the lines say. */
async function withStub(...lines: string[]): Promise<Report> {
  const driver = new StubDriver(folder, "h100_x8", ...lines);
  const command = [...SETTINGS, ...driver.with([...PROGRAM, "doctor", "--json"])];
  return JSON.parse((await start(command).ended).out);
}

const readings = ({ findings }: Report): string[] =>
  findings
    .filter(({ group, name }) => group === "nvidia" && name === "readings")
    .map(({ state, says }) => `${state}: ${says}`);

driverTest("NVIDIA's cards are asked as the recorder asks them", async () => {
  expect(readings(await withStub())).toEqual(["ok: 8 NVIDIA H100 80GB HBM3; driver 590.48.01, CUDA 13.1"]);
});

driverTest("a card that is lost", async () => {
  expect(readings(await withStub("3 lost"))).toEqual([
    "ok: 7 NVIDIA H100 80GB HBM3; driver 590.48.01, CUDA 13.1",
    expect.stringMatching(/^problem: GPU 3 is lost: /),
  ]);
});

driverTest("a library that crashes: what does it is named, and the cards are read", async () => {
  const crashes = "the driver's library crashes in nvmlDeviceGetUtilizationRates";
  expect(readings(await withStub("* crashes nvmlDeviceGetUtilizationRates 1"))).toEqual([
    "ok: 8 NVIDIA H100 80GB HBM3; driver 590.48.01, CUDA 13.1",
    `problem: GPU 0: ${crashes}; not asked any more`,
    `problem: GPU 1: ${crashes} of a second card; not asked any more of any`,
  ]);
});

driverTest("the library and the driver are of different versions", async () => {
  expect(readings(await withStub("- returns nvmlInit_v2 18"))).toEqual([
    expect.stringMatching(/^problem: .*different versions/),
  ]);
});

/** What is said of NVIDIA's cards where this nvidia-smi is on the path, but for where it lies. */
async function withNvidiaSmi(script: Script, settings: readonly string[], ...options: string[]): Promise<string[]> {
  using fake = fakeNvidiaSmi(script);
  const command = [`PATH=${fake.path}:${process.env.PATH}`, ...settings, ...PROGRAM, "doctor", "--json", ...options];
  const { out } = await start([...SETTINGS, ...command]).ended;
  const { findings }: Report = JSON.parse(out);
  return findings
    .filter(({ group, name }) => group === "nvidia" && !["nvidia-smi", "container"].includes(name))
    .map(({ name, state, says }) => `${state} ${name}: ${says}`);
}

describe.skipIf(hasOwnDriver)("of the driver there is nvidia-smi", () => {
  const script: Script = { capture: "h100", moment: "load", cards: 2 };
  const BY_SMI = expect.stringMatching(/^ok readings: 2 NVIDIA H100 80GB HBM3; driver .*; by nvidia-smi, which tells/);
  const NO_SIGN = "note cards: no card on the PCI bus, no /dev/nvidiactl: the readings show whether there is one";
  const dies = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.";

  test("and its device: what nvidia-smi says", async () => {
    const root = rootWithoutCards(folder);
    put(root, "/dev/nvidiactl", "");
    const found = await withNvidiaSmi(script, [], "--host-root", root);
    expect(found[0]).toBe("note cards: the driver's /dev/nvidiactl is there, and no card is on the PCI bus");
    expect(found.at(-1)).toEqual(BY_SMI);
    const failing = await withNvidiaSmi({ ...script, dies }, [], "--host-root", root);
    expect(failing.at(-1)).toBe("problem readings: the driver is not loaded");
  });

  test("alone: cards, or none, as in an image for CUDA", async () => {
    expect(await withNvidiaSmi(script, [])).toEqual([NO_SIGN, BY_SMI]);
    expect(await withNvidiaSmi({ ...script, dies }, [])).toEqual([NO_SIGN, "absent readings: no card answers"]);
  });

  test("and ALL_SMI_NVML names what is no library: a problem, and the cards", async () => {
    const path = join(folder, "no_library.so");
    writeFileSync(path, "");
    const [says, readings, problem, ...more] = await withNvidiaSmi(script, [`ALL_SMI_NVML=${path}`]);
    expect(says).toEndWith("only what ALL_SMI_NVML names is asked, or else nvidia-smi");
    expect(readings).toEqual(BY_SMI);
    expect(problem).toMatch(/^problem readings: ALL_SMI_NVML: .*; nvidia-smi is asked instead$/);
    expect(more).toEqual([]);
    const missing = await withNvidiaSmi(script, ["ALL_SMI_NVML=/nonexistent/libnvidia-ml.so"]);
    expect(missing[1]).toMatch(/^problem library: ALL_SMI_NVML names .*: ENOENT; nvidia-smi is asked instead$/);
    expect(missing.slice(2)).toEqual([BY_SMI]);
  });
});
