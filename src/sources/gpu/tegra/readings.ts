import { parseNatural, round1, type Tree } from "../../local/files.ts";
import { readCelsius } from "../../local/hwmon.ts";
import { plausible, plausibleWhole } from "../../plausible.ts";
import { type MemoryUse, machineMemory } from "../machine_memory.ts";
import type { Rail, TegraGpu } from "./parts.ts";

/** Units as in the frame; its memory is that of the whole machine. */
export interface TegraReading extends MemoryUse {
  readonly utilization: number | null;
  readonly frequency_mhz: number | null;
  /** Of the present power mode. */
  readonly frequency_max_mhz: number | null;
  readonly temperature: number | null;
  readonly slowdown: number | null;
  readonly shutdown: number | null;
  readonly power_w: number | null;
}

/** One file after the other, as a bus that hangs shall hold one thread and no more. */
export async function readTegra(tree: Tree, gpu: TegraGpu): Promise<TegraReading> {
  const { devfreq, thermalZone, rail } = gpu;
  const trips = thermalZone === null ? new Map() : await readTrips(tree, thermalZone);
  return {
    utilization: parseLoad(await tree.textLater(`${devfreq}device/load`)),
    frequency_mhz: megahertz(await tree.naturalLater(`${devfreq}cur_freq`)),
    frequency_max_mhz: megahertz(await tree.naturalLater(`${devfreq}max_freq`)),
    temperature: thermalZone === null ? null : await degrees(tree, `${thermalZone}temp`, "chip_celsius"),
    slowdown: trips.get("passive") ?? null,
    shutdown: trips.get("critical") ?? null,
    power_w: rail === null ? null : await readRail(tree, rail),
    ...machineMemory(tree),
  };
}

/** Per mille of the time; percent in the frame. */
export const parseLoad = (text: string | null): number | null => plausible("percent", parseNatural(text), 10);

/** Without a frequency scaling of its own `max_freq` is the highest number there is. */
const megahertz = (hertz: number | null): number | null => plausibleWhole("megahertz_max", hertz, 1e6);

async function degrees(tree: Tree, file: string, what: "chip_celsius" | "limit_celsius"): Promise<number | null> {
  const celsius = await readCelsius(tree, file, what);
  return celsius === null ? null : Math.round(celsius);
}

async function readRail(tree: Tree, { current, voltage }: Rail): Promise<number | null> {
  const [milliamperes, millivolts] = [await tree.naturalLater(current), await tree.naturalLater(voltage)];
  const [current_ma, level_mv] = [plausible("amount", milliamperes), plausible("amount", millivolts)];
  const watts = current_ma === null || level_mv === null ? null : round1((current_ma * level_mv) / 1e6);
  return plausible("watts", watts);
}

/** Where the kernel slows it down (`passive`) and where it shuts the machine down (`critical`): the lowest of each. */
async function readTrips(tree: Tree, zone: string): Promise<Map<string, number>> {
  const trips = new Map<string, number>();
  for (const file of tree.names(zone).filter((name) => /^trip_point_\d+_type$/.test(name))) {
    const type = await tree.textLater(zone + file);
    const temperature = await degrees(tree, zone + file.replace("_type", "_temp"), "limit_celsius");
    if (type === null || temperature === null) continue;
    trips.set(type, Math.min(temperature, trips.get(type) ?? temperature));
  }
  return trips;
}
