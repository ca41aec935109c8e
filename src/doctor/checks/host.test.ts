import { expect, test } from "bun:test";
import { findingsOf, fixesOf, machineOf } from "../../../test/doctor.ts";
import { MACHINES, openMachine } from "../../../test/fixtures/machines/make.ts";
import { Files } from "../files.ts";
import { kernelLogChecks, log } from "./kernel_log.ts";
import { localSourceChecks } from "./local_sources.ts";
import { missingCapabilities, programChecks } from "./program.ts";
import { sensorChecks } from "./sensors.ts";
import { surroundingsChecks } from "./surroundings.ts";

const named = (checks: typeof localSourceChecks, name: string) => checks.filter((check) => check.name === name);

test.each([...MACHINES])("the readers miss nothing on the recorded machine %s", async (name) => {
  using recorded = openMachine(name);
  using made = machineOf({});
  const files = new Files(recorded.root);
  const machine = { ...made, root: recorded.root, files, own: files };
  // Its disks are not in the tree: how much room is on them is asked of the system.
  const checks = [...localSourceChecks, ...sensorChecks].filter((check) => check.name !== "storage");
  const found = await findingsOf(checks, machine);
  expect(found.filter((line) => line.startsWith("problem"))).toEqual([]);
  expect(found.map((line) => line.replace(/:.*/, ""))).toEqual(
    expect.arrayContaining(["ok cpu", "ok memory", "ok processes"]),
  );
});

test("what a reader misses is a problem", async () => {
  using recorded = openMachine("container");
  recorded.write("/proc/meminfo", null);
  using made = machineOf({});
  const machine = { ...made, root: recorded.root, files: new Files(recorded.root) };
  expect(await findingsOf(named(localSourceChecks, "memory"), machine)).toEqual([
    expect.stringMatching(/^problem memory: .*meminfo/),
  ]);
});

const PROC = "22 27 0:21 / /proc rw,relatime - proc proc";

test("processes that the mount of /proc hides", async () => {
  const processes = named(localSourceChecks, "processes");
  const tree = { "/proc/1/mountinfo": `${PROC} rw,gid=27,hidepid=invisible`, "/proc/uptime": "1 1" };
  using user = machineOf(tree);
  expect(await findingsOf(processes, user)).toContain(
    "problem processes: /proc is mounted with hidepid=invisible: other users' processes are hidden",
  );
  expect(await fixesOf(processes, user)).toContain("run as root, in the group 27, or");
  using root = machineOf(tree, { uid: 0 });
  expect((await findingsOf(processes, root)).filter((line) => line.includes("hidepid"))).toEqual([
    expect.stringMatching(/^note processes/),
  ]);
});

const RAPL = "/sys/class/powercap/intel-rapl:0";

test("energy counters: read, for root only, hidden, not there", async () => {
  const power = named(sensorChecks, "cpu power");
  const tree = { [`${RAPL}/energy_uj`]: "12345", [`${RAPL}/name`]: "package-0" };
  using fine = machineOf(tree);
  expect(await findingsOf(power, fine)).toEqual(["ok cpu power: energy counters of 1 domain (RAPL)"]);
  using forbidden = machineOf(tree, { denied: { [`${RAPL}/energy_uj`]: "EACCES" } });
  expect(await findingsOf(power, forbidden)).toEqual([
    "problem cpu power: the energy counters (RAPL) may be read by root only",
  ]);
  expect(await fixesOf(power, forbidden)).toContain("chmod g+r /sys/class/powercap/*/energy_uj");
  using masked = machineOf({ [RAPL]: { link: "../../devices/virtual/powercap/intel-rapl/intel-rapl:0" } });
  expect(await findingsOf(power, masked)).toEqual([
    "problem cpu power: the container runtime hides the energy counters (RAPL)",
  ]);
  using none = machineOf({});
  expect(await findingsOf(power, none)).toEqual([expect.stringMatching(/^absent cpu power/)]);
});

const FIRST_NAMESPACE = "pid:[4026531836]";

test("containers, and what only looks like one", async () => {
  const container = named(surroundingsChecks, "container").map((check) => ({
    ...check,
    // As if the machine were this one, and not below another root.
    run: (machine: ReturnType<typeof machineOf>) => check.run({ ...machine, root: "" }),
  }));
  const find = async (tree: Parameters<typeof machineOf>[0], env = {}) => {
    using machine = machineOf(tree, { env });
    return (await Promise.all(container.map((check) => check.run(machine))))
      .flat()
      .map(({ state, says }) => `${state}: ${says}`);
  };
  const own = { "/proc/self/ns/pid": { link: "pid:[4026532541]" } };
  const first = { "/proc/self/ns/pid": { link: FIRST_NAMESPACE } };
  expect(await find(first)).toEqual(["ok: none: this is the machine itself"]);
  expect(await find({ ...own, "/.dockerenv": "" })).toEqual([
    "note: a Docker container: only its own processes can be seen",
  ]);
  expect(await find({ ...first, "/.dockerenv": "", "/proc/1/mountinfo": "1", "/proc/self/mountinfo": "2" })).toEqual([
    "ok: a Docker container that sees the processes of the whole machine",
  ]);
  expect(await find({ ...first, "/.dockerenv": "", "/proc/1/mountinfo": "1", "/proc/self/mountinfo": "1" })).toEqual([
    "ok: none: this is the machine itself",
  ]);
  expect(await find(own, { KUBERNETES_SERVICE_HOST: "10.0.0.1" })).toEqual([
    "note: a Kubernetes pod: only its own processes can be seen",
  ]);
  expect(await find({ ...own, "/proc/1/environ": "A=1\0container=lxc\0B=2" })).toEqual([
    "note: a container (lxc): only its own processes can be seen",
  ]);
});

test("limits of the control group", async () => {
  using recorded = openMachine("container");
  using made = machineOf({});
  expect(await findingsOf(named(surroundingsChecks, "limits"), { ...made, root: recorded.root })).toEqual([
    "ok limits: control groups v2; limited to 2.5 cores and 4.0 GiB of memory",
  ]);
});

test("the kernel's log: of the machine, in a container, restricted", async () => {
  using machine = machineOf({ "/proc/sys/kernel/dmesg_restrict": "1" });
  using container = machineOf({ "/.dockerenv": "" });
  expect(await findingsOf(kernelLogChecks, machine)).toEqual([
    expect.stringMatching(/^problem log: there is no \/dev\/kmsg/),
  ]);
  expect(log(machine, null).state).toBe("ok");
  expect(log(machine, "EPERM").says).toStartWith("user 1000 may not read it (dmesg_restrict)");
  expect(log(machine, "EPERM").fix).toContain("CAP_SYSLOG");
  expect(log(container, "ENOENT").fix).toContain("--device=/dev/kmsg");
  expect(log(container, "EPERM").fix).toContain("--cap-add=SYSLOG");
});

test("capabilities that make more readable", () => {
  expect(missingCapabilities("CapEff:\t000001ffffffffff")).toEqual([]);
  expect(missingCapabilities("CapEff:\t00000000a80425fb")).toEqual(["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_SYSLOG"]);
  expect(missingCapabilities("CapEff:\t0000000400080000")).toEqual(["CAP_SYS_ADMIN"]);
  expect(missingCapabilities(null)).toHaveLength(3);
});

test("terminals", async () => {
  const check = named(programChecks, "terminal");
  const find = async (columns: number, env: Record<string, string>) => {
    using machine = machineOf({}, { env });
    return await findingsOf(check, { ...machine, terminal: { columns, rows: 24 } });
  };
  const utf8 = { LANG: "C.UTF-8" };
  expect(await find(80, { ...utf8, TERM: "xterm" })).toEqual(["ok terminal: xterm, 80x24"]);
  expect(await find(59, { ...utf8, TERM: "xterm" })).toEqual([expect.stringMatching(/^note .*smaller than the 60x15/)]);
  expect(await find(80, { ...utf8, TERM: "dumb" })).toEqual([expect.stringMatching(/^note .*cannot show/)]);
  expect(await find(80, { LC_ALL: "C", LANG: "de_DE.UTF-8", TERM: "xterm" })).toEqual([
    expect.stringMatching(/^note .*without UTF-8/),
  ]);
});

test("open files", async () => {
  const check = named(programChecks, "files");
  const limit = (soft: string) => ({ "/proc/self/limits": `Max open files            ${soft}   4096   files` });
  using few = machineOf(limit("256"));
  expect(await findingsOf(check, few)).toEqual([expect.stringMatching(/^note files: only 256/)]);
  using enough = machineOf(limit("1024"));
  expect(await findingsOf(check, enough)).toEqual(["ok files: 1024 may be open at a time"]);
});
