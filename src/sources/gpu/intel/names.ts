import type { Tree } from "../../local/files.ts";
import { databaseName, withMaker } from "../../product_names.ts";
import type { DrmCard } from "../drm/cards.ts";

/** By PCI device id: Intel's table of its discrete GPUs. */
const DISCRETE: Readonly<Record<string, string>> = {
  "0bd5": "Intel Data Center GPU Max 1550",
  "0bd6": "Intel Data Center GPU Max 1550",
  "0bd9": "Intel Data Center GPU Max 1100",
  "0bda": "Intel Data Center GPU Max 1100",
  "0bdb": "Intel Data Center GPU Max 1100",
  "5690": "Intel Arc A770M",
  "5691": "Intel Arc A730M",
  "5692": "Intel Arc A550M",
  "5693": "Intel Arc A370M",
  "5694": "Intel Arc A350M",
  "56a0": "Intel Arc A770",
  "56a1": "Intel Arc A750",
  "56a2": "Intel Arc A580",
  "56a5": "Intel Arc A380",
  "56a6": "Intel Arc A310",
  "56b0": "Intel Arc Pro A30M",
  "56b1": "Intel Arc Pro A40/A50",
  "56b2": "Intel Arc Pro A60M",
  "56b3": "Intel Arc Pro A60",
  "56c0": "Intel Data Center GPU Flex 170",
  "56c1": "Intel Data Center GPU Flex 140",
  e20b: "Intel Arc B580",
  e20c: "Intel Arc B570",
  e211: "Intel Arc Pro B60",
  e212: "Intel Arc Pro B50",
};

const INTEL = "8086";

/** `""` where it does not say what it is. */
export function nameOf(tree: Tree, { device }: DrmCard): string {
  if (device === null) return "";
  const own = DISCRETE[device];
  if (own !== undefined) return own;
  const found = databaseName(tree, INTEL, device);
  return found === null ? `Intel GPU 0x${device}` : withMaker("Intel", found);
}

/** It is one of these. */
export const isDiscrete = ({ device }: DrmCard): boolean => device !== null && device in DISCRETE;
