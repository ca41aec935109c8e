import type { Tree } from "../../local/files.ts";
import type { DrmCard } from "../drm/cards.ts";

/** Where a part of the chip with a clock of its own (a GT) is read; each in MHz. */
export interface ClockFiles {
  /** 0 while it sleeps. */
  readonly actual: string;
  /** The most that the hardware can do. */
  readonly maximum: string;
}

/** Where it says that its clock is held down. */
export interface ThrottleFiles {
  /** 1 where any of the reasons holds. */
  readonly status: string;
  /** By the driver's names for them: `pl1`, `thermal`, `vr_tdc`. */
  readonly reasons: ReadonlyMap<string, string>;
}

export interface Gt {
  readonly clock: ClockFiles;
  readonly throttle: ThrottleFiles | null;
}

/** What renders and computes, and what codes video, where that is a part of its own. */
export interface Gts {
  readonly main: Gt | null;
  readonly media: Gt | null;
}

/** Where the driver shows them: docs.kernel.org, "Xe GT Frequency Management"; of i915, its intel_gt_sysfs_pm.c. */
export const findGts = (tree: Tree, card: DrmCard): Gts =>
  card.driver === "xe" ? gtsOfXe(tree, card) : { main: gtOfI915(tree, card), media: null };

function gtsOfXe(tree: Tree, { folder }: DrmCard): Gts {
  const open = (gt: number): Gt | null => {
    const clocks = `${folder}tile0/gt${gt}/freq0/`;
    if (!tree.names(clocks.slice(0, -1)).includes("act_freq")) return null;
    const clock = { actual: `${clocks}act_freq`, maximum: `${clocks}rp0_freq` };
    return { clock, throttle: findThrottle(tree, `${clocks}throttle/`, "status", "reason_") };
  };
  return { main: open(0), media: open(1) };
}

function gtOfI915(tree: Tree, { name }: DrmCard): Gt | null {
  const gt = `/sys/class/drm/${name}/gt/gt0/`;
  if (tree.names(gt.slice(0, -1)).includes("rps_act_freq_mhz")) {
    const clock = { actual: `${gt}rps_act_freq_mhz`, maximum: `${gt}rps_RP0_freq_mhz` };
    return { clock, throttle: findThrottle(tree, gt, "throttle_reason_status", "throttle_reason_") };
  }
  // Before Linux 5.18.
  const card = `/sys/class/drm/${name}/`;
  if (!tree.names(card.slice(0, -1)).includes("gt_act_freq_mhz")) return null;
  return { clock: { actual: `${card}gt_act_freq_mhz`, maximum: `${card}gt_RP0_freq_mhz` }, throttle: null };
}

function findThrottle(tree: Tree, folder: string, status: string, prefix: string): ThrottleFiles | null {
  const files = tree.names(folder.slice(0, -1));
  if (!files.includes(status)) return null;
  const reasons = files.filter((file) => file.startsWith(prefix) && file !== status);
  return {
    status: folder + status,
    reasons: new Map(reasons.map((file) => [file.slice(prefix.length), folder + file])),
  };
}

/** Reasons under the names of the frame; the drivers' newer ones have these words in them. */
const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/prochot/, "hardware"],
  [/therm|ratl/, "thermal"],
  [/pl\d|tdc|iccmax|power/, "power"],
];

/** Why the clock is held down; `null`: the driver does not say whether it is. */
export async function readThrottle(tree: Tree, files: ThrottleFiles | null): Promise<string[] | null> {
  const status = files === null ? null : await tree.naturalLater(files.status);
  if (files === null || status === null) return null;
  const found = new Set<string>();
  for (const [name, file] of status === 0 ? [] : files.reasons) {
    if ((await tree.naturalLater(file)) !== 1) continue;
    found.add(REASONS.find(([pattern]) => pattern.test(name))?.[1] ?? "hardware");
  }
  return [...found].sort();
}
