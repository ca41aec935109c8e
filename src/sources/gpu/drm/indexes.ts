import type { Tree } from "../../local/files.ts";
import { pciAddress } from "../registry.ts";

/**
 * Numbers for cards of drivers that give them none. A machine can have those of several vendors, and events name a card
 * by its number: NVIDIA's are numbered by its driver from 0 on, the others follow.
 */
export class CardIndexes {
  readonly #tree: Tree;
  #given = 0;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  next(): number {
    const devices = this.#tree.names("/sys/bus/pci/drivers/nvidia");
    const ofNvidia = devices.filter((name) => pciAddress(name) === name).length;
    return ofNvidia + this.#given++;
  }
}
