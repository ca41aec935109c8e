/**
 * Names of ARM cores by the implementer and part numbers of their MIDR register, as /proc/cpuinfo gives them. The
 * numbers are the makers' own; the kernel has them in arch/arm64/include/asm/cputype.h.
 */
const cores: Record<number, Record<number, string>> = {
  // Arm
  65: {
    3079: "Cortex-A7",
    3081: "Cortex-A9",
    3087: "Cortex-A15",
    3329: "Cortex-A32",
    3331: "Cortex-A53",
    3332: "Cortex-A35",
    3333: "Cortex-A55",
    3335: "Cortex-A57",
    3336: "Cortex-A72",
    3337: "Cortex-A73",
    3338: "Cortex-A75",
    3339: "Cortex-A76",
    3340: "Neoverse-N1",
    3341: "Cortex-A77",
    3342: "Cortex-A76AE",
    3392: "Neoverse-V1",
    3393: "Cortex-A78",
    3394: "Cortex-A78AE",
    3396: "Cortex-X1",
    3398: "Cortex-A510",
    3399: "Cortex-A710",
    3400: "Cortex-X2",
    3401: "Neoverse-N2",
    3402: "Neoverse-E1",
    3403: "Cortex-A78C",
    3405: "Cortex-A715",
    3406: "Cortex-X3",
    3407: "Neoverse-V2",
    3456: "Cortex-A520",
    3457: "Cortex-A720",
    3458: "Cortex-X4",
    3460: "Neoverse-V3",
    3461: "Cortex-X925",
    3463: "Cortex-A725",
    3470: "Neoverse-N3",
  },
  // Cavium
  67: { 161: "ThunderX", 175: "ThunderX2" },
  // Fujitsu
  70: { 1: "A64FX" },
  // HiSilicon
  72: { 3329: "Kunpeng-920", 3330: "TaiShan-v120" },
  // NVIDIA
  78: { 3: "Denver 2", 4: "Carmel", 16: "Olympus" },
  // Qualcomm
  81: { 1: "Oryon", 3072: "Falkor" },
  // Apple
  97: { 34: "M1 Icestorm", 35: "M1 Firestorm", 50: "M2 Blizzard", 51: "M2 Avalanche" },
  // Microsoft
  109: { 3401: "Azure Cobalt 100" },
  // Phytium
  112: { 1634: "FTC662", 1635: "FTC663", 1636: "FTC664" },
  // Ampere
  192: { 2755: "AmpereOne", 2756: "AmpereOne A1a" },
};

export function armCoreName(implementer: number, part: number): string | null {
  return cores[implementer]?.[part] ?? null;
}

/** How strong a kind of core is beside others in one chip, where nothing else tells: 0 the small ones. */
export function armCoreRank(name: string | null): number {
  if (name === null) return 1;
  if (/^Cortex-(?:A7|A3\d|A5\d|A5\d\d)$/.test(name)) return 0;
  if (/Icestorm|Blizzard/.test(name)) return 0;
  return /^Cortex-X/.test(name) ? 2 : 1;
}

/** What Amazon sells under names of its own, by the core inside (the part number alone is Arm's). */
const graviton: Record<string, string> = {
  "Cortex-A72": "AWS Graviton",
  "Neoverse-N1": "AWS Graviton2",
  "Neoverse-V1": "AWS Graviton3",
  "Neoverse-V2": "AWS Graviton4",
};

/** The name of an ARM processor in a machine of this vendor (DMI): the maker's product where one core means one. */
export function armModel(core: string, vendor: string | null): string {
  if (vendor === "Amazon EC2" && graviton[core] !== undefined) return `${graviton[core]} (${core})`;
  if (vendor === "NVIDIA" && core === "Neoverse-V2") return `NVIDIA Grace (${core})`;
  return core;
}
