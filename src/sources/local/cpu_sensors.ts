import { plausible } from "../plausible.ts";
import { highest, round1, sum, type Tree } from "./files.ts";
import { type Chip, findChips, readCelsius, readWatts, type Sensor } from "./hwmon.ts";
import type { Rapl } from "./rapl.ts";

export interface CpuReadings {
  /** Whole degrees, the hottest part of each socket; `null` for all where a sensor cannot be told to be a socket's. */
  readonly socketCelsius: readonly (number | null)[];
  readonly celsius: number | null;
  readonly watts: number | null;
}

/** The chips that measure CPUs, with the labels of the values that stand for a whole one, best first. */
const CPU_CHIPS: Record<string, readonly RegExp[]> = {
  coretemp: [/^(Package|Physical) id/],
  // Tctl is Tdie plus an offset that some models have.
  k10temp: [/^Tdie$/, /^Tctl$/],
  zenpower: [/^Tdie$/, /^Tctl$/],
  smpro_hwmon: [/ SoC$/],
  scpi_sensors: [/^(?!.*(gpu|pcb|board))/i],
  cpu_thermal: [],
  soc_thermal: [],
};

/** How a Grace superchip's power meters call the CPU side of a socket, memory included. */
const CPU_METER = /^(Grace|Total) Power Socket \d+$/i;

/** Temperatures and power of the CPUs: found once, read often. */
export class CpuSensors {
  readonly #tree: Tree;
  readonly #temperatures: readonly string[];
  readonly #meters: readonly string[];
  readonly #rapl: Rapl;
  readonly #sockets: number;

  constructor(tree: Tree, rapl: Rapl, sockets: number) {
    const chips = findChips(tree, (name) => name in CPU_CHIPS || name === "power_meter");
    const ownTemperatures = findTemperatures(chips);
    this.#tree = tree;
    this.#temperatures = ownTemperatures.length > 0 ? ownTemperatures : findZones(tree);
    this.#meters = chips
      .flatMap(({ name, sensors }) => (name === "power_meter" ? sensors : []))
      .filter(({ label }) => CPU_METER.test(label ?? ""))
      .map(({ file }) => file);
    this.#rapl = rapl;
    this.#sockets = sockets;
  }

  async read(now_ms: number): Promise<CpuReadings> {
    const [temperatures, watts] = await Promise.all([
      Promise.all(this.#temperatures.map((file) => readCelsius(this.#tree, file, "chip_celsius"))),
      this.#rapl.isPresent ? this.#rapl.read(now_ms) : this.#readMeters(),
    ]);
    return {
      socketCelsius: spread(temperatures, this.#sockets).map(wholeDegrees),
      celsius: wholeDegrees(highest(temperatures)),
      watts: plausible("machine_watts", watts === null ? null : round1(watts)),
    };
  }

  async #readMeters(): Promise<number | null> {
    const watts = await Promise.all(this.#meters.map((file) => readWatts(this.#tree, file, "watts")));
    const known = watts.filter((value) => value !== null);
    return known.length === 0 || known.length < watts.length ? null : sum(known);
  }
}

const wholeDegrees = (celsius: number | null): number | null => (celsius === null ? null : Math.round(celsius));

/**
 * The sensors, in the order of their devices, belong to the sockets in turn, as many to each; where the numbers do not
 * fit, nobody knows whose they are.
 */
function spread(temperatures: readonly (number | null)[], sockets: number): (number | null)[] {
  const each = temperatures.length / sockets;
  if (!Number.isInteger(each)) return Array<null>(sockets).fill(null);
  return Array.from({ length: sockets }, (_, socket) =>
    highest(temperatures.slice(socket * each, (socket + 1) * each)),
  );
}

function findTemperatures(chips: readonly Chip[]): string[] {
  return chips.flatMap(({ name, sensors }) => {
    const temperatures = sensors.filter(({ kind }) => kind === "temp");
    return best(temperatures, CPU_CHIPS[name] ?? []).map(({ file }) => file);
  });
}

/** Those with the best label there is; all of them where no label tells. */
function best(sensors: readonly Sensor[], labels: readonly RegExp[]): readonly Sensor[] {
  const matches = labels.map((label) => sensors.filter((sensor) => label.test(sensor.label ?? "")));
  return matches.find((match) => match.length > 0) ?? sensors;
}

/** Thermal zones of the CPU, for machines without a chip. */
function findZones(tree: Tree): string[] {
  const folder = "/sys/class/thermal";
  const zones = tree
    .names(folder)
    .filter((name) => name.startsWith("thermal_zone"))
    .map((name) => ({ type: tree.text(`${folder}/${name}/type`) ?? "", file: `${folder}/${name}/temp` }));
  const packages = zones.filter(({ type }) => type === "x86_pkg_temp");
  const cpus = packages.length > 0 ? packages : zones.filter(({ type }) => /^(cpu|soc)[-_]?/i.test(type));
  return cpus.map(({ file }) => file);
}
