import type { Tree } from "./local/files.ts";
import { knownText } from "./plausible.ts";

/** What makers call a board among themselves, and what stands in the place of a name. */
const PART_NUMBERS: readonly RegExp[] = [
  // Boards of NVIDIA: P1001-B01, PG506-230, 900-21001-0000-000; of a Jetson: p3737-0000+p3701-0000.
  /^(?:P\d{4}-\w{2,4}|PG\d{3}(?:-\w{2,4})?)(?:[ +-].*)?$/i,
  // Of AMD: 102-G30211-00, 113-D65201-046 (a VBIOS), D65201.
  /^\d{3}-\w{5,}(?:-.*)?$/,
  /^[A-Z]\d{5,}[A-Z]?(?:-.*)?$/i,
  // An id of a PCI device, alone or with its vendor's.
  /^0x[0-9a-f]+$/i,
  /^[0-9a-f]{4}:[0-9a-f]{4}$/i,
  /^(?:graphics )?device(?: [0-9a-f]{4})?$/i,
  /^<+null>+$/i,
];

const MAKER = /^(?:NVIDIA|AMD|Intel)(?: Corporation)?\s+/i;
/** Drivers put it before a board's number as well: `Tesla PG503-216`. */
const BRAND = /^(?:Tesla|Quadro|GeForce|GRID|Instinct|Radeon)\s+/i;

/**
 * What people call a card; `null` where a text is none of that, but a number of a part. Of `Navi 31 [Radeon RX 7900 XTX]`,
 * as the PCI database writes it, it is what stands in brackets.
 */
export function marketingName(text: string | null | undefined): string | null {
  const known = knownText(text);
  const name = knownText(/\[([^\]]+)\]\s*$/.exec(known ?? "")?.[1]) ?? known;
  const bare = name?.replace(MAKER, "").replace(BRAND, "") ?? "";
  return bare === "" || PART_NUMBERS.some((pattern) => pattern.test(bare)) ? null : name;
}

/** With its maker's name before it, as all vendors' tools write it by now. */
export const withMaker = (maker: "NVIDIA" | "AMD" | "Intel", name: string): string =>
  new RegExp(`\\b${maker}\\b`, "i").test(name) ? name : `${maker} ${name}`;

/** Where distributions keep the PCI database. */
const DATABASES = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/usr/share/pci.ids"];

/** What the PCI database of the machine calls a device; ids are lower-case hexadecimal digits: `10de`, `20b5`. */
export function databaseName(tree: Tree, vendor: string, device: string): string | null {
  for (const file of DATABASES) {
    const text = tree.text(file);
    if (text !== null) return marketingName(findInDatabase(text, vendor, device));
  }
  return null;
}

/** Lines of a vendor, then of each of its devices behind a tab: `20b5  GA100 [A100 PCIe 80GB]`. */
export function findInDatabase(database: string, vendor: string, device: string): string | null {
  const start = database.search(new RegExp(`^${vendor}  `, "m"));
  if (start < 0) return null;
  const rest = database.slice(database.indexOf("\n", start) + 1);
  const end = rest.search(/^[0-9a-fA-F]/m);
  const own = end < 0 ? rest : rest.slice(0, end);
  return new RegExp(`^\\t${device}  (.+)$`, "m").exec(own)?.[1]?.trim() ?? null;
}
