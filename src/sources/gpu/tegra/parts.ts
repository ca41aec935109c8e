import type { Tree } from "../../local/files.ts";

/** The GPU in the chip of a Jetson, by the files of its driver nvgpu and those of the board around it. */
export interface TegraGpu {
  /** As the device tree calls it, by its place in memory: `17000000.gpu`. */
  readonly device: string;
  /** Beginning of its frequency files: `/sys/class/devfreq/17000000.gpu/`. */
  readonly devfreq: string;
  readonly thermalZone: string | null;
  readonly rail: Rail | null;
}

/** A power rail that feeds the GPU, and mostly other parts of the chip, too. */
export interface Rail {
  readonly label: string;
  /** mA and mV. */
  readonly current: string;
  readonly voltage: string;
}

const DEVFREQ = "/sys/class/devfreq";
/** By chip: Orin (by the newer and the older kernel), Xavier, TX2, Nano. */
const GPU = /^[0-9a-f]+\.(gpu|ga10b|gv11b|gp10b|gm20b)$/;

/** `null`: this is no such machine. Thor's is called otherwise, and NVML knows it. */
export function findTegraGpu(tree: Tree): TegraGpu | null {
  const device = tree.names(DEVFREQ).find((name) => GPU.test(name));
  if (device === undefined) return null;
  return { device, devfreq: `${DEVFREQ}/${device}/`, thermalZone: findThermalZone(tree), rail: findRail(tree) };
}

const THERMAL = "/sys/class/thermal";

function findThermalZone(tree: Tree): string | null {
  const zones = tree.names(THERMAL).filter((name) => name.startsWith("thermal_zone"));
  const zone = zones.find((name) => /^gpu-therm(al)?$/i.test(tree.text(`${THERMAL}/${name}/type`) ?? ""));
  return zone === undefined ? null : `${THERMAL}/${zone}/`;
}

const HWMON = "/sys/class/hwmon";

/** The narrowest rail with the GPU in its name: `VDD_GPU_SOC`, `VDD_CPU_GPU_CV`, `GPU`. */
function findRail(tree: Tree): Rail | null {
  const rails = tree
    .names(HWMON)
    .filter((chip) => tree.text(`${HWMON}/${chip}/name`)?.startsWith("ina3221"))
    .flatMap((chip) => railsOf(tree, `${HWMON}/${chip}/`));
  return rails.sort((a, b) => a.label.length - b.label.length)[0] ?? null;
}

function railsOf(tree: Tree, chip: string): Rail[] {
  return [1, 2, 3].flatMap((channel) => {
    const label = tree.text(`${chip}in${channel}_label`) ?? "";
    const rail = { label, current: `${chip}curr${channel}_input`, voltage: `${chip}in${channel}_input` };
    return /(^|_)GPU(_|$)/.test(label) ? [rail] : [];
  });
}
