import { parseNatural, type Tree } from "../../local/files.ts";
import { plausible } from "../../plausible.ts";

/** Memory that a program of ROCm has on a card. */
export interface KfdUse {
  readonly pid: number;
  /** PCI address of the card. */
  readonly pci: string;
  readonly vram: number | null;
}

const KFD = "/sys/class/kfd/kfd";

/**
 * The programs that compute by way of `/dev/kfd`, which everybody may see, also other users' and those of other
 * containers: `Documentation/ABI` has nothing of it, the driver's kfd_process.c makes these files.
 */
export class KfdProcesses {
  readonly #tree: Tree;
  /** PCI addresses by the driver's numbers for cards and their partitions, which last as long as the driver. */
  #cards: ReadonlyMap<string, string> = new Map();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  uses(): KfdUse[] {
    const pids = this.#tree.names(`${KFD}/proc`).map(parseNatural);
    const uses: KfdUse[] = [];
    for (const pid of pids) if (pid !== null) uses.push(...this.#usesOf(pid));
    return uses;
  }

  #usesOf(pid: number): KfdUse[] {
    const folder = `${KFD}/proc/${pid}`;
    const uses = new Map<string, number | null>();
    for (const file of this.#tree.names(folder)) {
      const number = /^vram_(\d+)$/.exec(file)?.[1];
      const pci = number === undefined ? undefined : this.#cardOf(number);
      if (pci === undefined) continue;
      const bytes = plausible("bytes", this.#tree.natural(`${folder}/${file}`));
      uses.set(pci, bytes === null ? (uses.get(pci) ?? null) : bytes + (uses.get(pci) ?? 0));
    }
    // It opens all cards at once, and has nothing on those that it leaves alone.
    return [...uses].filter(([, vram]) => vram !== 0).map(([pci, vram]) => ({ pid, pci, vram }));
  }

  #cardOf(number: string): string | undefined {
    if (!this.#cards.has(number)) this.#cards = readTopology(this.#tree);
    return this.#cards.get(number);
  }
}

function readTopology(tree: Tree): Map<string, string> {
  const nodes = `${KFD}/topology/nodes`;
  const cards = new Map<string, string>();
  for (const node of tree.names(nodes)) {
    const number = tree.text(`${nodes}/${node}/gpu_id`);
    const pci = parseLocation(tree.text(`${nodes}/${node}/properties`));
    if (number !== null && number !== "0" && pci !== null) cards.set(number, pci);
  }
  return cards;
}

/**
 * Lines of `name number`: `location_id` is bus, device and function in one number. Of a card in partitions the function
 * counts these.
 */
export function parseLocation(properties: string | null): string | null {
  const value = (name: string): number | null =>
    parseNatural(new RegExp(`^${name} (\\d{1,10})$`, "m").exec(properties ?? "")?.[1] ?? null);
  const location = value("location_id");
  if (location === null) return null;
  const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0");
  return `${hex(value("domain") ?? 0, 4)}:${hex((location >> 8) & 0xff, 2)}:${hex((location >> 3) & 0x1f, 2)}.${location & 7}`;
}
