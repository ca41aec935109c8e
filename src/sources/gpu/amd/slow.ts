import { highest, parseNatural, type Tree } from "../../local/files.ts";
import { firstWatts, readCelsius } from "../../local/hwmon.ts";
import { knownPartition, plausible } from "../../plausible.ts";
import type { DrmCard } from "../drm/cards.ts";
import { type PcieLink, readLink } from "../drm/pcie.ts";
import { readPowerRange } from "./card.ts";
import { type RasCounts, readRas } from "./ras.ts";
import type { Sensors } from "./sensors.ts";

/** What seldom changes, or what nobody looks at by the second. Units as in the frame. */
export interface SlowReading extends RasCounts {
  readonly link: PcieLink;
  readonly replays: number | null;
  readonly gfxclk_max_mhz: number | null;
  readonly uclk_max_mhz: number | null;
  readonly vclk_max_mhz: number | null;
  readonly power_cap_w: number | null;
  /** For `detail`: what the limit can be set to. */
  readonly power_range: Readonly<Record<string, string>>;
  /** Of that temperature which the row shows. */
  readonly slowdown: number | null;
  readonly shutdown: number | null;
  readonly compute_partition: string | null;
  readonly memory_partition: string | null;
}

export async function readSlow(tree: Tree, { folder }: DrmCard, sensors: Sensors, link: string): Promise<SlowReading> {
  const highestClock = async (domain: string): Promise<number | null> =>
    highestLevel(await tree.textLater(`${folder}pp_dpm_${domain}`));
  const shown = sensors.edge ?? sensors.hotspot;
  return {
    link: await readLink(tree, link),
    replays: plausible("count", await tree.naturalLater(`${folder}pcie_replay_count`)),
    gfxclk_max_mhz: await highestClock("sclk"),
    uclk_max_mhz: await highestClock("mclk"),
    vclk_max_mhz: await highestClock("vclk"),
    power_cap_w: await firstWatts(tree, sensors.power_limits),
    power_range: await readPowerRange(tree, sensors),
    slowdown: await threshold(tree, shown, "crit"),
    shutdown: await threshold(tree, shown, "emergency"),
    compute_partition: knownPartition(await tree.textLater(`${folder}current_compute_partition`)),
    memory_partition: knownPartition(await tree.textLater(`${folder}current_memory_partition`)),
    ...(await readRas(tree, folder)),
  };
}

async function threshold(tree: Tree, sensor: string | null, which: string): Promise<number | null> {
  const degrees = sensor === null ? null : await readCelsius(tree, `${sensor}_${which}`, "limit_celsius");
  return degrees === null ? null : Math.round(degrees);
}

/**
 * MHz of the fastest level of a clock: `2: 2219Mhz *`. The one in use, with the asterisk, can be listed out of order, in
 * deep sleep as `S: 132Mhz *`; a clock that does not run has levels of 0.
 */
export function highestLevel(text: string | null): number | null {
  const levels = (text ?? "").split("\n").map((line) => parseNatural(/^\w+: (\d+)Mhz/i.exec(line.trim())?.[1] ?? null));
  return highest(levels.map((level) => plausible("megahertz_max", level)));
}
