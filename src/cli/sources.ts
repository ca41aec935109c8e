import { zoneFiles } from "../clock/machine_zone.ts";
import { UsageError } from "../errors.ts";
import { SIMULATED_MACHINE, type SourceKind } from "../frame/frame.ts";
import type { SectionName } from "../frame/schema.ts";
import type { GpuRegistry } from "../sources/gpu/registry.ts";
import { below, existsBelow, linkBelow } from "../sources/local/below_root.ts";
import type { HostIdentity, Source } from "../sources/source.ts";
import type { HostOptions } from "./host_options.ts";
import type { SourceOptions } from "./options.ts";
import { readTextFile, readToken } from "./secret_file.ts";
import { useMachineZone } from "./zones.ts";

/** The sources of a command, and what they say about themselves in frames and headers. */
export interface Sources {
  readonly sources: Source[];
  readonly kind: SourceKind;
  readonly hostname: string;
  /** Of a machine that may be renamed: its name at the time, which its rows have from then on. */
  readonly nameNow?: () => string;
  /** Tells the machine that is recorded from others; `null` where nothing does. */
  readonly machine: string | null;
  readonly hosts: string[];
  /** What the person who asked for them should know; `null`: nothing. */
  readonly warning: string | null;
}

/** Options that mean nothing where no host is asked. */
const FOR_HOSTS = [
  ["tokenFile", "--token-file"],
  ["tlsCa", "--tls-ca"],
  ["exclude", "--exclude"],
] as const;

/** Builds what `--source` names. Only the code of that source is loaded. */
export async function openSources(options: SourceOptions & HostOptions): Promise<Sources> {
  const named = options.hosts ? "--hosts" : "--hostfile";
  if (options.source !== "remote" && (options.hosts || options.hostfile)) {
    throw new UsageError(`${named} goes with --source remote, not ${options.source}`);
  }
  const forHosts = FOR_HOSTS.find(([key]) => options[key] !== undefined)?.[1];
  if (options.source !== "remote" && forHosts !== undefined) {
    throw new UsageError(`${forHosts} is for other machines: it goes with --hosts or --hostfile`);
  }
  const sources = await openKind(options);
  const root = options.source === "local" ? rootOf(options) : "";
  const problem = useMachineZone(
    zoneFiles(
      (path) => below(root, path),
      (path) => linkBelow(root, path),
    ),
  );
  const warnings = [sources.warning, problem].filter((warning) => warning !== null);
  return { ...sources, warning: warnings.length === 0 ? null : warnings.join("; ") };
}

async function openKind(options: SourceOptions & HostOptions): Promise<Sources> {
  switch (options.source) {
    case "local":
      return await localSources(options);
    case "mock":
      return await mockSources(options);
    case "remote":
      return await remoteSources(options);
  }
}

const rootOf = ({ hostRoot }: SourceOptions): string => (hostRoot === "/" ? "" : hostRoot.replace(/(?<!\/)\/+$/, ""));

/** What the sources of one machine share. */
interface Local {
  readonly options: SourceOptions;
  readonly root: string;
  readonly host: HostIdentity;
  readonly registry: GpuRegistry;
}

type Open = (local: Local) => Promise<Source | Source[]>;

const LOCAL: { readonly [S in SectionName]: Open } = {
  gpus: async (local) => (await import("../sources/gpu/gpus.ts")).openGpuSources(local),
  cpus: async ({ root, host }) => (await import("../sources/local/cpu.ts")).cpuSource({ root, host, perCore: true }),
  memory: async ({ root, host }) => (await import("../sources/local/memory.ts")).memorySource({ root, host }),
  chassis: async ({ root, host }) => (await import("../sources/local/chassis.ts")).chassisSource({ root, host }),
  storage: async ({ root, host }) => (await import("../sources/local/storage.ts")).storageSource({ root, host }),
  processes: async ({ options: { processes, command }, root, registry }) => {
    const { processSource } = await import("../sources/local/processes.ts");
    return processSource({ root, limit: processes, command, gpuUses: (cycle) => registry.uses(cycle) });
  },
};

async function localSources(options: SourceOptions): Promise<Sources> {
  const root = rootOf(options);
  if (!existsBelow(root, "/proc")) throw new UsageError(`--host-root ${options.hostRoot}: there is no proc in it`);
  const { MachineName } = await import("../sources/local/hostname.ts");
  const { machineKey } = await import("../sources/local/machine_key.ts");
  const name = new MachineName(root, options.hostname);
  const host = name.identity;
  const { hostname } = host;
  const { GpuRegistry } = await import("../sources/gpu/registry.ts");
  const local: Local = { options, root, host, registry: new GpuRegistry() };
  const { kernelLogSources } = await import("../sources/local/kernel_log/source.ts");
  const readers = (await Promise.all(options.include.map((section) => LOCAL[section](local)))).flat();
  // It comes first: what the kernel's log says of an XID is more than what the driver's library knows of it.
  const sources = [...kernelLogSources(local), ...readers];
  const nameNow = () => name.now();
  return { sources, kind: "local", hostname, nameNow, machine: machineKey(root), hosts: [hostname], warning: null };
}

async function mockSources(options: SourceOptions): Promise<Sources> {
  const { mockSource, parseMock, mockHostnames } = await import("../sources/mock/mock.ts");
  const size = parseMock(options.mock);
  if (typeof size === "string") throw new UsageError(`--mock ${options.mock}: ${size}`);
  const hosts = mockHostnames(size.hosts);
  const remote = size.hosts > 1;
  const sources = [mockSource({ ...size, seed: options.seed, include: options.include, processes: options.processes })];
  const hostname = options.hostname ?? (remote ? "remote" : (hosts[0] ?? ""));
  return { sources, kind: remote ? "remote" : "local", hostname, machine: SIMULATED_MACHINE, hosts, warning: null };
}

/** Of one host's processes; a frame may have a hundred hosts. */
const MOST_REMOTE_PROCESSES = 32;

async function remoteSources(options: SourceOptions & HostOptions): Promise<Sources> {
  const { remoteSource } = await import("../sources/remote/remote.ts");
  const { readTargets } = await import("../sources/remote/hostfile.ts");
  const { hosts = [], hostfile, exclude = [], tokenFile, tlsCa, include, processes, command } = options;
  const { tokenInClear } = await import("./token_in_clear.ts");
  const targets = readTargets(hosts, hostfile, exclude);
  const source = remoteSource({
    targets,
    include,
    processes: Math.min(processes, MOST_REMOTE_PROCESSES),
    command,
    // Where there is one host, its own screen is what is looked at.
    perCore: targets.length === 1,
    token: tokenFile === undefined ? null : readToken("--token-file", tokenFile),
    ca: tlsCa === undefined ? null : readAuthority(tlsCa),
  });
  const hostname = options.hostname ?? "remote";
  return {
    sources: [source],
    kind: "remote",
    hostname,
    machine: null,
    hosts: targets.map(({ host_id }) => host_id),
    warning: tokenFile === undefined ? null : tokenInClear(targets),
  };
}

function readAuthority(path: string): string {
  const pem = readTextFile("--tls-ca", path);
  if (!pem.includes("-----BEGIN CERTIFICATE-----"))
    throw new UsageError(`--tls-ca ${path}: no certificate (PEM) in it`);
  return pem;
}
