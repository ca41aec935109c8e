import { sum, type Tree } from "../../local/files.ts";
import { plausible } from "../../plausible.ts";
import type { DrmCard } from "../drm/cards.ts";
import { linkFolder } from "../drm/pcie.ts";
import { SHARED_MEMORY } from "../shared_memory.ts";
import { findGts, type Gts } from "./clocks.ts";
import { isDiscrete, nameOf } from "./names.ts";
import { findSensors, type Sensors } from "./sensors.ts";

/** What is found out once of a card. Nothing of it wakes one that is asleep. */
export interface IntelCard extends DrmCard {
  readonly index: number;
  readonly uuid: string;
  readonly title: string;
  /** Part of the processor: its memory is that of the machine. */
  readonly isIntegrated: boolean;
  /** Bytes. */
  readonly memory_total: number | null;
  readonly detail: Readonly<Record<string, string>>;
  /** Where its PCIe link is read. */
  readonly link: string;
  readonly gts: Gts;
  readonly sensors: Sensors;
}

/** Ends of the PCIe switch that Arc cards have. Behind it the GPU says 2.5 GT/s and one lane, whatever there is. */
const SWITCH_PORTS = ["8086:4fa0", "8086:4fa1", "8086:4fa4", "8086:e2f0", "8086:e2ff"];

/** Where all of Intel's processors have their GPU; in a virtual machine a card can stand there too. */
const PROCESSORS_PLACE = "0000:00:02.0";

export function describeCard(tree: Tree, card: DrmCard, index: number): IntelCard {
  const memory_total = memoryOf(tree, card);
  const isIntegrated = card.pci === PROCESSORS_PLACE && memory_total === null && !isDiscrete(card);
  return {
    ...card,
    index,
    // The drivers show no number of its own.
    uuid: card.pci,
    title: nameOf(tree, card),
    isIntegrated,
    memory_total,
    detail: detailOf(tree, card, isIntegrated),
    link: linkFolder(tree, card, SWITCH_PORTS),
    gts: findGts(tree, card),
    sensors: findSensors(tree, card),
  };
}

/** Of all tiles with xe; with i915 only Intel's own package of it says. */
function memoryOf(tree: Tree, { folder, name }: DrmCard): number | null {
  const tiles = tree.names(folder.slice(0, -1)).filter((file) => /^tile\d$/.test(file));
  const sizes = tiles.map((tile) => tree.natural(`${folder}${tile}/physical_vram_size_bytes`));
  const known = sizes.map((size) => plausible("memory_size", size)).filter((size) => size !== null);
  if (known.length > 0) return known.length === sizes.length ? plausible("memory_size", sum(known)) : null;
  return plausible("memory_size", tree.natural(`/sys/class/drm/${name}/lmem_total_bytes`));
}

function detailOf(tree: Tree, { driver, pci, device, revision, subsystem }: DrmCard, isIntegrated: boolean) {
  const version = tree.text(`/sys/module/${driver}/version`);
  const kernel = tree.text("/proc/sys/kernel/osrelease");
  const detail: Record<string, string> = { Brand: "Intel", driver, pci_address: pci };
  if (device !== null) detail.device_id = `0x${device}`;
  const driverVersion = version ?? (kernel === null ? null : `Linux ${kernel}`);
  if (driverVersion !== null) detail["Driver Version"] = driverVersion;
  if (revision !== null) detail.revision = `0x${revision}`;
  if (subsystem !== null) detail.subsystem = subsystem;
  if (isIntegrated) detail.memory = SHARED_MEMORY;
  return detail;
}
