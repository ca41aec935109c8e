import { plausible } from "../../../plausible.ts";
import type { Device } from "./device.ts";
import { readEngines, readFanRpm, readPowerLimit, readVideoClock } from "./gauges.ts";
import type { Health } from "./row.ts";

/** What is somebody's setting, or changes so slowly, or is measured by the driver so seldom, that once a second is enough. */
export interface Steady
  extends Pick<Health, "power_limit_watts" | "fan_percent" | "encoder" | "decoder" | "jpeg" | "ofa"> {
  readonly fan_speed_rpm: number | null;
  /** MHz. */
  readonly videoClock: number | null;
  readonly pcieGeneration: number | null;
  readonly pcieWidth: number | null;
}

export const readSteady = (device: Device): Steady => ({
  power_limit_watts: readPowerLimit(device),
  fan_percent: plausible("fan_percent", device.unsigned("nvmlDeviceGetFanSpeed")),
  fan_speed_rpm: readFanRpm(device),
  videoClock: readVideoClock(device),
  pcieGeneration: plausible("pcie_generation", device.unsigned("nvmlDeviceGetCurrPcieLinkGeneration")),
  pcieWidth: plausible("pcie_width", device.unsigned("nvmlDeviceGetCurrPcieLinkWidth")),
  ...readEngines(device),
});
