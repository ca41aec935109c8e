import { severities } from "../../../frame/severity.ts";
import { type Finding, processName, type Rule } from "./rule.ts";

const KIB_A_GIB = 1024 ** 2;

/** `anon-rss:1536kB, file-rss:0kB, shmem-rss:0kB` */
function residentGiB(sizes: string): string {
  const parts = Array.from(sizes.matchAll(/\b(?:anon|file|shmem)-rss:(\d{1,15})kB/g), ([, kib]) => Number(kib));
  return (parts.reduce((sum, kib) => sum + kib, 0) / KIB_A_GIB).toFixed(1);
}

const WHY = "(?:(Memory cgroup out of memory|Out of memory)[^:]{0,40}: )";
/** Some kernels have the user behind the process. */
const KILLED = new RegExp(`^${WHY}?Killed process (\\d+)(?:, UID \\d+,)? \\((.*)\\),?(?: UID \\d+,)? total-vm:(.*)$`);
/** Before 4.20 the choice has a message of its own; the one that is killed may be a child of the one chosen. */
const CHOSEN = new RegExp(`^${WHY}Kill process (\\d+) \\((.*)\\) score \\d+ or sacrifice child`);
const NOBODY = /^(Memory cgroup out of memory|Out of memory) and no killable processes/;
/** Between the choice and the kill, where other CPUs say something, too. */
const LOOK_AHEAD = 6;
/** Behind which control group has no memory left there is a list of its processes. */
const LOOK_BACK = 400;
const CONSTRAINT = /^oom-kill:constraint=.*,oom_memcg=(\/[^,]*),.*,pid=(\d+),uid=\d+$/;
const LIMITED = /^(?:Task in \/.{0,400} )?killed as a result of limit of (\/.*)$/;
const INVOKED = " invoked oom-killer: ";

/** The control group that has no memory left, where the messages before this kill say so. */
function controlGroup(messages: readonly string[], at: number, pid: string): string | null {
  for (let n = at - 1; n >= Math.max(0, at - LOOK_BACK); n--) {
    const message = messages[n] ?? "";
    // What is before it is about another kill.
    if (message.includes(INVOKED)) return null;
    const [, group, of] = CONSTRAINT.exec(message) ?? [];
    if (group !== undefined && of === pid) return group;
    const limited = LIMITED.exec(message)?.[1];
    if (limited !== undefined) return limited;
  }
  return null;
}

function whose(why: string, messages: readonly string[], at: number, pid: string): string {
  const before = messages.slice(Math.max(0, at - LOOK_AHEAD), at).findLast((message) => CHOSEN.test(message)) ?? "";
  const said = why === "" ? (CHOSEN.exec(before)?.[1] ?? "") : why;
  if (!said.startsWith("Memory cgroup")) return "the machine is out of memory";
  const group = controlGroup(messages, at, pid);
  return `its control group ${group === null ? "" : `${group} `}is out of memory`;
}

const oom = (text: string): Finding => ({ kind: "oom", severity: severities.oom, pci: null, text });

/** `Out of memory: Killed process 1234 (python3) total-vm:…kB, anon-rss:…kB, …` */
function oomKill(messages: readonly string[], at: number): Finding | null {
  const message = messages[at] ?? "";
  const [, why = "", pid = "", name = "", sizes] = KILLED.exec(message) ?? [];
  if (sizes !== undefined) {
    const of = whose(why, messages, at, pid);
    return oom(`killed ${processName(name, pid)} with ${residentGiB(sizes)} GiB: ${of}`);
  }
  const [, whyChosen, chosen = "", chosenName = ""] = CHOSEN.exec(message) ?? [];
  if (whyChosen !== undefined) {
    const next = messages.slice(at + 1, at + 1 + LOOK_AHEAD).find((one) => CHOSEN.test(one) || KILLED.test(one)) ?? "";
    // Where the kill says why itself, it is of a kernel that has no message of the choice.
    const isFollowed = next.startsWith("Killed process");
    return isFollowed
      ? null
      : oom(`kills ${processName(chosenName, chosen)}: ${whose(whyChosen, messages, at, chosen)}`);
  }
  const nobody = NOBODY.exec(message)?.[1];
  return nobody === undefined ? null : oom(`${whose(nobody, messages, at, "")}, and nothing can be killed`);
}

/** With the time a task has waited, in kernels from 6.18 on also for what. */
const BLOCKED = /^INFO: task (.*):(\d+) blocked (?:in I\/O wait )?for more than (\d{1,9}) seconds/;
/** The words before it came with 3.19 and changed with 4.15. */
const WATCHDOG = "^(?:(?:NMI )?watchdog: )?";
const SOFT = new RegExp(`${WATCHDOG}BUG: soft lockup - CPU#(\\d{1,5}) stuck for (\\d{1,9})s! \\[(.*):(\\d+)\\]`);
const HARD = new RegExp(`${WATCHDOG}(?:CPU ?\\d{1,5}: )?Watchdog detected hard LOCKUP on cpu (\\d{1,5})`);
/** On POWER; before 4.17 with the watchdog's name behind its prefix, if it has one, and other capitals. */
const SELF = /^(?:(?:NMI )?watchdog: )?(?:Watchdog )?CPU[ :](\d{1,5}) (?:self-detected )?hard LOCKUP/i;
const OTHER =
  /^(?:(?:NMI )?watchdog: )?(?:Watchdog )?CPU[ :]\d{1,5} detected hard LOCKUP (?:on )?other CPUs[: ]([\d,-]{1,40})/i;
/** The first word came with 4.19. The CPUs follow in braces, or in messages of their own. */
const STALL =
  /^(?:rcu: )?INFO: (rcu_\w{1,24}|rcu) (?:self-detected stall on CPU|detected (?:expedited )?stalls on (?:CPUs\/)?tasks)[^{]{0,8}(?:\{ ?([\w ,.!-]{1,60}?)\s*\})?/;

/** Since 4.5: what the kernel itself has to do is not done. */
const WORK = /^BUG: workqueue lockup - pool cpus=([\d,-]{1,40}) .{0,120}stuck for (\d{1,9})s!/;
/** The last that a machine says; some say it and go on. */
const PANIC = /^Kernel panic - not syncing: (.{1,160})/;

const hang = (text: string, burst?: string): Finding => ({
  ...{ kind: "hang", severity: severities.hang, pci: null, text },
  ...(burst === undefined ? {} : { burst }),
});

function lockup(message: string): Finding | null {
  const [, cpu, seconds, task = "", pid = ""] = SOFT.exec(message) ?? [];
  if (cpu !== undefined) {
    return hang(`${processName(task, pid)} does not let go of CPU ${cpu} for ${seconds} s`, `soft lockup ${cpu}`);
  }
  const [, hard] = HARD.exec(message) ?? SELF.exec(message) ?? OTHER.exec(message) ?? [];
  if (hard !== undefined) return hang(`CPU ${hard} hangs, also for interrupts`, `hard lockup ${hard}`);
  const [, cpus, stuck_s] = WORK.exec(message) ?? [];
  if (cpus !== undefined) return hang(`the kernel's own work on CPU ${cpus} waits for ${stuck_s} s`, "workqueue");
  const why = PANIC.exec(message)?.[1];
  return why === undefined ? null : hang(`the kernel gives up: ${why}`);
}

function stuck(message: string): Finding | null {
  const [, name = "", pid = "", seconds] = BLOCKED.exec(message) ?? [];
  if (seconds !== undefined) return hang(`${processName(name, pid)} waits in the kernel for more than ${seconds} s`);
  const [, flavour, cpus] = STALL.exec(message) ?? [];
  if (flavour === undefined) return lockup(message);
  return hang(`a CPU holds up the kernel (${flavour} stall${cpus === undefined ? "" : `, CPU ${cpus}`})`, "rcu stall");
}

/** Processes that were killed for want of memory, processes and CPUs that hang. */
export const processRule: Rule = (messages, at) => oomKill(messages, at) ?? stuck(messages[at] ?? "");
