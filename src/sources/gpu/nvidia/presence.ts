import { existsSync, readdirSync, readFileSync } from "node:fs";
import { below, existsBelow } from "../../local/below_root.ts";
import { AT_ONCE } from "../../local/files.ts";
import { LIBRARY_PATHS } from "./nvml/library.ts";
import { findNvidiaSmi } from "./smi/find.ts";

/** Every process that uses a card opens it. */
const CONTROL_DEVICE = "/dev/nvidiactl";
/** What there is where the driver is loaded, in WSL too, and on Jetson. */
const SIGNS: readonly string[] = [
  ...["/proc/driver/nvidia", CONTROL_DEVICE, "/dev/nvidia0", "/dev/dxg", "/dev/nvgpu", "/dev/nvhost-ctrl-gpu"],
];

/** Loads the driver itself where nobody has yet. */
const LIBRARIES: readonly string[] = [
  ...LIBRARY_PATHS.filter((path) => path.startsWith("/")),
  "/usr/lib/libnvidia-ml.so.1",
];

/**
 * Whether it is worthwhile to look for NVIDIA's cards. Costs a few system calls, no process. The library of the machine
 * around a container cannot be used in it.
 */
export function mayHaveCards(root: string): boolean {
  if (process.env.ALL_SMI_NVML || SIGNS.some((path) => existsBelow(root, path))) return true;
  return root === "" && (LIBRARIES.some((path) => existsSync(path)) || findNvidiaSmi() !== null);
}

/**
 * Whether NVIDIA's driver is loaded, and here to be asked. The PCI bus and /proc say less: a container sees those of the
 * whole machine, also where it was given no card.
 */
export const hasDriver = (root: string): boolean => existsBelow(root, CONTROL_DEVICE);

const NVIDIA = "0x10de";
/** Display controllers; accelerators without a display are among them. */
const DISPLAY_CLASS = "0x03";

/** Whether the PCI bus has a card of NVIDIA's, with or without its driver. */
export function hasHardware(root: string): boolean {
  const folder = "/sys/bus/pci/devices";
  try {
    return readdirSync(below(root, folder)).some((device) => isCard(root, `${folder}/${device}`));
  } catch {
    return false;
  }
}

function isCard(root: string, device: string): boolean {
  try {
    const read = (file: string) =>
      readFileSync(below(root, `${device}/${file}`), { encoding: "latin1", flag: AT_ONCE }).trim();
    return read("vendor") === NVIDIA && read("class").startsWith(DISPLAY_CLASS);
  } catch {
    return false;
  }
}
