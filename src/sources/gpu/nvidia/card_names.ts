import { Tree } from "../../local/files.ts";
import { databaseName, marketingName, withMaker } from "../../product_names.ts";
import { parsePciId } from "../drm/cards.ts";
import type { NvidiaCard } from "./card.ts";

const NVIDIA = "10de";
const UNNAMED = "NVIDIA GPU";

/** Names for cards that the driver knows only by the number of their board: it is older than they are, mostly. */
export class CardNames {
  readonly #tree: Tree;
  /** By PCI address. */
  readonly #names = new Map<string, string>();

  constructor(root: string) {
    this.#tree = new Tree(root);
  }

  named(card: NvidiaCard): NvidiaCard {
    const { name, detail } = card.row;
    if (name === "" || marketingName(name) !== null) return card;
    return { ...card, row: { ...card.row, name: this.#find(card.pci), detail: { ...detail, part_number: name } } };
  }

  #find(pci: string): string {
    const known = this.#names.get(pci);
    if (known !== undefined) return known;
    const device = parsePciId(this.#tree.text(`/sys/bus/pci/devices/${pci}/device`));
    const found = device === null ? null : databaseName(this.#tree, NVIDIA, device);
    const name = found === null ? UNNAMED : withMaker("NVIDIA", found);
    this.#names.set(pci, name);
    return name;
  }
}
