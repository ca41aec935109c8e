import type { Tree } from "../../local/files.ts";
import { databaseName, marketingName, withMaker } from "../../product_names.ts";
import type { DrmCard } from "../drm/cards.ts";

/** What libdrm, or AMD's own driver package, brings: lines of `device, revision, name`. */
const LISTS = ["/usr/share/libdrm/amdgpu.ids", "/opt/amdgpu/share/libdrm/amdgpu.ids"];

/** For machines without such a list, which are servers: by PCI device id. */
const NAMES: Readonly<Record<string, string>> = {
  "738c": "AMD Instinct MI100",
  "7408": "AMD Instinct MI250X",
  "740c": "AMD Instinct MI250X / MI250",
  "740f": "AMD Instinct MI210",
  "74a0": "AMD Instinct MI300A",
  "74a1": "AMD Instinct MI300X",
  "74a2": "AMD Instinct MI308X",
  "74a5": "AMD Instinct MI325X",
  "74a8": "AMD Instinct MI308X HF",
  "74a9": "AMD Instinct MI300X HF",
  "74b5": "AMD Instinct MI300X VF",
  "74b6": "AMD Instinct MI308X VF",
  "74b9": "AMD Instinct MI325X VF",
  "75a0": "AMD Instinct MI350X",
  "75a3": "AMD Instinct MI355X",
  "75b0": "AMD Instinct MI350X VF",
  "75b3": "AMD Instinct MI355X VF",
};

const AMD = "1002";

/**
 * Of a card by what it says itself (only servers' cards do, some of them no more than a number), or by its PCI ids; `""`
 * where it tells neither.
 */
export function nameOf(tree: Tree, { folder, device, revision }: DrmCard): string {
  const own = marketingName(tree.text(`${folder}product_name`));
  return own ?? (device === null ? "" : nameById(tree, device, revision));
}

function nameById(tree: Tree, device: string, revision: string | null): string {
  const own = listedName(tree, device, revision) ?? NAMES[device] ?? null;
  if (own !== null) return own;
  const found = databaseName(tree, AMD, device);
  return found === null ? `AMD GPU 0x${device}` : withMaker("AMD", found);
}

function listedName(tree: Tree, device: string, revision: string | null): string | null {
  for (const list of LISTS) {
    const name = findName(tree.text(list), device, revision);
    if (name !== null) return name;
  }
  return null;
}

/** One name can stand for several revisions, one device be sold under several names: both ids must fit. */
export function findName(list: string | null, device: string, revision: string | null): string | null {
  for (const line of list?.split("\n") ?? []) {
    const [, id, one, name] = /^([0-9a-f]{4}),\s*([0-9a-f]{1,2}),\s*(\S.*)$/i.exec(line) ?? [];
    if (id?.toLowerCase() === device && one?.toLowerCase().padStart(2, "0") === revision) return name?.trim() ?? null;
  }
  return null;
}
