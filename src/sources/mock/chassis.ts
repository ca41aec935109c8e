import type { Chassis } from "../../frame/schema.ts";
import { cpuPower } from "./cpu.ts";
import { type HostState, sumOf } from "./host_state.ts";
import { clamp, noise, round, salt } from "./random.ts";

const FAN = salt("fan");
const SUPPLY = salt("power supply");
const INLET = salt("inlet");

const FANS = 10;
const MAX_RPM = 16_500;
const SUPPLIES = 6;
const EFFICIENCY = 0.94;

/** Share of its full speed at which every fan runs. */
function fanEffort(host: HostState): number {
  const hottest = host.gpus.reduce((most, gpu) => Math.max(most, gpu.temperature_c), 36);
  return clamp(0.32 + (hottest - 40) * 0.013, 0.3, 1);
}

/** A board with GPUs, its fans and power supplies. */
export function chassisRow(host: HostState): Chassis {
  const effort = fanEffort(host);
  const fans_w = FANS * 75 * effort ** 3;
  const parts_w = sumOf(host.gpus, (gpu) => gpu.power_w) + cpuPower(host) + fans_w + 420;
  const total_w = parts_w / EFFICIENCY;
  const inlet = 21 + 2.5 * noise(host.seed, INLET, host.host, host.t_s, 1800);
  const share = (id: number) =>
    (1 / SUPPLIES) * (0.98 + 0.04 * noise(host.seed, SUPPLY, host.host * 8 + id, host.t_s, 60));
  return {
    ...host.identity,
    total_power_watts: Math.round(total_w),
    inlet_temperature: round(inlet, 1),
    outlet_temperature: round(inlet + (7 * total_w) / (2500 * effort + 500), 1),
    thermal_pressure: null,
    fan_speeds: Array.from({ length: FANS }, (_, id) => ({
      id,
      name: `FAN${id + 1}`,
      speed_rpm:
        Math.round((MAX_RPM * effort * (0.97 + 0.03 * noise(host.seed, FAN, host.host * 16 + id, host.t_s, 6))) / 30) *
        30,
      max_rpm: MAX_RPM,
    })),
    psu_status: Array.from({ length: SUPPLIES }, (_, id) => ({
      id,
      name: `PSU${id + 1}`,
      status: "Ok",
      power_watts: Math.round(total_w * share(id)),
    })),
    detail: { "Product Name": "HGX H100 8-GPU", Vendor: "Mock", cpu_power_watts: cpuPower(host).toFixed(2) },
    time: host.time,
  };
}
