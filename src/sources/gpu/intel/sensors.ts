import type { Tree } from "../../local/files.ts";
import type { DrmCard } from "../drm/cards.ts";

/** The card's hwmon files, those that it has: the kernel's Documentation/ABI/testing/sysfs-driver-intel-{i915,xe}-hwmon. */
export interface Sensors {
  /** Microjoules since the driver was loaded: of the card, then of its chip. One of the two may stand. */
  readonly energies: readonly string[];
  /** Microwatts; the first that says something counts. */
  readonly power_limits: readonly string[];
  readonly power_limits_default: readonly string[];
  /** Beginnings of names, as `…/hwmon4/temp2`. */
  readonly package: string | null;
  readonly memory: string | null;
  readonly fans_rpm: readonly string[];
}

const NONE: Sensors = {
  energies: [],
  power_limits: [],
  power_limits_default: [],
  package: null,
  memory: null,
  fans_rpm: [],
};

const FANS = ["fan1_input", "fan2_input", "fan3_input"];

/** What a channel is of, by the drivers' labels, and by its number where it has none. */
const CARD = "card";
const PACKAGE = "pkg";
const MEMORY = "vram";
const UNLABELLED: Readonly<Record<string, string>> = {
  energy1: CARD,
  energy2: PACKAGE,
  power1: CARD,
  power2: PACKAGE,
  temp2: PACKAGE,
  temp3: MEMORY,
};
/** i915 has but one temperature. */
const UNLABELLED_I915: typeof UNLABELLED = { ...UNLABELLED, temp1: PACKAGE, temp2: "", temp3: "" };

export function findSensors(tree: Tree, card: DrmCard): Sensors {
  // Beside the card's own there are those of its parts: i915_gt0.
  const chips = tree.names(`${card.folder}hwmon`).map((name) => `${card.folder}hwmon/${name}/`);
  const folder = chips.find((chip) => tree.text(`${chip}name`) === card.driver);
  if (folder === undefined) return NONE;
  const files = tree.names(folder.slice(0, -1));
  const unlabelled = card.driver === "xe" ? UNLABELLED : UNLABELLED_I915;
  const labelOf = (channel: string): string =>
    (files.includes(`${channel}_label`) ? tree.text(`${folder}${channel}_label`) : null) ?? unlabelled[channel] ?? "";
  const channels = [...new Set(files.flatMap((file) => /^(?:energy|power|temp)\d{1,2}(?=_)/.exec(file) ?? []))];
  /** The channels of a kind that are of these parts, in the order of the parts. */
  const of = (kind: string, ...parts: readonly string[]): string[] =>
    parts.flatMap((part) => channels.filter((one) => one.startsWith(kind) && labelOf(one) === part));
  const those = (from: readonly string[], ...ends: readonly string[]): string[] =>
    from
      .flatMap((channel) => ends.map((end) => channel + end).filter((name) => files.includes(name)))
      .map((name) => folder + name);
  const temperature = (part: string): string | null =>
    those(of("temp", part), "_input")[0]?.slice(0, -"_input".length) ?? null;
  const powers = of("power", CARD, PACKAGE);
  const [limits, rated] = [those(powers, "_max", "_cap"), those(powers, "_rated_max")];
  return {
    energies: those(of("energy", CARD, PACKAGE), "_input"),
    // What it may draw for long, and in a burst; 0: no such limit. Where it has neither, nobody changes its maker's.
    power_limits: limits.length > 0 ? limits : rated,
    power_limits_default: rated,
    package: temperature(PACKAGE),
    memory: temperature(MEMORY),
    fans_rpm: files.includes("fan1_input")
      ? FANS.filter((name) => files.includes(name)).map((name) => folder + name)
      : [],
  };
}
