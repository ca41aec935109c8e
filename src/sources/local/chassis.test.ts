import { expect, test } from "bun:test";
import { HOST, patientCycleAt } from "../../../test/fixtures/machines/cycle.ts";
import { type Machine, openMachine } from "../../../test/fixtures/machines/make.ts";
import type { Chassis } from "../../frame/schema.ts";
import { chassisSource } from "./chassis.ts";

async function read({ root }: Machine): Promise<Chassis> {
  const { chassis, errors } = await chassisSource({ root, host: HOST }).read(patientCycleAt(0));
  expect(errors).toBeUndefined();
  return chassis?.[0] as Chassis;
}

test("DGX: names without the firmware's placeholders, power by ACPI; a disk's ambient is not the machine's", async () => {
  using machine = openMachine("dgx-h100");
  expect(await read(machine)).toEqual({
    ...HOST,
    total_power_watts: 2210.4,
    inlet_temperature: null,
    outlet_temperature: null,
    thermal_pressure: null,
    fan_speeds: [],
    psu_status: [],
    detail: {
      "Product Name": "DGXH100",
      Vendor: "NVIDIA",
      Board: "NVIDIA DGXH100",
      "BIOS Version": "1.01.03",
      platform: "Linux",
    },
    time: "2026-08-08 14:32:05",
  });
});

test("Grace Hopper: of four meters the module's is the whole", async () => {
  using machine = openMachine("grace-hopper");
  expect((await read(machine)).total_power_watts).toBe(612.3);
});

test("a laptop on battery: fans, adapter and battery, but not the mouse's", async () => {
  using machine = openMachine("laptop-1370p");
  expect(await read(machine)).toMatchObject({
    total_power_watts: 14.3,
    fan_speeds: [
      { id: 0, name: "thinkpad fan1", speed_rpm: 2651, max_rpm: null },
      { id: 1, name: "thinkpad fan2", speed_rpm: null, max_rpm: null },
    ],
    psu_status: [
      { id: 0, name: "AC", status: "NotPresent", power_watts: null },
      { id: 1, name: "BAT0", status: "Ok", power_watts: 14.3 },
    ],
    detail: { "Product Name": "21HMCTO1WW", Version: "ThinkPad X1 Carbon Gen 11" },
  });
});

test("on mains a battery's power is not the machine's", async () => {
  using machine = openMachine("laptop-1370p");
  machine.write("/sys/class/power_supply/BAT0/status", "Charging\n");
  machine.write("/sys/class/power_supply/AC/online", "1\n");
  const { total_power_watts, psu_status } = await read(machine);
  expect(total_power_watts).toBeNull();
  expect(psu_status).toMatchObject([{ status: "Ok" }, { status: "Ok", power_watts: null }]);
});

test("a battery that tells current and voltage instead of power", async () => {
  using machine = openMachine("laptop-1370p");
  machine.write("/sys/class/power_supply/BAT0/power_now", null);
  machine.write("/sys/class/power_supply/BAT0/current_now", "-1250000\n");
  machine.write("/sys/class/power_supply/BAT0/voltage_now", "12000000\n");
  expect((await read(machine)).total_power_watts).toBe(15);
});

test("air temperatures and two supplies on PMBus, one of them failing", async () => {
  using machine = openMachine(null);
  const hwmon = (number: number, files: Record<string, string>) => {
    for (const [file, text] of Object.entries(files))
      machine.write(`/sys/class/hwmon/hwmon${number}/${file}`, `${text}\n`);
  };
  const psu = {
    name: "cffps",
    power1_label: "pin",
    power1_input: "410500000",
    power2_label: "pout1",
    power2_input: "380000000",
  };
  hwmon(0, { ...psu, in1_alarm: "0", fan1_input: "9000", fan1_max: "20000" });
  hwmon(1, { ...psu, in1_alarm: "1" });
  hwmon(2, {
    name: "tmp421",
    temp1_label: "Inlet Temp",
    temp1_input: "24250",
    temp2_label: "Exhaust",
    temp2_input: "41000",
  });
  expect(await read(machine)).toMatchObject({
    total_power_watts: 821,
    inlet_temperature: 24.3,
    outlet_temperature: 41,
    fan_speeds: [{ name: "cffps fan1", speed_rpm: 9000, max_rpm: 20000 }],
    psu_status: [
      { id: 0, name: "cffps 1", status: "Ok", power_watts: 410.5 },
      { id: 1, name: "cffps 2", status: "Degraded", power_watts: 410.5 },
    ],
  });
});

test("a board without DMI is named by its device tree; no hardware is no error", async () => {
  using machine = openMachine(null);
  machine.write("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.1\0");
  expect(await read(machine)).toMatchObject({
    total_power_watts: null,
    fan_speeds: [],
    psu_status: [],
    detail: { "Product Name": "Raspberry Pi 4 Model B Rev 1.1", platform: "Linux" },
  });
});
