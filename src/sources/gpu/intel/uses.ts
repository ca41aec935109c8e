import { round1, sum, type Tree } from "../../local/files.ts";
import type { GpuUse, GpuUses } from "../../local/process_rows.ts";
import { busiest, type DrmUse } from "../drm/clients.ts";
import type { IntelCard } from "./card.ts";

/** All processes of the machine are seen: where the machine's first is its own, and may be looked at. */
const FIRST = "/proc/1/ns/pid";
/** The kernel gives the first namespace of processes this number: PROC_PID_INIT_INO in its proc_ns.h. */
const FIRST_NAMESPACE = "pid:[4026531836]";

/** Whether who uses a card is known of everybody. Others' open files are root's to see, and not from a container. */
export const seesAllProcesses = (tree: Tree): boolean => tree.link(FIRST) === FIRST_NAMESPACE;

/** Of the kinds of memory that a card has itself: `vram0` with xe, `local0` with i915. */
const OWN_MEMORY = /^(vram|local)\d*$/;

/** Bytes that a process has: in the card's own memory, or of an integrated one in the machine's. */
function memoryOf({ memory }: DrmUse, { isIntegrated }: IntelCard): number | null {
  const kinds = [...memory].filter(([kind]) => OWN_MEMORY.test(kind) !== isIntegrated && !kind.startsWith("stolen"));
  return kinds.length === 0 ? null : kinds.reduce((total, [, bytes]) => total + bytes, 0);
}

/** Which process uses which card. */
export function usesOf(cards: readonly IntelCard[], drm: readonly DrmUse[]): GpuUses {
  const uses = new Map<number, GpuUse[]>();
  for (const use of drm) {
    const card = cards.find(({ pci }) => pci === use.pci);
    if (card === undefined) continue;
    const percent = busiest(use.engines);
    const one: GpuUse = {
      device_id: card.index,
      device_uuid: card.uuid,
      used_memory: memoryOf(use, card),
      gpu_utilization: percent === null ? null : round1(percent),
    };
    uses.set(use.pid, [...(uses.get(use.pid) ?? []), one]);
  }
  return uses;
}

/** What all processes together do with a card; `null`: it is not known of all of them. */
export interface CardUse {
  /** Percent of the busiest kind of engine. */
  readonly utilization: number | null;
  /** Bytes of a card's own memory; of an integrated one never known. */
  readonly used_memory: number | null;
}

export const UNKNOWN_USE: CardUse = { utilization: null, used_memory: null };

/** The Linux since which open files tell of them: drm-usage-stats.rst as each driver came to follow it. */
const SINCE: Readonly<Record<string, { readonly engines: number; readonly memory: number }>> = {
  i915: { engines: 5.019, memory: 6.008 },
  xe: { engines: 6.011, memory: 6.008 },
};

/** `6.8.0-53-generic` as 6.008. */
export function parseKernel(release: string | null): number {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})/.exec(release ?? "") ?? [];
  return major === undefined ? 0 : Number(major) + Number(minor) / 1000;
}

/**
 * @param drm Of all processes.
 * @param kernel As {@link parseKernel} has it: where nobody is seen to use the card, an older one would not show them.
 */
export function useOfCard(card: IntelCard, drm: readonly DrmUse[], kernel: number): CardUse {
  const uses = drm.filter(({ pci }) => pci === card.pci);
  const since = SINCE[card.driver];
  if (uses.length === 0 && since !== undefined) {
    return {
      utilization: kernel >= since.engines ? 0 : null,
      used_memory: kernel >= since.memory && !card.isIntegrated ? 0 : null,
    };
  }
  return { utilization: togetherBusy(uses), used_memory: card.isIntegrated ? null : togetherUsed(uses, card) };
}

function togetherBusy(uses: readonly DrmUse[]): number | null {
  const engines = new Map<string, number>();
  for (const [name, percent] of uses.flatMap((use) => [...use.engines])) {
    engines.set(name, Math.min(100, (engines.get(name) ?? 0) + percent));
  }
  const percent = busiest(engines);
  return percent === null ? null : round1(percent);
}

/** What several share is counted with each of them. */
function togetherUsed(uses: readonly DrmUse[], card: IntelCard): number | null {
  const parts = uses.map((use) => memoryOf(use, card));
  const known = parts.filter((bytes) => bytes !== null);
  return known.length < parts.length ? null : Math.min(sum(known), card.memory_total ?? Number.MAX_SAFE_INTEGER);
}
