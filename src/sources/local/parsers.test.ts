import { describe, expect, test } from "bun:test";
import { openMachine } from "../../../test/fixtures/machines/make.ts";
import { armModel } from "./arm_cores.ts";
import { CgroupReader, foldersUpwards, parseMembership } from "./cgroup.ts";
import { loadBetween, parseCpuTimes, utilizationOf } from "./cpu_times.ts";
import { parseCpuinfo } from "./cpuinfo.ts";
import { parseCpuList, parseInteger, Tree } from "./files.ts";
import { readHostname } from "./hostname.ts";
import { parseMountinfo } from "./mountinfo.ts";
import { wattsBetween } from "./rapl.ts";
import { readTopology } from "./topology.ts";

const times = (text: string) => parseCpuTimes(Buffer.from(text));

describe("/proc/stat", () => {
  test("guest time is contained in user, iowait is idle, stolen time is busy", () => {
    const before = times("cpu  0 0 0 0 0 0 0 0 0 0\n");
    const after = times("cpu  20 10 10 40 10 2 3 5 20 10\nintr 5\n");
    if (before === null || after === null) throw new Error("not parsed");
    expect(loadBetween(before, after).machine).toEqual({ busy: 50, total: 100 });
  });

  test("rubbish", () => {
    for (const text of ["", "cpu", "cpux 1 2", "intr 1\n", "cpu0 1 2 3 4\n", "cpu  1 2 3 4 5 6 7 8\ncpu  1\n"]) {
      const parsed = times(text);
      if (parsed !== null) expect(parsed.ticks.every(Number.isFinite)).toBe(true);
    }
    expect(times("intr 1\ncpu  1 2 3 4\n")).toBeNull();
    expect(times("cpu0 1 2 3 4\n")).toBeNull();
    expect(utilizationOf(undefined)).toBeNull();
    expect(utilizationOf({ busy: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY })).toBeNull();
  });
});

describe("/proc/cpuinfo", () => {
  const arm = (part: string) => `processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: ${part}\n\n`;

  test("names of ARM cores, each kind once", () => {
    expect(parseCpuinfo(arm("0xd05") + arm("0xd05") + arm("0xd0b")).model).toBe("Cortex-A55 + Cortex-A76");
    expect(parseCpuinfo(arm("0xfff"))).toMatchObject({ model: null, isArm: true });
    expect(parseCpuinfo("processor\t: 0\nCPU implementer\t: 0xc0\nCPU part\t: 0xac3\n").model).toBe("AmpereOne");
  });

  test("the maker's name for Arm's core", () => {
    expect(armModel("Neoverse-V1", "Amazon EC2")).toBe("AWS Graviton3 (Neoverse-V1)");
    expect(armModel("Neoverse-N1", "GIGABYTE")).toBe("Neoverse-N1");
  });

  test("other architectures", () => {
    expect(parseCpuinfo("processor\t: 0\ncpu\t\t: POWER9, altivec supported\n").model).toBe(
      "POWER9, altivec supported",
    );
    expect(parseCpuinfo("")).toEqual({ vendor: null, model: null, isArm: false, processors: [] });
  });
});

test("ARM's big and little cores by their capacity; equal ones are plain", () => {
  using machine = openMachine(null);
  const info = parseCpuinfo("");
  const tree = new Tree(machine.root);
  const capacities = (values: readonly number[]) => {
    values.forEach((value, cpu) => {
      machine.write(`/sys/devices/system/cpu/cpu${cpu}/cpu_capacity`, `${value}\n`);
    });
    return [...readTopology(tree, [0, 1, 2, 3], info).coreTypes.values()];
  };
  expect(capacities([414, 414, 1024, 980])).toEqual(["Efficiency", "Efficiency", "Performance", "Performance"]);
  expect(capacities([1024, 1024, 1000, 990])).toEqual([]);
});

test("lists of CPUs", () => {
  expect(parseCpuList("0-3,8,10-11\n")).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect(parseCpuList("")).toEqual([]);
  expect(parseCpuList(null)).toEqual([]);
  expect(parseCpuList("3-1,x,0-99999999999,-2,5")).toEqual([5]);
  expect(["12", "-7", "-0", "", "1.5", "0x10", "9999999999999999"].map(parseInteger)).toEqual([
    12,
    -7,
    0,
    null,
    null,
    null,
    null,
  ]);
});

describe("energy counters", () => {
  const at = (at_ms: number, energy_uj: number) => ({ at_ms, energy_uj });
  test("a counter that wraps", () => expect(wattsBetween(at(0, 65_000_000), at(1000, 0), 66_000_000_000)).toBeNull());
  test("watts", () => {
    expect(wattsBetween(at(0, 0), at(2000, 500_000_000), 65_532_610_987)).toBe(250);
    expect(wattsBetween(at(0, 65_532_000_000), at(1000, 99_389_013), 65_532_610_987)).toBe(100);
  });
  test("longer than a counter lasts", () => expect(wattsBetween(at(0, 0), at(120_000, 1), 65_532_610_987)).toBeNull());
  test("no time, or time that went backwards", () => {
    expect(wattsBetween(at(5, 0), at(5, 9), 65_532_610_987)).toBeNull();
    expect(wattsBetween(at(5, 0), at(4, 9), 65_532_610_987)).toBeNull();
  });
});

describe("control groups", () => {
  const v2 = parseMountinfo("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")[0];

  test("where this process is", () => {
    expect([...parseMembership("12:cpu,cpuacct:/docker/a\n4:memory:/docker/b\n0::/\n1:name=systemd:/x\n")]).toEqual([
      ["cpu", "/docker/a"],
      ["cpuacct", "/docker/a"],
      ["memory", "/docker/b"],
      ["", "/"],
      ["name=systemd", "/x"],
    ]);
  });

  test("the folders that can hold its limits", () => {
    expect(foldersUpwards(v2, "/a.slice/b.scope")).toEqual([
      "/sys/fs/cgroup/a.slice/b.scope",
      "/sys/fs/cgroup/a.slice",
      "/sys/fs/cgroup",
    ]);
    expect(foldersUpwards(v2, "/../../other")).toEqual(["/sys/fs/cgroup"]);
    const bind = parseMountinfo("30 23 0:26 /docker/a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")[0];
    expect(foldersUpwards(bind, "/docker/a/inner")).toEqual(["/sys/fs/cgroup/inner", "/sys/fs/cgroup"]);
  });

  test("the tightest limit is a parent's, and usage is that parent's", () => {
    using machine = openMachine("container");
    machine.write("/proc/self/cgroup", "0::/pod/app\n");
    machine.write("/sys/fs/cgroup/pod/app/memory.max", "max\n");
    machine.write("/sys/fs/cgroup/pod/memory.max", "1000000\n");
    machine.write("/sys/fs/cgroup/pod/memory.current", "700000\n");
    machine.write("/sys/fs/cgroup/pod/app/cpu.max", "50000 100000\n");
    expect(new CgroupReader(new Tree(machine.root)).read(0)).toEqual({
      cpu_limit_cores: 0.5,
      cpu_used_cores: null,
      cpu_throttled: null,
      memory_limit_bytes: 1000000,
      memory_used_bytes: 700000,
    });
  });

  test("without any limit there is nothing to say", () => {
    using machine = openMachine("container");
    machine.write("/sys/fs/cgroup/cpu.max", "max 100000\n");
    machine.write("/sys/fs/cgroup/memory.max", "max\n");
    expect(new CgroupReader(new Tree(machine.root)).read(0)).toBeNull();
  });

  test("version 1", () => {
    using machine = openMachine(null);
    machine.write("/proc/self/cgroup", "9:memory:/m\n3:cpu:/c\n2:cpuacct:/c\n0::/\n");
    machine.write(
      "/proc/1/mountinfo",
      ["cpu", "cpuacct", "memory"]
        .map((name) => `31 30 0:27 / /sys/fs/cgroup/${name} rw,relatime - cgroup cgroup rw,${name}\n`)
        .join(""),
    );
    const group = (file: string, text: string) => machine.write(`/sys/fs/cgroup/${file}`, text);
    group("cpu/c/cpu.cfs_quota_us", "150000\n");
    group("cpu/c/cpu.cfs_period_us", "100000\n");
    group("cpu/c/cpu.stat", "nr_periods 100\nnr_throttled 10\nthrottled_time 5\n");
    group("cpuacct/c/cpuacct.usage", "4000000000\n");
    group("memory/m/memory.limit_in_bytes", "9223372036854771712\n");
    group("memory/memory.limit_in_bytes", "9223372036854771712\n");
    group("memory/m/memory.usage_in_bytes", "5000\n");
    group("memory/m/memory.stat", "total_inactive_file 1000\n");
    const reader = new CgroupReader(new Tree(machine.root));
    reader.read(0);
    group("cpu/c/cpu.stat", "nr_periods 110\nnr_throttled 15\n");
    group("cpuacct/c/cpuacct.usage", "5500000000\n");
    expect(reader.read(1000)).toEqual({
      cpu_limit_cores: 1.5,
      cpu_used_cores: 1.5,
      cpu_throttled: 50,
      memory_limit_bytes: null,
      memory_used_bytes: 4000,
    });
  });
});

test("below another root the machine's name is the configured one", () => {
  using dgx = openMachine("dgx-h100");
  expect(readHostname(dgx.root)).toBe("dgx-01");
  dgx.write("/etc/hostname", null);
  expect(readHostname(dgx.root)).toBe("monitor-7f9c");
  expect(readHostname("")).toBe(readHostname("/"));
});
