import { chassisSource } from "../../sources/local/chassis.ts";
import { cpuSource } from "../../sources/local/cpu.ts";
import { memorySource } from "../../sources/local/memory.ts";
import { parseMountinfo } from "../../sources/local/mountinfo.ts";
import { processSource } from "../../sources/local/processes.ts";
import { storageSource } from "../../sources/local/storage.ts";
import type { HostIdentity, Reading, Source } from "../../sources/source.ts";
import { type Check, note, ok, problem, type Verdict } from "../finding.ts";
import type { Machine } from "../machine.ts";
import { readOnce } from "../reading.ts";
import { count, gibibytes } from "../words.ts";

const host: HostIdentity = { host_id: "doctor", hostname: "doctor", instance: "doctor" };
/** Inside the limit of the check. */
const WAIT_MS = 2500;

function local(name: string, open: (machine: Machine) => Source, words: (reading: Reading) => string | null): Check {
  return {
    group: "readers",
    name,
    run: async (machine) => {
      const reading = await readOnce(open(machine), WAIT_MS);
      return verdicts(reading, words(reading));
    },
  };
}

/** What was found where it is worth a line, and each error. */
function verdicts({ errors = [] }: Reading, says: string | null): Verdict[] {
  const problems = errors.map((error) => problem(error.replace(/^[^:]*: /, "")));
  return says === null ? problems : [...(problems.length > 0 ? [] : [ok(says)]), ...problems];
}

function cpuWords({ cpus = [] }: Reading): string {
  const counts = cpus.flatMap(({ socket_count, total_threads }) => [
    ...(socket_count === null ? [] : [count(socket_count, "socket")]),
    ...(total_threads === null ? [] : [count(total_threads, "thread")]),
  ]);
  return [cpus[0]?.cpu_model || "unknown model", ...counts].join(", ");
}

function memoryWords({ memory: [memory] = [] }: Reading): string {
  const bytes = memory?.total_bytes ?? null;
  return bytes === null ? "of unknown size" : gibibytes(bytes);
}

const storageWords = ({ storage = [] }: Reading): string => count(storage.length, "file system");

const countProcesses = ({ files }: Machine): number => files.names("/proc").filter((name) => /^\d+$/.test(name)).length;

/** The option of proc(5) that keeps other users' processes from us. */
function hidden({ files, root, uid }: Machine): Verdict[] {
  const mounts = parseMountinfo(files.text(`/proc/${root === "" ? "self" : "1"}/mountinfo`) ?? "");
  const options = mounts
    .filter(({ type, mountPoint }) => type === "proc" && mountPoint === "/proc")
    .at(-1)?.superOptions;
  const option = options?.find((one) => /^hidepid=(1|2|4|noaccess|invisible|ptraceable)$/.test(one));
  if (option === undefined) return [];
  if (uid === 0) return [note(`/proc is mounted with ${option}: root sees all processes, other users their own`)];
  const group = options?.find((one) => one.startsWith("gid="));
  return [
    problem(
      `/proc is mounted with ${option}: other users' processes are hidden`,
      `run as root${group === undefined ? "" : `, in the group ${group.slice(4)},`} or: mount -o remount,hidepid=0 /proc`,
    ),
  ];
}

/** What is read from /proc and /sys, by the readers themselves: they say what they miss. */
export const localSourceChecks: readonly Check[] = [
  local("cpu", ({ root }) => cpuSource({ root, host, perCore: true }), cpuWords),
  local("memory", ({ root }) => memorySource({ root, host }), memoryWords),
  local("storage", ({ root }) => storageSource({ root, host }), storageWords),
  local(
    "chassis",
    ({ root }) => chassisSource({ root, host }),
    () => null,
  ),
  {
    group: "readers",
    name: "processes",
    run: async (machine) => {
      const source = processSource({ root: machine.root, limit: 1, command: "name", gpuUses: async () => new Map() });
      return verdicts(await readOnce(source, WAIT_MS), count(countProcesses(machine), "process", "es")).concat(
        hidden(machine),
      );
    },
  },
];
