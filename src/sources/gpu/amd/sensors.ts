import type { Tree } from "../../local/files.ts";
import type { DrmCard } from "../drm/cards.ts";

/** The card's hwmon files, those that it has: the kernel's amdgpu documentation, "HWMON Interfaces". */
export interface Sensors {
  /** Beginnings of names, as `…/hwmon4/temp1`. */
  readonly edge: string | null;
  readonly hotspot: string | null;
  readonly memory: string | null;
  /** Microwatts: an average, of some only the present value; the first that says something counts. */
  readonly power: readonly string[];
  /** So what may be drawn: the limit in force, or else that which is set where nobody changes it. */
  readonly power_limits: readonly string[];
  readonly power_cap_default: string | null;
  readonly power_cap_min: string | null;
  readonly power_cap_max: string | null;
  readonly fan_rpm: string | null;
  /** 0 to 255. */
  readonly pwm: string | null;
  /** Hz. */
  readonly gfxclk: string | null;
  readonly uclk: string | null;
}

/** What temperatures were before they had labels. */
const UNLABELLED: Readonly<Record<string, string>> = {
  temp1: "edge",
  temp2: "junction",
  temp3: "mem",
  freq1: "sclk",
  freq2: "mclk",
};

export function findSensors(tree: Tree, card: DrmCard): Sensors {
  const chip = tree.names(`${card.folder}hwmon`).find((name) => name.startsWith("hwmon"));
  const folder = `${card.folder}hwmon/${chip}/`;
  const files = chip === undefined ? [] : tree.names(folder);
  const labels = new Map<string, string>();
  for (const file of files) {
    const sensor = /^((?:temp|freq)\d{1,2})_input$/.exec(file)?.[1];
    if (sensor === undefined) continue;
    const label = files.includes(`${sensor}_label`) ? tree.text(`${folder}${sensor}_label`) : null;
    labels.set(label ?? UNLABELLED[sensor] ?? sensor, folder + sensor);
  }
  const file = (...names: readonly string[]): string | null => {
    const name = names.find((one) => files.includes(one));
    return name === undefined ? null : folder + name;
  };
  const all = (...names: readonly string[]): string[] =>
    names.filter((one) => files.includes(one)).map((one) => folder + one);
  const limits = all("power1_cap", "power1_max");
  return {
    edge: labels.get("edge") ?? null,
    hotspot: labels.get("junction") ?? null,
    memory: labels.get("mem") ?? null,
    power: all("power1_average", "power1_input"),
    power_limits: limits.length > 0 ? limits : all("power1_cap_default", "power1_rated_max"),
    power_cap_default: file("power1_cap_default"),
    power_cap_min: file("power1_cap_min"),
    power_cap_max: file("power1_cap_max"),
    fan_rpm: file("fan1_input"),
    pwm: file("pwm1"),
    gfxclk: labels.get("sclk") ?? null,
    uclk: labels.get("mclk") ?? null,
  };
}
