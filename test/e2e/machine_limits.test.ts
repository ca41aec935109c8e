import { expect, test } from "bun:test";
import { decodeLine } from "../../src/frame/decode.ts";
import type { Frame } from "../../src/frame/frame.ts";
import { hostTree, type Tree } from "./host_tree.ts";
import { PROGRAM, start, testFolder } from "./run.ts";

const folder = testFolder();

async function snapshot(include: string, tree: Tree): Promise<Frame> {
  const root = hostTree(folder, tree);
  const { out, err } = await start([...PROGRAM, "snapshot", "--include", include, "--host-root", root]).ended;
  const line = decodeLine(out.trimEnd());
  if (line.kind !== "frame") throw new Error(`no frame: ${out}${err}`);
  return line.frame;
}

const CPUS: Tree = {
  "/proc/stat": `cpu  1 0 1 1 0 0 0 0 0 0\n${[..."01234567"].map((cpu) => `cpu${cpu} 1 0 1 1 0 0 0 0 0 0\n`).join("")}`,
  "/proc/loadavg": "0.1 0.2 0.3 1/2 3\n",
  "/proc/uptime": "100.00 100.00\n",
  "/sys/devices/system/cpu/online": "0-7\n",
};

const V2: Tree = {
  ...CPUS,
  "/proc/self/cgroup": "0::/job/step\n",
  "/proc/1/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
  "/sys/fs/cgroup/job/step/cgroup.procs": "1\n",
};

const V1: Tree = {
  ...CPUS,
  "/proc/self/cgroup": "4:cpuset:/job\n3:cpu,cpuacct:/job\n2:memory:/job\n",
  "/proc/1/mountinfo": ["cpuset", "cpu,cpuacct", "memory"]
    .map((name, i) => `3${i} 23 0:2${i} / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}\n`)
    .join(""),
};

test.each<[string, number | undefined, Tree]>([
  ["v2", 3, { ...V2, "/sys/fs/cgroup/job/step/cpuset.cpus.effective": "0-1,7\n" }],
  ["v2, of a group above", 2, { ...V2, "/sys/fs/cgroup/job/cpuset.cpus.effective": "4,6\n" }],
  [
    "v2, with a smaller quota",
    1.5,
    {
      ...V2,
      "/sys/fs/cgroup/job/cpuset.cpus.effective": "0-3\n",
      "/sys/fs/cgroup/job/step/cpu.max": "150000 100000\n",
    },
  ],
  [
    "v2, with a larger quota",
    2,
    {
      ...V2,
      "/sys/fs/cgroup/job/cpuset.cpus.effective": "0-1\n",
      "/sys/fs/cgroup/job/step/cpu.max": "600000 100000\n",
    },
  ],
  ["all CPUs", undefined, { ...V2, "/sys/fs/cgroup/cpuset.cpus.effective": "0-7\n" }],
  ["v1", 4, { ...V1, "/sys/fs/cgroup/cpuset/job/cpuset.effective_cpus": "0-3\n" }],
  ["v1 before 3.17", 1, { ...V1, "/sys/fs/cgroup/cpuset/job/cpuset.cpus": "5\n" }],
  [
    "v1, with a smaller quota",
    0.5,
    {
      ...V1,
      "/sys/fs/cgroup/cpuset/job/cpuset.cpus": "0-3\n",
      "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "50000\n",
      "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
    },
  ],
  [
    "v1, with no other controller there",
    2,
    {
      ...CPUS,
      "/proc/self/cgroup": "4:cpuset:/job\n",
      "/proc/1/mountinfo": "30 23 0:20 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n",
      "/sys/fs/cgroup/cpuset/job/cpuset.cpus": "2-3\n",
    },
  ],
  [
    "v1 without memory, with a quota",
    1.5,
    {
      ...CPUS,
      "/proc/self/cgroup": "4:cpuset:/job\n3:cpu,cpuacct:/job\n",
      "/proc/1/mountinfo": ["cpuset", "cpu,cpuacct"]
        .map((name, i) => `3${i} 23 0:2${i} / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}\n`)
        .join(""),
      "/sys/fs/cgroup/cpuset/job/cpuset.cpus": "0-3\n",
      "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "150000\n",
      "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
    },
  ],
  [
    "v2, where only /proc/stat lists the CPUs",
    3,
    {
      ...V2,
      "/sys/devices/system/cpu/online": "",
      "/sys/fs/cgroup/job/step/cpuset.cpus.effective": "0-2\n",
    },
  ],
])("a cpuset is a limit: %s", async (_, cores, tree) => {
  const { cpus } = await snapshot("cpu", tree);
  expect(cpus?.[0]?.cgroup?.cpu_limit_cores).toBe(cores);
});

const OLD = [
  "MemTotal:       16000000 kB",
  "MemFree:         1000000 kB",
  "Buffers:          200000 kB",
  "Cached:          6000000 kB",
  "Active(file):    3000000 kB",
  "Inactive(file):  2000000 kB",
  "SReclaimable:      80000 kB",
  "",
].join("\n");

test("what is available is estimated as free(1) does where the kernel does not tell, and marked", async () => {
  const { memory } = await snapshot("memory", {
    "/proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\n",
    "/proc/meminfo": OLD,
    "/proc/sys/vm/min_free_kbytes": "67584\n",
  });
  // Of the slabs half can be given back, as what the kernel keeps (5/4 of 67584 kB) is more; of the files all but that.
  const available = (1_000_000 - 84_480 + 5_000_000 - 84_480 + 40_000) * 1024;
  expect(memory).toMatchObject([
    {
      available_bytes: available,
      used_bytes: 16_000_000 * 1024 - available,
      estimated: ["used_bytes", "available_bytes", "utilization"],
    },
  ]);
  const told = await snapshot("memory", {
    "/proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\n",
    "/proc/meminfo": `${OLD}MemAvailable: 9000000 kB\n`,
  });
  expect(told.memory?.[0]?.estimated).toBeUndefined();
});

test("an estimate beyond all that there is gives way to what is free", async () => {
  const { memory } = await snapshot("memory", {
    "/proc/stat": "cpu  1 0 1 1 0 0 0 0 0 0\n",
    "/proc/meminfo": "MemTotal: 1000000 kB\nMemFree: 900000 kB\nActive(file): 200000 kB\nInactive(file): 200000 kB\n",
  });
  expect(memory).toMatchObject([{ available_bytes: 900_000 * 1024, used_bytes: 100_000 * 1024, utilization: 10 }]);
});
