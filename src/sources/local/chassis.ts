import type { Chassis } from "../../frame/schema.ts";
import { plausible } from "../plausible.ts";
import type { Cycle, HostIdentity, Reading, Source } from "../source.ts";
import { readMachineNames } from "./dmi.ts";
import { highest, round1, sum, Tree } from "./files.ts";
import { type Chip, findChips, readCelsius, readWatts, type Sensor } from "./hwmon.ts";
import { Paced, patienceIn } from "./paced.ts";
import {
  findSupplies,
  isPowerSupplyChip,
  type PowerReading,
  readPowerSupplyChip,
  readSupply,
} from "./power_supplies.ts";

/** What is found once and looked for again now and then, since drivers come and go. */
interface Parts {
  readonly detail: Record<string, string>;
  readonly fans: readonly Fan[];
  readonly inlets: readonly Sensor[];
  readonly outlets: readonly Sensor[];
  readonly meters: readonly Sensor[];
  readonly psus: readonly Chip[];
  readonly supplies: readonly { readonly name: string; readonly type: string }[];
}

interface Fan {
  readonly name: string;
  readonly file: string;
  /** Read with the speed: it is a register of the chip, behind the same slow bus. */
  readonly maximumFile: string | null;
}

type FanSpeed = Chassis["fan_speeds"][number];

type Readings = Pick<
  Chassis,
  "total_power_watts" | "inlet_temperature" | "outlet_temperature" | "fan_speeds" | "psu_status"
>;

const PARTS_EVERY_MS = 300_000;
/** These sensors sit on slow buses, and what they measure moves slowly. */
const SENSORS_EVERY_MS = 5000;

/** Their sensors are those of other devices, not of the machine. */
const OTHER_DEVICE = /^(amdgpu|radeon|nouveau|i915|xe|nvme|drivetemp|coretemp|k10temp|mlx5|iwlwifi.*)$/;

const INLET = /inlet|ambient/i;
const OUTLET = /outlet|exhaust/i;
/** Meters of a part of the machine: of a Grace superchip only the module's is the whole. */
const PART_METER = /^(Grace|CPU|SysIO|Total) Power Socket \d+$/i;

function findParts(tree: Tree): Parts {
  const chips = findChips(tree, (name) => !OTHER_DEVICE.test(name));
  const sensors = (kind: Sensor["kind"]): Sensor[] =>
    chips.flatMap((chip) => chip.sensors.filter((sensor) => sensor.kind === kind));
  const labelled = (pattern: RegExp): Sensor[] => sensors("temp").filter(({ label }) => pattern.test(label ?? ""));
  return {
    detail: readMachineNames(tree),
    fans: chips.flatMap(findFans),
    inlets: labelled(INLET),
    outlets: labelled(OUTLET),
    meters: chips
      .filter(({ name }) => name === "power_meter")
      .flatMap((chip) => chip.sensors.filter(({ kind, label }) => kind === "power" && !PART_METER.test(label ?? ""))),
    psus: chips.filter(({ name }) => isPowerSupplyChip(name)),
    supplies: findSupplies(tree),
  };
}

function findFans(chip: Chip): Fan[] {
  const fans = chip.sensors.filter(({ kind }) => kind === "fan");
  return fans.map(({ number, label, file }) => ({
    name: label ?? `${chip.name} fan${number}`,
    file,
    maximumFile: chip.files.includes(`fan${number}_max`) ? `${chip.folder}fan${number}_max` : null,
  }));
}

async function readFan(tree: Tree, { name, file, maximumFile }: Fan, id: number): Promise<FanSpeed> {
  const [speed, max] = await Promise.all([
    tree.naturalLater(file),
    maximumFile === null ? null : tree.naturalLater(maximumFile),
  ]);
  return { id, name, speed_rpm: plausible("rpm", speed), max_rpm: plausible("rpm", max) };
}

async function readParts(tree: Tree, parts: Parts): Promise<Readings> {
  const temperatures = (sensors: readonly Sensor[]): Promise<(number | null)[]> =>
    Promise.all(sensors.map(({ file }) => readCelsius(tree, file, "air_celsius")));
  const [inlets, outlets, fans, meters, psus, supplies] = await Promise.all([
    temperatures(parts.inlets),
    temperatures(parts.outlets),
    Promise.all(parts.fans.map((fan, id) => readFan(tree, fan, id))),
    Promise.all(parts.meters.map(({ file }) => readWatts(tree, file, "machine_watts"))),
    Promise.all(parts.psus.map((chip, i) => readPowerSupplyChip(tree, chip, i + 1))),
    Promise.all(parts.supplies.map((supply) => readSupply(tree, supply))),
  ]);
  const powered = [...psus, ...supplies];
  return {
    total_power_watts: totalWatts(meters, powered),
    inlet_temperature: oneDigit(highest(inlets)),
    outlet_temperature: oneDigit(highest(outlets)),
    fan_speeds: fans,
    psu_status: powered.map((supply, id) => ({ id, ...supply })),
  };
}

const oneDigit = (value: number | null): number | null => (value === null ? null : round1(value));

/** By the machine's own meters, else by all its power supplies together, or the batteries that feed it. */
function totalWatts(meters: readonly (number | null)[], supplies: readonly PowerReading[]): number | null {
  const known = meters.filter((watts) => watts !== null);
  if (known.length > 0) return known.length === meters.length ? round1(sum(known)) : null;
  const fed = supplies.map(({ power_watts }) => power_watts).filter((watts) => watts !== null);
  return fed.length === 0 ? null : plausible("machine_watts", round1(sum(fed)));
}

const NOTHING: Readings = {
  total_power_watts: null,
  inlet_temperature: null,
  outlet_temperature: null,
  fan_speeds: [],
  psu_status: [],
};

class ChassisSource implements Source {
  readonly name = "chassis";
  readonly #tree: Tree;
  readonly #host: HostIdentity;
  readonly #sensors: Paced<Readings>;
  #parts: Parts | null = null;
  #partsFrom_ms = 0;

  constructor(root: string, host: HostIdentity) {
    this.#tree = new Tree(root);
    this.#host = host;
    this.#sensors = new Paced(SENSORS_EVERY_MS, (now_ms) => readParts(this.#tree, this.#partsAt(now_ms)));
  }

  async read(cycle: Cycle): Promise<Reading> {
    const now_ms = cycle.monotonic_ms;
    const { detail } = this.#partsAt(now_ms);
    const readings = (await this.#sensors.latest(now_ms, patienceIn(cycle))) ?? NOTHING;
    if (this.#sensors.isHung(now_ms)) this.#tree.complain("sensors do not answer");
    const chassis: Chassis = { ...this.#host, ...readings, thermal_pressure: null, detail, time: cycle.time };
    return this.#tree.finish(this.name, { chassis: [chassis] });
  }

  #partsAt(now_ms: number): Parts {
    if (this.#parts === null || now_ms - this.#partsFrom_ms >= PARTS_EVERY_MS) {
      this.#parts = findParts(this.#tree);
      this.#partsFrom_ms = now_ms;
    }
    return this.#parts;
  }
}

/** Names, fans, air temperatures and power of the machine whose files are below `root`. */
export const chassisSource = (options: { root: string; host: HostIdentity }): Source =>
  new ChassisSource(options.root, options.host);
