import { round1 } from "../../local/files.ts";
import type { GpuUse, GpuUses } from "../../local/process_rows.ts";
import { busiest, type DrmUse } from "../drm/clients.ts";
import type { AmdCard } from "./card.ts";
import type { KfdUse } from "./kfd.ts";

type UsedCard = Pick<AmdCard, "pci" | "uuid" | "index"> & { readonly sharesMemory: boolean };

/**
 * Which process uses which card. What draws and codes is known by its open files, what computes with ROCm by the driver
 * for that, which does not say how busy it is; what does both is one use.
 */
export function usesOf(cards: readonly UsedCard[], drm: readonly DrmUse[], kfd: readonly KfdUse[]): GpuUses {
  const uses = new Map<number, GpuUse[]>();
  const pids = new Set([...drm, ...kfd].map(({ pid }) => pid));
  for (const pid of pids) {
    const ofPid = cards.flatMap((card) => {
      const file = drm.find((use) => use.pid === pid && use.pci === card.pci);
      const compute = kfd.find((use) => use.pid === pid && isOn(card, use.pci));
      return file || compute ? [useOf(card, file, compute)] : [];
    });
    if (ofPid.length > 0) uses.set(pid, ofPid);
  }
  return uses;
}

/** Of a card in partitions the function counts these. */
const isOn = (card: UsedCard, pci: string): boolean => card.pci === pci || card.pci === pci.replace(/\d$/, "0");

function useOf(card: UsedCard, file: DrmUse | undefined, compute: KfdUse | undefined): GpuUse {
  const percent = file === undefined ? null : busiest(file.engines);
  return {
    device_id: card.index,
    device_uuid: card.uuid,
    used_memory: most(file === undefined ? null : memoryOf(file, card.sharesMemory), compute?.vram ?? null),
    gpu_utilization: percent === null ? null : round1(percent),
  };
}

/** Of the memory that the card's row counts. */
function memoryOf({ memory }: DrmUse, withGtt: boolean): number | null {
  const vram = memory.get("vram");
  return vram === undefined ? null : vram + (withGtt ? (memory.get("gtt") ?? 0) : 0);
}

/** Newer kernels count memory of ROCm under both. */
const most = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);
