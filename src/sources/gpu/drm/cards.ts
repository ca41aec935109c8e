import { realpathSync } from "node:fs";
import type { Tree } from "../../local/files.ts";
import { pciAddress } from "../registry.ts";

/** A PCI device that a DRM driver shows cards of. */
export interface DrmCard {
  /** `card0`; the number can change from boot to boot. */
  readonly name: string;
  /** `0000:03:00.0`. */
  readonly pci: string;
  /** Of its files, with a `/` at the end: `/sys/class/drm/card0/device/`. */
  readonly folder: string;
  /** PCI id, lower-case hexadecimal digits: `744c`. Whose card it is the driver says. */
  readonly device: string | null;
  readonly subsystem: string | null;
  readonly revision: string | null;
  readonly driver: string;
  /** `renderD128`: through which programs use it that draw nothing. */
  readonly render: string | null;
  readonly numa_node: number | null;
  /** The PCI addresses on the way to it, from the root port on, its own last. */
  readonly path: readonly string[];
}

const CLASS = "/sys/class/drm";

/** The cards of one driver's, in the order of their PCI addresses, which stays. */
export function findCards(tree: Tree, drivers: readonly string[]): DrmCard[] {
  const cards = tree
    .names(CLASS)
    .filter((name) => /^card\d+$/.test(name))
    .map((name) => openCard(tree, name, drivers))
    .filter((card) => card !== null);
  return cards.sort((a, b) => (a.pci < b.pci ? -1 : 1));
}

/** It is still there, and the same device. */
export const isPresent = (tree: Tree, { folder, pci }: DrmCard): boolean => tree.link(folder.slice(0, -1)) === pci;

/**
 * Asleep, to save power: every look at its registers, also at those of its PCI link, would wake it. What the driver
 * keeps in memory can be read.
 */
export const isSuspended = (tree: Tree, { folder }: DrmCard): boolean =>
  tree.text(`${folder}power/runtime_status`) === "suspended";

/** Nobody answers on the bus: every bit that is read from its place is 1. */
export async function isOffBus(tree: Tree, { folder }: DrmCard): Promise<boolean> {
  const config = await tree.bytesLater(`${folder}config`);
  return config !== null && config.length >= 4 && config.readUInt32LE(0) === 0xff_ff_ff_ff;
}

function openCard(tree: Tree, name: string, drivers: readonly string[]): DrmCard | null {
  const device = `${CLASS}/${name}/device`;
  const driver = tree.link(`${device}/driver`);
  const pci = pciAddress(tree.link(device) ?? "");
  if (driver === null || pci === null || !drivers.includes(driver)) return null;
  const id = (file: string): string | null => parsePciId(tree.text(`${device}/${file}`));
  const subsystem = [id("subsystem_vendor"), id("subsystem_device")];
  return {
    name,
    pci,
    folder: `${device}/`,
    device: id("device"),
    subsystem: subsystem.includes(null) ? null : subsystem.join(":"),
    revision: id("revision"),
    driver,
    render: tree.names(`${device}/drm`).find((node) => node.startsWith("renderD")) ?? null,
    numa_node: parseNumaNode(tree.text(`${device}/numa_node`)),
    path: pathOf(tree, device, pci),
  };
}

export const parsePciId = (text: string | null): string | null =>
  /^0x([0-9a-f]{2,4})$/i.exec(text ?? "")?.[1]?.toLowerCase() ?? null;

/** A machine with one node only says -1. */
const parseNumaNode = (text: string | null): number | null => (/^\d{1,4}$/.test(text ?? "") ? Number(text) : null);

function pathOf(tree: Tree, folder: string, pci: string): string[] {
  try {
    const parts = realpathSync(tree.path(folder)).split("/");
    const path = parts.map(pciAddress).filter((address) => address !== null);
    return path.length > 0 ? path : [pci];
  } catch {
    return [pci];
  }
}
