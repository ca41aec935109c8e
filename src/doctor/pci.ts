import type { Files } from "./files.ts";
import { count } from "./words.ts";

/** A GPU on the PCI bus, with or without a driver: Documentation/PCI/sysfs-pci.rst of the kernel. */
export interface PciCard {
  /** `0000:06:00.0` */
  readonly address: string;
  /** `0x10de`, … */
  readonly vendor: string;
  /** `0x2330` */
  readonly device: string;
  /** The driver that has it; `null`: none. */
  readonly driver: string | null;
  /** `/sys/bus/pci/devices/0000:06:00.0` */
  readonly folder: string;
  /** `renderD128`, where there is one. */
  readonly renderNode: string | null;
}

const DEVICES = "/sys/bus/pci/devices";
/** Class codes of the PCI specification: display controllers, and the accelerators that data-centre cards are. */
const GPU_CLASSES = /^0x(03|12)/;

/** Those of a vendor, in the order of their addresses. */
export function pciCards(files: Files, vendor: string): PciCard[] {
  return files.names(DEVICES).flatMap((address) => {
    const folder = `${DEVICES}/${address}`;
    if (files.text(`${folder}/vendor`) !== vendor) return [];
    if (!GPU_CLASSES.test(files.text(`${folder}/class`) ?? "")) return [];
    return [
      {
        address,
        vendor,
        device: files.text(`${folder}/device`) ?? "",
        driver: files.linkName(`${folder}/driver`),
        folder,
        renderNode: files.names(`${folder}/drm`).find((name) => name.startsWith("renderD")) ?? null,
      },
    ];
  });
}

const SHOWN = 4;

/** `2 cards on the PCI bus (0000:06:00.0, 0000:07:00.0)` */
export function cardWords(cards: readonly PciCard[]): string {
  const addresses = cards.map(({ address }) => address);
  const shown = addresses.length > SHOWN ? [...addresses.slice(0, SHOWN - 1), "…"] : addresses;
  return `${count(cards.length, "card")} on the PCI bus (${shown.join(", ")})`;
}
