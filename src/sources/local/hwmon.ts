import { plausible, type Quantity } from "../plausible.ts";
import type { Tree } from "./files.ts";

/** One value of a hardware monitoring chip: Documentation/hwmon/sysfs-interface.rst of the kernel. */
export interface Sensor {
  readonly kind: "temp" | "fan" | "power";
  readonly number: number;
  readonly label: string | null;
  /** Millidegrees, RPM or microwatts. */
  readonly file: string;
}

export interface Chip {
  readonly name: string;
  /** The device behind it: `coretemp.0`, `0000:00:18.3`; tells apart chips of one name. */
  readonly device: string;
  readonly folder: string;
  /** What is in the folder: `fan1_max`, `power1_alarm`, … */
  readonly files: readonly string[];
  readonly sensors: readonly Sensor[];
}

const HWMON = "/sys/class/hwmon";

/** The chips of the names wanted, in the order of their devices (the hwmon numbers change from boot to boot). */
export function findChips(tree: Tree, isWanted: (name: string) => boolean): Chip[] {
  const chips = tree
    .names(HWMON)
    .map((entry) => openChip(tree, `${HWMON}/${entry}`, isWanted))
    .filter((chip) => chip !== null);
  return chips.sort((a, b) => a.device.localeCompare(b.device, "en", { numeric: true }));
}

function openChip(tree: Tree, entry: string, isWanted: (name: string) => boolean): Chip | null {
  const name = tree.text(`${entry}/name`) ?? tree.text(`${entry}/device/name`);
  if (name === null || !isWanted(name)) return null;
  // Some drivers (power_meter before 6.18) put their attributes into the device's folder.
  const own = tree.names(entry);
  const folder = own.some((file) => SENSOR.test(file)) ? `${entry}/` : `${entry}/device/`;
  const files = folder === `${entry}/` ? own : tree.names(folder);
  const sensors = files.map((file) => openSensor(tree, folder, file, files)).filter((sensor) => sensor !== null);
  return { name, device: tree.link(`${entry}/device`) ?? entry, folder, files, sensors };
}

const SENSOR = /^(temp|fan|power)(\d{1,3})_(input|average)$/;

function openSensor(tree: Tree, folder: string, file: string, files: readonly string[]): Sensor | null {
  const match = SENSOR.exec(file);
  const kind = match?.[1];
  if (kind !== "temp" && kind !== "fan" && kind !== "power") return null;
  const prefix = `${kind}${match?.[2]}`;
  if (match?.[3] === "average" && files.includes(`${prefix}_input`)) return null;
  const label = tree.text(`${folder}${prefix}_label`) ?? tree.text(`${folder}${prefix}_oem_info`);
  return { kind, number: Number(match?.[2]), label, file: folder + file };
}

/** Of what the sensor measures; the file is in millidegrees. */
export const readCelsius = async (
  tree: Tree,
  file: string,
  what: Extract<Quantity, "chip_celsius" | "limit_celsius" | "air_celsius">,
): Promise<number | null> => plausible(what, await tree.integerLater(file), 1000);

/** Of what draws them; the file is in microwatts. */
export const readWatts = async (
  tree: Tree,
  file: string,
  what: Extract<Quantity, "watts" | "machine_watts" | "supply_watts">,
): Promise<number | null> => plausible(what, await tree.naturalLater(file), 1e6);

/** By the first of the files that says something. */
export async function firstWatts(tree: Tree, files: readonly string[]): Promise<number | null> {
  for (const file of files) {
    const watts = await readWatts(tree, file, "watts");
    if (watts !== null) return watts;
  }
  return null;
}
