/** The library's enumerations in words, as they stand in a card's `detail`. */

/** nvmlBrandType_t. */
const BRANDS: readonly string[] = [
  "Unknown",
  "Quadro",
  "Tesla",
  "NVS",
  "GRID",
  "GeForce",
  "Titan",
  "VApps",
  "VPC",
  "VCS",
  "VWS",
  "CloudGaming",
  "QuadroRTX",
  "NvidiaRTX",
  "Nvidia",
  "GeForceRTX",
  "TitanRTX",
];

/** NVML_DEVICE_ARCH_…, from 2 on. */
const ARCHITECTURES: Readonly<Record<number, string>> = {
  2: "Kepler",
  3: "Maxwell",
  4: "Pascal",
  5: "Volta",
  6: "Turing",
  7: "Ampere",
  8: "Ada",
  9: "Hopper",
  10: "Blackwell",
  13: "Rubin",
};

/** nvmlComputeMode_t. */
const COMPUTE_MODES: readonly string[] = ["Default", "ExclusiveThread", "Prohibited", "ExclusiveProcess"];

/** nvmlIntNvLinkDeviceType_t; what is not in here is not known either. */
const REMOTE_TYPES: Readonly<Record<number, "gpu" | "ibmnpu" | "switch">> = { 0: "gpu", 1: "ibmnpu", 2: "switch" };

const worded = (words: readonly string[] | Readonly<Record<number, string>>, value: number | null): string | null =>
  value === null ? null : ((words as Readonly<Record<number, string>>)[value] ?? null);

export const brandName = (brand: number | null): string | null => worded(BRANDS, brand);
export const architectureName = (architecture: number | null): string | null => worded(ARCHITECTURES, architecture);
export const computeModeName = (mode: number | null): string | null => worded(COMPUTE_MODES, mode);
export const remoteTypeName = (type: number | null): "gpu" | "ibmnpu" | "switch" | "unknown" =>
  REMOTE_TYPES[type ?? -1] ?? "unknown";

/** nvmlEnableState_t. */
export const enabledName = (state: number | null): string | null =>
  state === null ? null : state === 0 ? "Disabled" : "Enabled";

/** Clock event reasons that slow a card down, by bit. The others (idle, display clocks) are no throttling. */
const THROTTLE_BITS: readonly (readonly [bit: number, name: string])[] = [
  [0x4, "power"],
  [0x20, "thermal"],
  [0x40, "thermal"],
  [0x8, "hardware"],
  [0x80, "power_brake"],
  [0x10, "sync"],
  [0x2, "application"],
];

const decoded = new Map<number, string[]>();

/** The names of the reasons in a mask; for one mask always the same array. */
export function throttleNames(mask: number): string[] {
  let names = decoded.get(mask);
  if (names === undefined) {
    names = [...new Set(THROTTLE_BITS.filter(([bit]) => mask & bit).map(([, name]) => name))];
    decoded.set(mask, names);
  }
  return names;
}
