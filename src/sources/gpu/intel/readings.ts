import { highest, type Tree } from "../../local/files.ts";
import { firstWatts, readCelsius } from "../../local/hwmon.ts";
import { plausible } from "../../plausible.ts";
import { type PcieLink, readLink } from "../drm/pcie.ts";
import type { IntelCard } from "./card.ts";
import { type ClockFiles, readThrottle } from "./clocks.ts";

/** What moves, read in every cycle. Units as in the frame. */
export interface FastReading {
  /** When it was read, on the cycles' clock. */
  readonly at_ms: number;
  /** 0: it sleeps. */
  readonly clock_mhz: number | null;
  readonly media_mhz: number | null;
  /** By each counter. */
  readonly energies_uj: readonly (number | null)[];
  readonly temperature: number | null;
  readonly memory_temperature: number | null;
  readonly fan_rpm: number | null;
  readonly throttle: readonly string[] | null;
}

/** What seldom changes. */
export interface SlowReading {
  readonly link: PcieLink;
  readonly clock_max_mhz: number | null;
  readonly media_max_mhz: number | null;
  readonly power_limit_w: number | null;
  readonly power_limit_default_w: number | null;
  /** Of the temperature that the row shows. */
  readonly slowdown: number | null;
  readonly shutdown: number | null;
}

/** One file after the other: a card that hangs shall hold one thread and no more. */
export async function readFast(tree: Tree, { gts, sensors }: IntelCard, at_ms: number): Promise<FastReading> {
  const fans: (number | null)[] = [];
  for (const fan of sensors.fans_rpm) fans.push(plausible("rpm", await tree.naturalLater(fan)));
  const energies_uj: (number | null)[] = [];
  for (const file of sensors.energies) energies_uj.push(plausible("amount", await tree.naturalLater(file)));
  return {
    at_ms,
    clock_mhz: await readClock(tree, gts.main?.clock, "actual"),
    media_mhz: await readClock(tree, gts.media?.clock, "actual"),
    energies_uj,
    temperature: await celsius(tree, sensors.package, "input", "chip_celsius"),
    memory_temperature: await celsius(tree, sensors.memory, "input", "chip_celsius"),
    fan_rpm: fastest(fans),
    throttle: await readThrottle(tree, gts.main?.throttle ?? null),
  };
}

export async function readSlow(tree: Tree, { link, gts, sensors }: IntelCard): Promise<SlowReading> {
  return {
    link: await readLink(tree, link),
    clock_max_mhz: await readClock(tree, gts.main?.clock, "maximum"),
    media_max_mhz: await readClock(tree, gts.media?.clock, "maximum"),
    power_limit_w: await firstWatts(tree, sensors.power_limits),
    power_limit_default_w: await firstWatts(tree, sensors.power_limits_default),
    slowdown: await celsius(tree, sensors.package, "crit", "limit_celsius"),
    shutdown: await celsius(tree, sensors.package, "emergency", "limit_celsius"),
  };
}

/** Where one does not answer nobody knows: beside the one fan of a card there can be two that are none, and say 0. */
const fastest = (fans: readonly (number | null)[]): number | null => (fans.includes(null) ? null : highest(fans));

async function readClock(tree: Tree, files: ClockFiles | undefined, which: keyof ClockFiles): Promise<number | null> {
  return files === undefined ? null : plausible("megahertz", await tree.naturalLater(files[which]));
}

async function celsius(
  tree: Tree,
  sensor: string | null,
  which: string,
  what: "chip_celsius" | "limit_celsius",
): Promise<number | null> {
  const degrees = sensor === null ? null : await readCelsius(tree, `${sensor}_${which}`, what);
  return degrees === null ? null : Math.round(degrees);
}

type Energy = Pick<FastReading, "at_ms" | "energies_uj">;

/** The power of a card by its counters, of which one may stand: the first that was seen to count is taken from then on. */
export class EnergyMeter {
  #before: Energy | null = null;
  #counter: number | null = null;

  /** Watts since the last reading; `null` where one is missing, the counter stands, or began anew. */
  power(now: Energy | null): number | null {
    const before = this.#before;
    this.#before = now;
    if (before === null || now === null) return null;
    const powers = now.energies_uj.map((_, counter) => powerBetween(before, now, counter));
    const first = powers.findIndex((power) => power !== null);
    if (this.#counter === null || (first >= 0 && first < this.#counter)) this.#counter = first < 0 ? null : first;
    return powers[this.#counter ?? 0] ?? null;
  }
}

function powerBetween(before: Energy, now: Energy, counter: number): number | null {
  const [earlier, later] = [before.energies_uj[counter] ?? null, now.energies_uj[counter] ?? null];
  const passed_ms = now.at_ms - before.at_ms;
  if (earlier === null || later === null || passed_ms <= 0) return null;
  const power_w = plausible("watts", (later - earlier) / passed_ms, 1000);
  return power_w === null ? null : Math.round(power_w * 1000) / 1000;
}
