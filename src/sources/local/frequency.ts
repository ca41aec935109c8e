import { plausible, plausibleWhole } from "../plausible.ts";
import type { CpuInfo } from "./cpuinfo.ts";
import { highest, sum, type Tree } from "./files.ts";

export interface Frequencies {
  readonly base_mhz: number | null;
  readonly max_mhz: number | null;
}

const folder = (cpu: number): string => `/sys/devices/system/cpu/cpu${cpu}/`;

const fromKilohertz = (kilohertz: number | null): number | null => plausibleWhole("megahertz_max", kilohertz, 1000);

/**
 * Base: by intel_pstate, by ACPI CPPC (the AMD drivers), by the model's name (`@ 2.90GHz`), else what /proc/cpuinfo
 * says (a virtual machine's only figure). Max: over all CPUs, since favoured cores boost higher.
 */
export function readFrequencies(tree: Tree, cpus: readonly number[], info: CpuInfo): Frequencies {
  const max_mhz = highest(cpus.map((cpu) => fromKilohertz(tree.natural(`${folder(cpu)}cpufreq/cpuinfo_max_freq`))));
  const first = cpus[0] ?? 0;
  const base_mhz =
    fromKilohertz(tree.natural(`${folder(first)}cpufreq/base_frequency`)) ??
    plausible("megahertz_max", tree.natural(`${folder(first)}acpi_cppc/nominal_freq`)) ??
    nominalFromModel(info.model) ??
    (max_mhz === null ? plausibleWhole("megahertz_max", info.processors[0]?.mhz) : null);
  return { base_mhz, max_mhz };
}

function nominalFromModel(model: string | null): number | null {
  const gigahertz = /@ (\d{1,2}\.\d{1,2})GHz/.exec(model ?? "");
  return gigahertz === null ? null : Math.round(Number(gigahertz[1]) * 1000);
}

/** Reading a clock can wake the CPU it belongs to, so that a socket's frequency is the mean over this many. */
const SAMPLES_PER_SOCKET = 8;

/** What the socket's CPUs run at now, in MHz. */
export async function readCurrentMhz(tree: Tree, cpus: readonly number[]): Promise<number | null> {
  const step = Math.max(1, Math.floor(cpus.length / SAMPLES_PER_SOCKET));
  const sample = cpus.filter((_, i) => i % step === 0).slice(0, SAMPLES_PER_SOCKET);
  const read = await Promise.all(sample.map((cpu) => tree.naturalLater(`${folder(cpu)}cpufreq/scaling_cur_freq`)));
  const known = read.map(fromKilohertz).filter((mhz) => mhz !== null);
  return known.length === 0 ? null : Math.round(sum(known) / known.length);
}
