import type { Tree } from "../../local/files.ts";
import { readWatts } from "../../local/hwmon.ts";
import { knownId, knownText, plausible } from "../../plausible.ts";
import type { DrmCard } from "../drm/cards.ts";
import { linkFolder } from "../drm/pcie.ts";
import { nameOf } from "./names.ts";
import { findSensors, type Sensors } from "./sensors.ts";

/** What is found out once of a card. Nothing of it wakes one that is asleep. */
export interface AmdCard extends DrmCard {
  readonly index: number;
  readonly uuid: string;
  readonly title: string;
  /** 0: it has none, as it takes all from the machine. */
  readonly vram_total: number | null;
  readonly gtt_total: number | null;
  readonly detail: Readonly<Record<string, string>>;
  /** Where its PCIe link is read. */
  readonly link: string;
  readonly sensors: Sensors;
}

/** Ends of the PCIe switch that cards from Vega on have. */
const SWITCH_PORTS = ["1002:1470", "1002:1471", "1002:1478", "1002:1479"];

export function describeCard(tree: Tree, card: DrmCard, index: number): AmdCard {
  const { folder } = card;
  const hasNoVram = tree.natural(`${folder}mem_info_vram_total`) === 0;
  const total = (kind: string): number | null =>
    plausible("memory_size", tree.natural(`${folder}mem_info_${kind}_total`));
  return {
    ...card,
    index,
    uuid: parseUniqueId(tree.text(`${folder}unique_id`)) ?? card.pci,
    title: nameOf(tree, card),
    vram_total: hasNoVram && total("gtt") !== null ? 0 : total("vram"),
    gtt_total: total("gtt"),
    detail: detailOf(tree, card),
    link: linkFolder(tree, card, SWITCH_PORTS),
    sensors: findSensors(tree, card),
  };
}

/** As ROCm writes it: `GPU-946d7e1ef9b172dd`. */
export function parseUniqueId(text: string | null): string | null {
  const id = /^(?:0x)?([0-9a-f]{16})$/i.exec(text ?? "")?.[1]?.toLowerCase();
  return knownId(id) === null ? null : `GPU-${id}`;
}

function detailOf(tree: Tree, { folder, pci, device, revision, subsystem }: DrmCard): Record<string, string> {
  const version = tree.text("/sys/module/amdgpu/version");
  const kernel = tree.text("/proc/sys/kernel/osrelease");
  return withoutUnknown({
    // The kernel's own has none; AMD's package of it has.
    "Driver Version": version ?? (kernel === null ? null : `Linux ${kernel}`),
    Brand: "AMD",
    pci_address: pci,
    device_id: hexadecimal(device),
    revision: hexadecimal(revision),
    subsystem,
    vbios_version: knownText(tree.text(`${folder}vbios_version`)),
    vram_vendor: knownText(tree.text(`${folder}mem_info_vram_vendor`)),
  });
}

const hexadecimal = (id: string | null): string | null => (id === null ? null : `0x${id}`);

export function withoutUnknown(detail: Readonly<Record<string, string | null>>): Record<string, string> {
  const known = Object.entries(detail).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(known);
}

/** What a card may draw, under the names that other vendors' have. */
export async function readPowerRange(tree: Tree, sensors: Sensors): Promise<Record<string, string>> {
  const watts = async (file: string | null): Promise<string | null> => {
    const value = file === null ? null : await readWatts(tree, file, "watts");
    return value?.toFixed(2) ?? null;
  };
  return withoutUnknown({
    power_limit_default: await watts(sensors.power_cap_default),
    power_limit_min: await watts(sensors.power_cap_min),
    power_limit_max: await watts(sensors.power_cap_max),
  });
}
