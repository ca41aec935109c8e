import { type Finding, processName, type Rule } from "./rule.ts";

/** Some kernels have the user behind the process. */
const KILLED =
  /^(?:(Memory cgroup out of memory|Out of memory)[^:]{0,40}: )?Killed process (\d+)(?:, UID \d+,)? \((.*)\),?(?: UID \d+,)? total-vm:(.*)$/;
/** Before it stands which control group it was that had no memory left. */
const CONSTRAINT = /^oom-kill:constraint=.*,oom_memcg=(\/[^,]*),.*,pid=(\d+),uid=\d+$/;
const LOOK_BACK = 4;

const KIB_A_GIB = 1024 ** 2;

/** `anon-rss:1536kB, file-rss:0kB, shmem-rss:0kB` */
function residentGiB(sizes: string): string {
  const parts = Array.from(sizes.matchAll(/\b(?:anon|file|shmem)-rss:(\d{1,15})kB/g), ([, kib]) => Number(kib));
  return (parts.reduce((sum, kib) => sum + kib, 0) / KIB_A_GIB).toFixed(1);
}

function controlGroup(messages: readonly string[], at: number, pid: string): string | null {
  for (const message of messages.slice(Math.max(0, at - LOOK_BACK), at).reverse()) {
    const [, group, of] = CONSTRAINT.exec(message) ?? [];
    if (group !== undefined && of === pid) return group;
  }
  return null;
}

/** `Out of memory: Killed process 1234 (python3) total-vm:…kB, anon-rss:…kB, …` */
function oomKill(messages: readonly string[], at: number): Finding | null {
  const [, why = "", pid = "", name = "", sizes] = KILLED.exec(messages[at] ?? "") ?? [];
  if (sizes === undefined) return null;
  const group = controlGroup(messages, at, pid);
  const of = why.startsWith("Memory cgroup")
    ? `its control group ${group === null ? "" : `${group} `}is`
    : "the machine is";
  const text = `killed ${processName(name, pid)} with ${residentGiB(sizes)} GiB: ${of} out of memory`;
  return { kind: "oom", severity: "critical", pci: null, text };
}

const BLOCKED = /^INFO: task (.*):(\d+) blocked for more than (\d+) seconds\./;
const LOCKUP = /^watchdog: BUG: soft lockup - CPU#(\d+) stuck for (\d+)s! \[(.*):(\d+)\]/;

function stuck(message: string): Finding | null {
  const [, name = "", pid = "", seconds] = BLOCKED.exec(message) ?? [];
  const blocked = `${processName(name, pid)} waits in the kernel for more than ${seconds} s`;
  if (seconds !== undefined) return { kind: "hang", severity: "critical", pci: null, text: blocked };
  const [, cpu, stuck_s, task = "", of = ""] = LOCKUP.exec(message) ?? [];
  if (cpu === undefined) return null;
  const text = `${processName(task, of)} does not let go of CPU ${cpu} for ${stuck_s} s`;
  return { kind: "hang", severity: "critical", pci: null, text };
}

/** Processes that were killed for want of memory, or hang in the kernel. */
export const processRule: Rule = (messages, at) => oomKill(messages, at) ?? stuck(messages[at] ?? "");
