import type { Cpu } from "../../frame/schema.ts";
import { plausible } from "../plausible.ts";
import { armCoreRank } from "./arm_cores.ts";
import type { CpuInfo, Processor } from "./cpuinfo.ts";
import { parseCpuList, type Tree } from "./files.ts";

export type CoreType = Cpu["per_core_utilization"][number]["core_type"];

/** CPUs of one kind. */
type Kind = readonly number[];

/** Where the kernel lists the CPUs of one kind on Intel's hybrid chips. */
const INTEL_KINDS: readonly (readonly [file: string, type: CoreType])[] = [
  ["/sys/devices/cpu_core/cpus", "Performance"],
  ["/sys/devices/cpu_atom/cpus", "Efficiency"],
  ["/sys/devices/cpu_lowpower/cpus", "Efficiency"],
];

const CPU = "/sys/devices/system/cpu/cpu";

/**
 * Values of one kind of core lie closer together than those of two: favoured cores of a kind are clocked higher by some
 * percent. Of frequencies the gap is taken wider, as there are processors with cache on one half only.
 */
const CAPACITY_GAP = 0.1;
const FREQUENCY_GAP = 0.2;

/** Where cores differ, what each is among the kinds that are there: the weakest are the efficient ones. */
export function readCoreTypes(tree: Tree, cpus: readonly number[], info: CpuInfo): Map<number, CoreType> {
  return intelTypes(tree) ?? typesByRank(kindsByStrength(tree, cpus, info));
}

function intelTypes(tree: Tree): Map<number, CoreType> | null {
  const kinds = INTEL_KINDS.map(([file, type]) => [parseCpuList(tree.text(file)), type] as const);
  const present = kinds.filter(([cpus]) => cpus.length > 0);
  if (present.length === 0) return null;
  if (present.length === 1) return new Map();
  return new Map(present.flatMap(([cpus, type]) => cpus.map((cpu) => [cpu, type] as const)));
}

/** From the weakest on. */
function typesByRank(kinds: readonly Kind[]): Map<number, CoreType> {
  if (kinds.length < 2) return new Map();
  return new Map(
    kinds.flatMap((cpus, rank) => cpus.map((cpu) => [cpu, rank === 0 ? "Efficiency" : "Performance"] as const)),
  );
}

/**
 * By the cores' own numbers, which say what they are, in the order of what the scheduler takes them to be capable of
 * (`cpu_capacity`), else of their clocks, else of their family; where all have one number, by how these lie apart.
 */
function kindsByStrength(tree: Tree, cpus: readonly number[], info: CpuInfo): readonly Kind[] {
  const capacities = cpus.map((cpu) => tree.natural(`${CPU}${cpu}/cpu_capacity`));
  const hasCapacities = capacities.every((value) => value !== null);
  const values = hasCapacities ? capacities : frequencies(tree, cpus);
  const parts = partsOf(cpus, info);
  if (parts !== null && parts.size > 1) return rankedParts(parts, cpus, values);
  return values === null ? [] : apart(cpus, values, hasCapacities ? CAPACITY_GAP : FREQUENCY_GAP);
}

/** `null`: not known of all. */
function frequencies(tree: Tree, cpus: readonly number[]): number[] | null {
  const values = cpus.map((cpu) =>
    plausible("megahertz_max", tree.natural(`${CPU}${cpu}/cpufreq/cpuinfo_max_freq`), 1000),
  );
  const known = values.filter((value) => value !== null);
  return known.length === values.length ? known : null;
}

interface Part {
  readonly processor: Processor;
  readonly cpus: number[];
}

/** `null`: it is not known of all what they are. */
function partsOf(cpus: readonly number[], { processors }: CpuInfo): Map<string, Part> | null {
  const known = new Map(processors.map((one) => [one.processor, one]));
  const parts = new Map<string, Part>();
  for (const cpu of cpus) {
    const processor = known.get(cpu);
    if (processor === undefined || processor.part === null) return null;
    const part = parts.get(processor.part) ?? { processor, cpus: [] };
    part.cpus.push(cpu);
    parts.set(processor.part, part);
  }
  return parts;
}

function rankedParts(
  parts: ReadonlyMap<string, Part>,
  cpus: readonly number[],
  values: readonly number[] | null,
): Kind[] {
  const strengths = new Map(cpus.map((cpu, i) => [cpu, values?.[i] ?? 0]));
  const ranked = [...parts.values()].map(({ processor, cpus: own }) => ({
    cpus: own,
    value: Math.max(...own.map((cpu) => strengths.get(cpu) ?? 0)),
    family: armCoreRank(processor.coreName),
  }));
  ranked.sort((a, b) => a.value - b.value || a.family - b.family);
  const [weakest, next] = ranked;
  const areAlike = weakest?.value === next?.value && weakest?.family === next?.family;
  return areAlike ? [] : ranked.map((one) => one.cpus);
}

/** Groups with a gap of so much of the higher value between them. */
function apart(cpus: readonly number[], values: readonly (number | null)[], gap: number): Kind[] {
  const sorted = cpus.map((cpu, i) => ({ cpu, value: values[i] ?? 0 })).sort((a, b) => a.value - b.value);
  const kinds: number[][] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const { cpu, value } of sorted) {
    if (before < value * (1 - gap)) kinds.push([]);
    kinds.at(-1)?.push(cpu);
    before = value;
  }
  return kinds;
}
