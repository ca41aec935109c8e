import type { DrmCard } from "../drm/cards.ts";

/** By PCI device id: Intel's table of its discrete GPUs. */
const NAMES: Readonly<Record<string, string>> = {
  "0bd5": "Intel Data Center GPU Max 1550",
  "0bda": "Intel Data Center GPU Max 1100",
  "56a0": "Intel Arc A770",
  "56a1": "Intel Arc A750",
  "56a5": "Intel Arc A380",
  "56c0": "Intel Data Center GPU Flex 170",
  "56c1": "Intel Data Center GPU Flex 140",
  e20b: "Intel Arc B580",
  e20c: "Intel Arc B570",
};

/** `""` where it does not say what it is. */
export const nameOf = ({ device }: DrmCard): string =>
  device === null ? "" : (NAMES[device] ?? `Intel GPU 0x${device}`);

/** It is one of these. */
export const isDiscrete = ({ device }: DrmCard): boolean => device !== null && device in NAMES;
