import { armCoreName } from "./arm_cores.ts";

/** One processor's block of /proc/cpuinfo; its keys differ between architectures. */
export interface Processor {
  readonly processor: number;
  readonly physicalId: number | null;
  readonly coreId: number | null;
  readonly mhz: number | null;
  /** Of ARM: what core it is, by the numbers of its maker, and its name where that is known. */
  readonly part: string | null;
  readonly coreName: string | null;
}

export interface CpuInfo {
  /** As the architecture names it: `GenuineIntel`, `AuthenticAMD`, …; `null` on ARM. */
  readonly vendor: string | null;
  /** As the kernel writes it, or the names of the cores for ARM, which has no model name. */
  readonly model: string | null;
  readonly isArm: boolean;
  readonly processors: readonly Processor[];
}

type Block = Map<string, string>;

export function parseCpuinfo(text: string): CpuInfo {
  const blocks = text.split(/\n\s*\n/).map(parseBlock);
  const first = (key: string): string | null => blocks.find((block) => block.get(key))?.get(key) ?? null;
  const cores = blocks.map((block) => coreName(block)).filter((name) => name !== null);
  return {
    vendor: first("vendor_id"),
    model: first("model name") ?? first("Model Name") ?? (joined(cores) || (first("cpu") ?? first("uarch"))),
    isArm: first("CPU implementer") !== null,
    processors: blocks.flatMap(parseProcessor),
  };
}

function parseBlock(text: string): Block {
  const block: Block = new Map();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) block.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  return block;
}

function coreName(block: Block): string | null {
  const implementer = Number.parseInt(block.get("CPU implementer") ?? "", 16);
  const part = Number.parseInt(block.get("CPU part") ?? "", 16);
  return Number.isNaN(implementer) || Number.isNaN(part) ? null : armCoreName(implementer, part);
}

/** `Cortex-A76 + Cortex-A55` where a chip has several kinds of core. */
const joined = (names: readonly string[]): string => [...new Set(names)].join(" + ");

function parseProcessor(block: Block): Processor[] {
  const number = (key: string): number | null => {
    const value = block.get(key);
    return value !== undefined && /^\d{1,7}(\.\d+)?$/.test(value) ? Number(value) : null;
  };
  const processor = number("processor");
  if (processor === null) return [];
  const [implementer, part] = [block.get("CPU implementer"), block.get("CPU part")];
  return [
    {
      processor,
      physicalId: number("physical id"),
      coreId: number("core id"),
      mhz: number("cpu MHz"),
      part: implementer === undefined || part === undefined ? null : `${implementer} ${part}`,
      coreName: coreName(block),
    },
  ];
}
