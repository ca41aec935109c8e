import { parseNatural, type Tree } from "../../local/files.ts";
import { plausible } from "../../plausible.ts";
import { type DrmCard, parsePciId } from "./cards.ts";

export interface PcieLink {
  readonly generation: number | null;
  readonly generation_max: number | null;
  readonly width: number | null;
  readonly width_max: number | null;
}

/** GT/s of a lane, by PCIe generation from 1 on. */
const LANE_SPEEDS = [2.5, 5, 8, 16, 32, 64];

/**
 * The folder of the device at the card's end of the link to the slot. Many cards carry a PCIe switch: then the GPU's own
 * link is that to the switch, which is always fast. `ports` are the PCI ids (`1002:1478`) of such switches.
 */
export function linkFolder(tree: Tree, card: DrmCard, ports: readonly string[]): string {
  const upwards = card.path.slice(0, -1).reverse();
  const end = upwards.findIndex((address) => !ports.includes(idOf(tree, address)));
  const outermost = upwards[(end < 0 ? upwards.length : end) - 1];
  return outermost === undefined ? card.folder : folderOf(outermost);
}

const folderOf = (address: string): string => `/sys/bus/pci/devices/${address}/`;

function idOf(tree: Tree, address: string): string {
  const id = (file: string): string | null => parsePciId(tree.text(folderOf(address) + file));
  return `${id("vendor")}:${id("device")}`;
}

/** Of a device that is awake. */
export async function readLink(tree: Tree, folder: string): Promise<PcieLink> {
  const [speed, speedMax, width, widthMax] = await Promise.all(
    ["current_link_speed", "max_link_speed", "current_link_width", "max_link_width"].map((file) =>
      tree.textLater(folder + file),
    ),
  );
  return {
    generation: parseLinkSpeed(speed ?? null),
    generation_max: parseLinkSpeed(speedMax ?? null),
    width: parseLinkWidth(width ?? null),
    width_max: parseLinkWidth(widthMax ?? null),
  };
}

/** The PCIe generation of `16.0 GT/s PCIe`. */
export const parseLinkSpeed = (text: string | null): number | null =>
  generationOf(Number(/^([\d.]{1,5}) GT\/s/.exec(text ?? "")?.[1] ?? Number.NaN));

/** By GT/s of a lane. */
export function generationOf(speed: number): number | null {
  const index = LANE_SPEEDS.indexOf(speed);
  return index < 0 ? null : index + 1;
}

/** The kernel writes 0 for a link that is down, 63 or 255 where the device does not answer. */
export const parseLinkWidth = (text: string | null): number | null => plausible("pcie_width", parseNatural(text));
