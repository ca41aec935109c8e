import type { Tree } from "../../local/files.ts";
import { pciAddress } from "../registry.ts";
import { findCards } from "./cards.ts";

/** In this order, whoever asks first. */
const DRIVERS = [["amdgpu"], ["i915", "xe"]];

const NVIDIA = "0x10de";
const DISPLAY_CLASS = "0x03";

/**
 * Numbers for cards of drivers that give them none. A machine can have those of several vendors, and events name a card
 * by its number: NVIDIA's are numbered by its driver from 0 on, also where it is loaded later; then come AMD's, then
 * Intel's, each by PCI address. A card keeps its number, and one that comes later gets one that nobody had.
 */
export class CardIndexes {
  readonly #tree: Tree;
  readonly #given = new Map<string, number>();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** Of the card at this PCI address. */
  of(pci: string): number {
    const known = this.#given.get(pci);
    if (known !== undefined) return known;
    const taken = new Set(this.#given.values());
    let index = this.#countNvidia() + this.#position(pci);
    while (taken.has(index)) index++;
    this.#given.set(pci, index);
    return index;
  }

  #position(pci: string): number {
    const cards = DRIVERS.flatMap((drivers) => findCards(this.#tree, drivers));
    const position = cards.findIndex((card) => card.pci === pci);
    return position < 0 ? cards.length : position;
  }

  /** Those that its driver has, or will have when it is loaded. */
  #countNvidia(): number {
    const bound = this.#tree.names("/sys/bus/pci/drivers/nvidia").filter((name) => pciAddress(name) === name);
    const devices = this.#tree.names("/sys/bus/pci/devices").filter((name) => this.#isFreeNvidia(name));
    return new Set([...bound, ...devices]).size;
  }

  #isFreeNvidia(device: string): boolean {
    const folder = `/sys/bus/pci/devices/${device}`;
    const isNvidia = this.#tree.text(`${folder}/vendor`) === NVIDIA;
    if (!isNvidia || !this.#tree.text(`${folder}/class`)?.startsWith(DISPLAY_CLASS)) return false;
    return this.#tree.link(`${folder}/driver`) === null;
  }
}
