/** A MIG instance in `nvidia-smi -L`. */
export interface ListedInstance {
  readonly device: number;
  readonly profile: string;
  readonly uuid: string;
}

/**
 * The MIG instances of each card, by the card's UUID, as `nvidia-smi -L` lists them:
 *
 *     GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-…)
 *       MIG 3g.40gb     Device  0: (UUID: MIG-…)
 */
export function parseList(text: string): ReadonlyMap<string, readonly ListedInstance[]> {
  const cards = new Map<string, ListedInstance[]>();
  let instances: ListedInstance[] = [];
  for (const line of text.split("\n")) {
    const [, card] = /^GPU \d+: .*\(UUID: (GPU-[^)]{1,100})\)/.exec(line) ?? [];
    if (card !== undefined) {
      instances = [];
      cards.set(card, instances);
    }
    const [, profile, device, uuid] = /^ +MIG (\S+) +Device +(\d+): \(UUID: (MIG-[^)]{1,100})\)/.exec(line) ?? [];
    if (profile !== undefined && device !== undefined && uuid !== undefined) {
      instances.push({ device: Number(device), profile, uuid });
    }
  }
  return cards;
}
