import { findNvidiaSmi } from "../sources/gpu/nvidia/smi/find.ts";
import { Files } from "./files.ts";

/** What the command knows of itself and its terminal, where the checks run in a process without one. */
export interface Setup {
  /** Prefix of the machine's `/proc`, `/sys` and `/etc`: `""` is this machine. */
  readonly root: string;
  readonly version: string;
  /** Where `record` writes unless it is told otherwise. */
  readonly recording: string;
  readonly terminal: TerminalFacts;
}

/** `null`: the output is no terminal. */
export type TerminalFacts = { readonly columns: number; readonly rows: number } | null;

type Environment = Readonly<Record<string, string | undefined>>;

/** All that the checks look at. */
export interface Machine extends Setup {
  /** Of the machine, below its root. */
  readonly files: Files;
  /** As this process sees them: the devices it may open, the libraries it loads, its own limits. */
  readonly own: Files;
  readonly env: Environment;
  readonly uid: number;
  /** The path of nvidia-smi, as the reader finds it. */
  readonly nvidiaSmi: string | null;
}

export const openMachine = (setup: Setup): Machine => ({
  ...setup,
  files: new Files(setup.root),
  own: new Files(""),
  env: process.env,
  uid: process.getuid?.() ?? 0,
  nvidiaSmi: findNvidiaSmi(),
});

/** How the kernel numbers the namespaces that it starts with (include/linux/proc_ns.h). */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/** Whether this process is in a container, by what runtimes leave behind; which, where they say so. */
export function containerOf({ own, env }: Pick<Machine, "own" | "env">): string | null {
  if (isInFirstPidNamespace(own) === true && hasMountsOfInit(own)) return null;
  if (env.KUBERNETES_SERVICE_HOST) return "a Kubernetes pod";
  if (own.exists("/.dockerenv")) return "a Docker container";
  if (own.exists("/run/.containerenv")) return "a Podman container";
  const [, name] = /(?:^|\0)container=([^\0]+)/.exec(own.text("/proc/1/environ") ?? "") ?? [];
  const named = name ?? own.text("/run/systemd/container");
  if (named) return `a container (${named})`;
  const group = own.text("/proc/self/cgroup") ?? "";
  const [, runtime] = /\/(docker|kubepods|containerd|crio|libpod|lxc)\b/.exec(group) ?? [];
  if (runtime !== undefined) return `a container (${runtime})`;
  return isInFirstPidNamespace(own) === false ? "a container" : null;
}

/** Whether it sees the processes of the whole machine; `null` where the kernel does not say. */
export function isInFirstPidNamespace(own: Files): boolean | null {
  const namespace = own.link("/proc/self/ns/pid");
  return namespace === null ? null : namespace === FIRST_PID_NAMESPACE;
}

/** A machine may be started from the image of a container, with what marks one: what it sees is what its init sees. */
function hasMountsOfInit(own: Files): boolean {
  const mounts = own.text("/proc/1/mountinfo");
  return mounts !== null && mounts === own.text("/proc/self/mountinfo");
}

/** Windows Subsystem for Linux, by the name of its kernel. */
export const isWsl = ({ files }: Pick<Machine, "files">): boolean =>
  /microsoft|WSL/i.test(files.text("/proc/sys/kernel/osrelease") ?? "");
