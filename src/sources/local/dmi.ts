import type { Tree } from "./files.ts";

/** What firmware says where its maker filled in nothing. */
const PLACEHOLDER =
  /^(to be filled by o\.?e\.?m\.?|default string|not (specified|applicable|available)|system (product name|version|manufacturer)|none|n\/a|unknown|empty|invalid|0+|x\.x|\.+)$/i;

const DMI = "/sys/class/dmi/id/";

/** Names of the machine by SMBIOS; a machine without one has a device tree. */
export function readMachineNames(tree: Tree): Record<string, string> {
  const name = (file: string): string | null => {
    const text = tree.text(DMI + file);
    return text === null || PLACEHOLDER.test(text) ? null : text;
  };
  const board = [name("board_vendor"), name("board_name")].filter((part) => part !== null).join(" ");
  const names: Record<string, string | null> = {
    "Product Name": name("product_name") ?? deviceTreeModel(tree),
    Vendor: name("sys_vendor"),
    Board: board || null,
    Version: name("product_version"),
    "BIOS Version": name("bios_version"),
    platform: "Linux",
  };
  const known: Record<string, string> = {};
  for (const [key, value] of Object.entries(names)) if (value !== null) known[key] = value;
  return known;
}

/** The model by which a device tree names the machine (a board, mostly). */
export const deviceTreeModel = (tree: Tree): string | null =>
  tree.text("/proc/device-tree/model")?.replaceAll("\0", "") || null;
