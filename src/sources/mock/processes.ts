import type { Process } from "../../frame/schema.ts";
import type { GpuState } from "./gpu_state.ts";
import type { HostState } from "./host_state.ts";
import { JOBS_PIDS, type Job } from "./jobs.ts";
import { loadedShare } from "./load.ts";
import { MEMORY_TOTAL_BYTES } from "./memory.ts";
import { noise, round, salt } from "./random.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** Kernel threads begin here; of those that a machine has, these are the ones that come and go. */
const KERNEL_PIDS = 2000;
const KTHREADD_PID = 2;

const CPU_USE = salt("cpu of a process");

/** Processes of a job that prepare data for one rank. */
const LOADERS = 4;
const PIDS_OF_RANK = 1 + LOADERS;

/** A process that is there from boot on. */
const DAEMONS = [
  { pid: 1, name: "systemd", command: "/sbin/init", user: "root", rssMiB: 14, threads: 1, cpu: 0.1 },
  {
    pid: 612,
    name: "systemd-journal",
    command: "/lib/systemd/systemd-journald",
    user: "root",
    rssMiB: 96,
    threads: 1,
    cpu: 0.4,
  },
  {
    pid: 1204,
    name: "nvidia-persiste",
    command: "/usr/bin/nvidia-persistenced --verbose",
    user: "root",
    rssMiB: 3,
    threads: 1,
    cpu: 0,
  },
  {
    pid: 1288,
    name: "nv-fabricmanage",
    command: "/usr/bin/nv-fabricmanager -c fabricmanager.cfg",
    user: "root",
    rssMiB: 22,
    threads: 18,
    cpu: 0.2,
  },
  { pid: 1311, name: "sshd", command: "sshd: /usr/sbin/sshd -D", user: "root", rssMiB: 9, threads: 1, cpu: 0 },
  { pid: 1402, name: "containerd", command: "/usr/bin/containerd", user: "root", rssMiB: 61, threads: 48, cpu: 0.8 },
  { pid: 1577, name: "slurmd", command: "/usr/sbin/slurmd -D -s", user: "root", rssMiB: 18, threads: 3, cpu: 0.3 },
  { pid: 1603, name: "chronyd", command: "/usr/sbin/chronyd -F 1", user: "_chrony", rssMiB: 4, threads: 1, cpu: 0 },
] as const;

function launcherCommand(job: Job): string {
  switch (job.kind) {
    case "training":
      return `torchrun --standalone --nproc-per-node ${job.gpuCount} train.py --config configs/${job.model}.yaml`;
    case "finetuning":
      return `accelerate launch --num_processes ${job.gpuCount} finetune.py --model ${job.model} --lora-rank 64`;
    case "inference":
      return `python3 serve.py --model ${job.model} --tensor-parallel ${job.gpuCount} --port 8000`;
  }
}

const rankCommand = (job: Job): string =>
  job.kind === "inference"
    ? `python3 worker.py --model ${job.model}`
    : `python3 -u ${job.kind === "training" ? "train.py" : "finetune.py"} --model ${job.model}`;

interface Facts {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly command: string;
  readonly user: string;
  readonly rssBytes: number;
  readonly cpu: number;
  readonly threads: number;
  readonly begin_s: number;
}

/** A process as far as /proc tells; that of a GPU is laid over it. */
function row(host: HostState, facts: Facts): Process {
  const jitter = 0.8 + 0.4 * noise(host.seed, CPU_USE, facts.pid, host.t_s, 4);
  const cpu = round(facts.cpu * jitter, 1);
  return {
    device_id: 0,
    device_uuid: "",
    pid: facts.pid,
    process_name: facts.name,
    used_memory: 0,
    cpu_percent: cpu,
    memory_percent: round((facts.rssBytes / MEMORY_TOTAL_BYTES) * 100, 2),
    memory_rss: facts.rssBytes,
    memory_vms: facts.rssBytes * 2 + 512 * MIB,
    user: facts.user,
    state: cpu > 50 ? "R" : "S",
    start_time: String(Math.floor(facts.begin_s)),
    cpu_time: Math.floor(((host.t_s - facts.begin_s) * facts.cpu) / 100),
    command: facts.command,
    ppid: facts.ppid,
    threads: facts.threads,
    uses_gpu: false,
    priority: 20,
    nice_value: 0,
    gpu_utilization: 0,
  };
}

const pidOf = (job: Job): number => JOBS_PIDS + (job.id % 10_000) * 400 + job.group * 100;

const jobFacts = (job: Job) => ({ user: job.user, name: "python3", begin_s: job.begin_s });

function rankRow(host: HostState, job: Job, state: GpuState, uuid: string): Process {
  const pid = pidOf(job) + 1 + (state.gpu - job.firstGpu) * PIDS_OF_RANK;
  const rssBytes = Math.floor(job.hostMemoryMiB * loadedShare(job, host.t_s) * 0.7) * MIB + GIB;
  const cpu = state.utilization > 0.05 ? 104 : 1;
  return {
    ...row(host, { ...jobFacts(job), pid, ppid: pidOf(job), command: rankCommand(job), rssBytes, cpu, threads: 72 }),
    device_id: state.gpu,
    device_uuid: uuid,
    used_memory: state.memoryMiB * MIB,
    uses_gpu: true,
    gpu_utilization: Math.round(state.utilization * 100),
  };
}

function loaderRows(host: HostState, job: Job, state: GpuState): Process[] {
  const ppid = pidOf(job) + 1 + (state.gpu - job.firstGpu) * PIDS_OF_RANK;
  const rssBytes = Math.floor((job.hostMemoryMiB * loadedShare(job, host.t_s) * 0.3) / LOADERS) * MIB + 300 * MIB;
  const facts = { ...jobFacts(job), ppid, rssBytes, command: rankCommand(job), threads: 3 };
  return Array.from({ length: LOADERS }, (_, i) =>
    row(host, { ...facts, pid: ppid + 1 + i, name: "pt_data_worker", cpu: state.utilization > 0.05 ? 74 : 0 }),
  );
}

const launcherRow = (host: HostState, job: Job): Process =>
  row(host, {
    ...jobFacts(job),
    pid: pidOf(job),
    ppid: 1577,
    command: launcherCommand(job),
    rssBytes: 420 * MIB,
    cpu: 2,
    threads: 28,
  });

const daemonRows = (host: HostState): Process[] =>
  DAEMONS.map(({ rssMiB, ...facts }) =>
    row(host, { ...facts, ppid: facts.pid === 1 ? 0 : 1, rssBytes: rssMiB * MIB, begin_s: host.boot_s }),
  );

interface Running {
  readonly job: Job;
  readonly state: GpuState;
}

const running = (host: HostState): Running[] =>
  host.gpus.flatMap((state) => (state.job === null ? [] : [{ job: state.job, state }]));

/** One process for each GPU at work; what ran on a lost GPU is gone. */
export function gpuProcessRows(host: HostState, uuids: readonly string[]): Process[] {
  return running(host)
    .filter(({ state }) => state.lostSince_s === null)
    .map(({ job, state }) => rankRow(host, job, state, uuids[state.gpu] ?? ""));
}

/** What else runs: launchers and data loaders of the jobs, then daemons. */
export function otherProcessRows(host: HostState): Process[] {
  const ranks = running(host);
  const firsts = ranks.filter(({ job, state }) => state.gpu === job.firstGpu);
  return [
    ...firsts.map(({ job }) => launcherRow(host, job)),
    ...ranks.filter(({ job }) => job.kind !== "inference").flatMap(({ job, state }) => loaderRows(host, job, state)),
    ...daemonRows(host),
  ];
}

/** What else a process table is full of: so many of the kernel's own threads, which hold no memory. */
export function kernelThreadRows(host: HostState, count: number): Process[] {
  const facts = { ppid: KTHREADD_PID, user: "root", rssBytes: 0, threads: 1, cpu: 0.1, begin_s: host.boot_s };
  return Array.from({ length: Math.max(0, count) }, (_, n) => {
    const name = `kworker/${n % host.threads}:${Math.floor(n / host.threads)}`;
    return { ...row(host, { ...facts, pid: KERNEL_PIDS + n, name, command: `[${name}]` }), memory_vms: 0 };
  });
}
