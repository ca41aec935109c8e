import { round1, type Tree } from "../../local/files.ts";
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

/** What all processes together do with a card. */
export interface CardUse {
  /** Percent of the busiest kind of engine. */
  readonly utilization: number;
  /** Bytes of a card's own memory; `null` for an integrated one. */
  readonly used_memory: number | null;
}

export function useOfCard(card: IntelCard, drm: readonly DrmUse[]): CardUse {
  const engines = new Map<string, number>();
  let used = 0;
  for (const use of drm.filter(({ pci }) => pci === card.pci)) {
    used += memoryOf(use, card) ?? 0;
    for (const [name, percent] of use.engines) engines.set(name, Math.min(100, (engines.get(name) ?? 0) + percent));
  }
  // What several share is counted with each of them.
  const used_memory = card.isIntegrated ? null : Math.min(used, card.memory_total ?? used);
  return { utilization: round1(busiest(engines) ?? 0), used_memory };
}
