import { highest, type Tree } from "../../local/files.ts";
import { readCelsius, readWatts } from "../../local/hwmon.ts";
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
  readonly energy_uj: number | null;
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
  for (const fan of sensors.fans_rpm) fans.push(await tree.naturalLater(fan));
  return {
    at_ms,
    clock_mhz: await readClock(tree, gts.main?.clock, "actual"),
    media_mhz: await readClock(tree, gts.media?.clock, "actual"),
    energy_uj: sensors.energy === null ? null : await tree.naturalLater(sensors.energy),
    temperature: await celsius(tree, sensors.package, "input"),
    memory_temperature: await celsius(tree, sensors.memory, "input"),
    fan_rpm: fastest(fans),
    throttle: await readThrottle(tree, gts.main?.throttle ?? null),
  };
}

export async function readSlow(tree: Tree, { link, gts, sensors }: IntelCard): Promise<SlowReading> {
  return {
    link: await readLink(tree, link),
    clock_max_mhz: await readClock(tree, gts.main?.clock, "maximum"),
    media_max_mhz: await readClock(tree, gts.media?.clock, "maximum"),
    power_limit_w: await watts(tree, sensors.power_limit),
    power_limit_default_w: await watts(tree, sensors.power_limit_default),
    slowdown: await celsius(tree, sensors.package, "crit"),
    shutdown: await celsius(tree, sensors.package, "emergency"),
  };
}

/** Where one does not answer nobody knows: beside the one fan of a card there can be two that are none, and say 0. */
const fastest = (fans: readonly (number | null)[]): number | null =>
  fans.every((rpm) => rpm !== null && rpm < MOST_RPM) ? highest(fans) : null;

const MOST_RPM = 20_000;
const MOST_MHZ = 10_000;
const MOST_W = 2000;
const MOST_C = 250;

async function readClock(tree: Tree, files: ClockFiles | undefined, which: keyof ClockFiles): Promise<number | null> {
  const mhz = files === undefined ? null : await tree.naturalLater(files[which]);
  return mhz !== null && mhz < MOST_MHZ ? mhz : null;
}

async function celsius(tree: Tree, sensor: string | null, which: string): Promise<number | null> {
  const degrees = sensor === null ? null : await readCelsius(tree, `${sensor}_${which}`);
  return degrees !== null && degrees > 0 && degrees <= MOST_C ? Math.round(degrees) : null;
}

/** 0: no limit, which is not one of 0 W. */
async function watts(tree: Tree, file: string | null): Promise<number | null> {
  const limit = file === null ? null : await readWatts(tree, file);
  return limit !== null && limit > 0 && limit < MOST_W ? limit : null;
}

/** Watts between two readings; `null` where one is missing, or the counter began anew. */
export function powerBetween(before: FastReading | null, after: FastReading | null): number | null {
  if (before?.energy_uj == null || after?.energy_uj == null) return null;
  const [energy_uj, passed_ms] = [after.energy_uj - before.energy_uj, after.at_ms - before.at_ms];
  const power_w = energy_uj / 1000 / passed_ms;
  return passed_ms > 0 && power_w >= 0 && power_w < MOST_W ? Math.round(power_w * 1000) / 1000 : null;
}
