import type { Tree } from "../../local/files.ts";
import { firstWatts, readCelsius } from "../../local/hwmon.ts";
import { plausible, plausibleWhole } from "../../plausible.ts";
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
    busy: plausible("percent", await tree.naturalLater(`${folder}gpu_busy_percent`)) ?? metrics?.gfx_busy ?? null,
    memory_busy: metrics?.memory_busy ?? plausible("percent", await tree.naturalLater(`${folder}mem_busy_percent`)),
    // The driver's own books.
    vram_used: plausible("bytes", tree.natural(`${folder}mem_info_vram_used`)),
    gtt_used: plausible("bytes", tree.natural(`${folder}mem_info_gtt_used`)),
    edge: metrics?.edge ?? (await celsius(tree, sensors.edge)),
    hotspot: metrics?.hotspot ?? (await celsius(tree, sensors.hotspot)),
    memory: metrics?.memory ?? (await celsius(tree, sensors.memory)),
    power_w: metrics?.power ?? (await firstWatts(tree, sensors.power)),
    fan_rpm: plausible("rpm", await natural(tree, sensors.fan_rpm)) ?? metrics?.fan_rpm ?? null,
    fan_percent: plausibleWhole("percent", await natural(tree, sensors.pwm), PWM_PER_PERCENT),
    gfxclk_mhz: plausibleWhole("megahertz", await natural(tree, input(sensors.gfxclk)), 1e6) ?? metrics?.gfxclk ?? null,
    uclk_mhz: plausibleWhole("megahertz", await natural(tree, input(sensors.uclk)), 1e6) ?? metrics?.uclk ?? null,
  };
}

const input = (sensor: string | null): string | null => (sensor === null ? null : `${sensor}_input`);

const natural = async (tree: Tree, file: string | null): Promise<number | null> =>
  file === null ? null : await tree.naturalLater(file);

async function celsius(tree: Tree, sensor: string | null): Promise<number | null> {
  const degrees = sensor === null ? null : await readCelsius(tree, `${sensor}_input`, "chip_celsius");
  return degrees === null ? null : Math.round(degrees);
}

/** 255 is as fast as it goes. */
const PWM_PER_PERCENT = 2.55;
