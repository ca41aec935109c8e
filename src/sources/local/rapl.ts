import { plausible } from "../plausible.ts";
import type { Tree } from "./files.ts";

/** An energy counter of one CPU package, in microjoules: Documentation/power/powercap/powercap.rst of the kernel. */
interface Domain {
  readonly energyFile: string;
  /** Where the counter starts again from 0. */
  readonly range_uj: number;
}

export interface EnergyReading {
  readonly at_ms: number;
  readonly energy_uj: number;
}

/** No package draws more: a difference above it is a counter that was reset (by a suspend) rather than one that wrapped. */
const HIGHEST_WATTS = 700;

/**
 * Mean power between two readings; `null` where the counter may have gone round more than once, was reset, or stands: in
 * a virtual machine there can be one that never moves.
 */
export function wattsBetween(before: EnergyReading, after: EnergyReading, range_uj: number): number | null {
  const elapsed_ms = after.at_ms - before.at_ms;
  if (elapsed_ms <= 0 || elapsed_ms * 1000 * HIGHEST_WATTS >= range_uj) return null;
  const moved = after.energy_uj - before.energy_uj;
  const energy_uj = moved < 0 ? moved + range_uj : moved;
  const watts = energy_uj / 1000 / elapsed_ms;
  return watts <= HIGHEST_WATTS ? plausible("watts", watts) : null;
}

/** Power of all CPU packages by their energy counters, which only root may read unless the machine's owner allows it. */
export class Rapl {
  readonly #tree: Tree;
  readonly #domains: readonly Domain[];
  #before: readonly (EnergyReading | null)[] = [];

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#domains = findPackages(tree);
  }

  get isPresent(): boolean {
    return this.#domains.length > 0;
  }

  /** Watts since the last call; `null` the first time, and where any package is unknown. */
  async read(at_ms: number): Promise<number | null> {
    const readings = await Promise.all(this.#domains.map(({ energyFile }) => this.#tree.naturalLater(energyFile)));
    const now = readings.map((reading) => {
      const energy_uj = plausible("amount", reading);
      return energy_uj === null ? null : { at_ms, energy_uj };
    });
    const watts = this.#domains.map(({ range_uj }, i) => {
      const [before, after] = [this.#before[i], now[i]];
      return before && after ? wattsBetween(before, after, range_uj) : null;
    });
    this.#before = now;
    return watts.reduce((total, value) => (total === null || value === null ? null : total + value), 0);
  }
}

/** `intel-rapl:N`, on AMD too; `intel-rapl-mmio:N` counts the same energy again, `psys` is more than the CPU. */
function findPackages(tree: Tree): Domain[] {
  const folder = "/sys/class/powercap";
  return tree
    .names(folder)
    .filter((name) => /^intel-rapl:\d+$/.test(name))
    .filter((name) => tree.text(`${folder}/${name}/name`)?.startsWith("package-"))
    .flatMap((name) => {
      const energyFile = `${folder}/${name}/energy_uj`;
      const range_uj = tree.natural(`${folder}/${name}/max_energy_range_uj`);
      return range_uj !== null && tree.isReadable(energyFile) ? [{ energyFile, range_uj }] : [];
    });
}
