import type { Chassis } from "../../frame/schema.ts";
import { plausible } from "../plausible.ts";
import { round1, type Tree } from "./files.ts";
import { type Chip, readWatts } from "./hwmon.ts";

type PowerSupply = Chassis["psu_status"][number];

/** A power supply, with what it takes in (of a battery: what it gives). */
export type PowerReading = Omit<PowerSupply, "id">;

/** Names under which the kernel's drivers register power supplies, most of them on PMBus. */
const PSU_CHIP =
  /^(acbel|bel_?pfe|pfe|bpa_rs|bpd_rs|corsairpsu|crps|dps|fsp|ym2151|yh5151|ibm-?cffps|cffps|ipsps|pim4328)/i;

/** Inputs are called `pin` on PMBus; `power total` is what Corsair's say. */
const INPUT_LABEL = /^(pin\d*|power total)$/i;

export const isPowerSupplyChip = (name: string): boolean => PSU_CHIP.test(name);

export async function readPowerSupplyChip(tree: Tree, chip: Chip, number: number): Promise<PowerReading> {
  const powers = chip.sensors.filter(({ kind }) => kind === "power");
  const input = powers.find(({ label }) => INPUT_LABEL.test(label ?? "")) ?? powers[0];
  const watts = input === undefined ? null : await readWatts(tree, input.file, "supply_watts");
  const alarms = chip.files.filter((file) => /_(alarm|fault)$/.test(file));
  const raised = await Promise.all(alarms.map((file) => tree.naturalLater(chip.folder + file)));
  return {
    name: `${chip.name} ${number}`,
    status: raised.includes(1) ? "Degraded" : alarms.length > 0 || watts !== null ? "Ok" : "Unknown",
    power_watts: watts === null ? null : round1(watts),
  };
}

const CLASS = "/sys/class/power_supply";

/** Mains and batteries of the machine itself (not of a mouse): ABI/testing/sysfs-class-power of the kernel. */
export function findSupplies(tree: Tree): { name: string; type: string }[] {
  return tree
    .names(CLASS)
    .map((name) => ({ name, type: tree.text(`${CLASS}/${name}/type`) ?? "" }))
    .filter(
      ({ name, type }) => type === "Mains" || (type === "Battery" && tree.text(`${CLASS}/${name}/scope`) !== "Device"),
    );
}

export async function readSupply(tree: Tree, supply: { name: string; type: string }): Promise<PowerReading> {
  const folder = `${CLASS}/${supply.name}/`;
  if (supply.type === "Mains") {
    const online = await tree.naturalLater(`${folder}online`);
    return { name: supply.name, status: statusOf(online), power_watts: null };
  }
  const [present, status] = await Promise.all([
    tree.naturalLater(`${folder}present`),
    tree.textLater(`${folder}status`),
  ]);
  const watts = status === "Discharging" ? await batteryWatts(tree, folder) : null;
  return { name: supply.name, status: statusOf(present), power_watts: watts === null ? null : round1(watts) };
}

const statusOf = (present: number | null): PowerSupply["status"] =>
  present === null ? "Unknown" : present === 0 ? "NotPresent" : "Ok";

/** Batteries report power (µW), or current and voltage (µA, µV); some write a discharge as negative. */
async function batteryWatts(tree: Tree, folder: string): Promise<number | null> {
  const [power, current, voltage] = await Promise.all(
    ["power_now", "current_now", "voltage_now"].map((file) => tree.integerLater(folder + file)),
  );
  if (typeof power === "number") return plausible("supply_watts", Math.abs(power), 1e6);
  const amount = plausible("amount", Math.abs(current ?? Number.NaN));
  const level = plausible("amount", voltage);
  return amount === null || level === null ? null : plausible("supply_watts", amount * level, 1e12);
}
