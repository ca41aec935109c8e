import type { Tree } from "../../local/files.ts";
import { readCelsius, readWatts } from "../../local/hwmon.ts";
import type { DrmCard } from "../drm/cards.ts";
import { type GpuMetrics, parseMetrics } from "./metrics.ts";
import type { Sensors } from "./sensors.ts";

/** What moves, read in every cycle. Units as in the frame. */
export interface FastReading {
  readonly metrics: GpuMetrics | null;
  readonly busy: number | null;
  readonly memory_busy: number | null;
  readonly vram_used: number | null;
  readonly gtt_used: number | null;
  readonly edge: number | null;
  readonly hotspot: number | null;
  readonly memory: number | null;
  readonly power_w: number | null;
  readonly fan_rpm: number | null;
  readonly fan_percent: number | null;
  readonly gfxclk_mhz: number | null;
  readonly uclk_mhz: number | null;
}

/**
 * One file after the other: behind most of them the driver asks the card's firmware, and a card that hangs shall hold
 * one thread and no more. What is in `gpu_metrics`, and the same there, is not asked for again; the clocks of a card that
 * sleeps between two pictures are not the same there.
 */
export async function readFast(tree: Tree, { folder }: DrmCard, sensors: Sensors): Promise<FastReading> {
  const metrics = parseMetrics(await tree.bytesLater(`${folder}gpu_metrics`));
  return {
    metrics,
    busy: parsePercent(await tree.naturalLater(`${folder}gpu_busy_percent`)) ?? metrics?.gfx_busy ?? null,
    memory_busy: metrics?.memory_busy ?? parsePercent(await tree.naturalLater(`${folder}mem_busy_percent`)),
    // The driver's own books.
    vram_used: tree.natural(`${folder}mem_info_vram_used`),
    gtt_used: tree.natural(`${folder}mem_info_gtt_used`),
    edge: metrics?.edge ?? (await celsius(tree, sensors.edge)),
    hotspot: metrics?.hotspot ?? (await celsius(tree, sensors.hotspot)),
    memory: metrics?.memory ?? (await celsius(tree, sensors.memory)),
    power_w: metrics?.power ?? (await watts(tree, sensors.power)),
    fan_rpm: (await natural(tree, sensors.fan_rpm)) ?? metrics?.fan_rpm ?? null,
    fan_percent: fanPercent(await natural(tree, sensors.pwm)),
    gfxclk_mhz: megahertz(await natural(tree, input(sensors.gfxclk))) ?? metrics?.gfxclk ?? null,
    uclk_mhz: megahertz(await natural(tree, input(sensors.uclk))) ?? metrics?.uclk ?? null,
  };
}

const input = (sensor: string | null): string | null => (sensor === null ? null : `${sensor}_input`);

const natural = async (tree: Tree, file: string | null): Promise<number | null> =>
  file === null ? null : await tree.naturalLater(file);

/** The second die of an MI250 says 0 W, as only the first one knows; and nothing that answers draws nothing. */
const watts = async (tree: Tree, file: string | null): Promise<number | null> =>
  file === null ? null : (await readWatts(tree, file)) || null;

async function celsius(tree: Tree, sensor: string | null): Promise<number | null> {
  const degrees = sensor === null ? null : await readCelsius(tree, `${sensor}_input`);
  return degrees === null || degrees < 0 || degrees > 250 ? null : Math.round(degrees);
}

const parsePercent = (percent: number | null): number | null => (percent !== null && percent <= 100 ? percent : null);

const fanPercent = (pwm: number | null): number | null =>
  pwm === null || pwm > 255 ? null : Math.round((100 * pwm) / 255);

const megahertz = (hertz: number | null): number | null =>
  hertz === null || hertz > 1e10 ? null : Math.round(hertz / 1e6);
