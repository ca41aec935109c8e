import type { Tree } from "../../local/files.ts";
import type { DrmCard } from "../drm/cards.ts";

/** The card's hwmon files, those that it has: the kernel's Documentation/ABI/testing/sysfs-driver-intel-{i915,xe}-hwmon. */
export interface Sensors {
  /** Microjoules since the driver was loaded, of the card or, where that has none, of its chip. */
  readonly energy: string | null;
  /** Microwatts; 0: there is no limit. */
  readonly power_limit: string | null;
  readonly power_limit_default: string | null;
  /** Beginnings of names, as `…/hwmon4/temp2`. */
  readonly package: string | null;
  readonly memory: string | null;
  readonly fans_rpm: readonly string[];
}

const NONE: Sensors = {
  energy: null,
  power_limit: null,
  power_limit_default: null,
  package: null,
  memory: null,
  fans_rpm: [],
};

const FANS = ["fan1_input", "fan2_input", "fan3_input"];

export function findSensors(tree: Tree, card: DrmCard): Sensors {
  // Beside the card's own there are those of its parts: i915_gt0.
  const chips = tree.names(`${card.folder}hwmon`).map((name) => `${card.folder}hwmon/${name}/`);
  const folder = chips.find((chip) => tree.text(`${chip}name`) === card.driver);
  if (folder === undefined) return NONE;
  const files = tree.names(folder.slice(0, -1));
  const file = (...names: readonly string[]): string | null => {
    const name = names.find((one) => files.includes(one));
    return name === undefined ? null : folder + name;
  };
  const temperature = (...names: readonly string[]): string | null =>
    file(...names.map((name) => `${name}_input`))?.slice(0, -"_input".length) ?? null;
  // Channel 1 is the card, 2 its chip, in temperatures 3 the memory; i915 has but one, of the chip.
  return {
    energy: file("energy1_input", "energy2_input"),
    power_limit: file("power1_max", "power2_max"),
    power_limit_default: file("power1_rated_max", "power2_rated_max"),
    package: card.driver === "xe" ? temperature("temp2") : temperature("temp1"),
    memory: card.driver === "xe" ? temperature("temp3") : null,
    fans_rpm: files.includes("fan1_input")
      ? FANS.filter((name) => files.includes(name)).map((name) => folder + name)
      : [],
  };
}
