import { plausible } from "../../../plausible.ts";
import { type Device, FIRST } from "./device.ts";
import { GRAPHICS_CLOCK, VIDEO_CLOCK } from "./identity.ts";
import { LAYOUTS, versionWord } from "./layouts.ts";
import { NOT_SUPPORTED, SUCCESS } from "./returns.ts";
import type { Health } from "./row.ts";
import { throttleNames } from "./words.ts";

/** Percent of the last sample period in which kernels ran, and in which memory was read or written. */
export function readUtilization(device: Device): { gpu: number | null; memory: number | null } {
  const { nvmlUtilization_t: layout } = LAYOUTS;
  if (!device.reads("nvmlDeviceGetUtilizationRates", 0, device.out.address)) return { gpu: null, memory: null };
  return {
    gpu: plausible("percent", device.out.known32(layout.gpu)),
    memory: plausible("percent", device.out.known32(layout.memory)),
  };
}

/** Bytes. Where the driver keeps some for itself, `used` is without that; older drivers count it as used. */
export function readMemory(device: Device): { used: number | null; total: number | null } {
  const { nvmlMemory_v2_t: v2, nvmlMemory_t: v1 } = LAYOUTS;
  device.out.setU32(v2.version, versionWord(v2, 2));
  if (device.call("nvmlDeviceGetMemoryInfo_v2", 0, device.out.address) === SUCCESS) {
    return memoryOf(device.out.known64(v2.used), device.out.known64(v2.total));
  }
  if (!device.reads("nvmlDeviceGetMemoryInfo", 0, device.out.address)) return { used: null, total: null };
  return memoryOf(device.out.known64(v1.used), device.out.known64(v1.total));
}

/** Of a chip without memory of its own there is nothing to be used. */
function memoryOf(used: number | null, whole: number | null): { used: number | null; total: number | null } {
  const total = plausible("memory_size", whole);
  return { used: total === null ? null : plausible("bytes", used), total };
}

/** It works, and has no memory of its own: it uses the machine's. Asked once: what is not supported is not asked for again. */
export function sharesMemory(device: Device): boolean {
  const { nvmlMemory_t: layout } = LAYOUTS;
  const code = device.call("nvmlDeviceGetMemoryInfo", 0, device.out.address);
  const isNone = code === NOT_SUPPORTED || (code === SUCCESS && device.out.known64(layout.total) === 0);
  return isNone && (readTemperature(device) ?? readWatts(device, "nvmlDeviceGetPowerUsage")) !== null;
}

const GPU_SENSOR = 0;

export function readTemperature(device: Device): number | null {
  const { nvmlTemperature_v1_t: layout } = LAYOUTS;
  const old = plausible("chip_celsius", device.unsignedOf("nvmlDeviceGetTemperature", GPU_SENSOR));
  if (old !== null) return old;
  device.out.setU32(layout.version, versionWord(layout, 1));
  device.out.setU32(layout.sensorType, GPU_SENSOR);
  if (!device.reads("nvmlDeviceGetTemperatureV", 0, device.out.address)) return null;
  return plausible("chip_celsius", device.out.i32(layout.temperature));
}

export function readFanRpm(device: Device): number | null {
  const { nvmlFanSpeedInfo_v1_t: layout } = LAYOUTS;
  device.out.setU32(layout.version, versionWord(layout, 1));
  device.out.setU32(layout.fan, 0);
  if (!device.reads("nvmlDeviceGetFanSpeedRPM", 0, device.out.address)) return null;
  return plausible("rpm", device.out.known32(layout.speed));
}

/** Watts, of a function that writes milliwatts. */
export function readWatts(
  device: Device,
  name: "nvmlDeviceGetPowerUsage" | "nvmlDeviceGetEnforcedPowerLimit" | "nvmlDeviceGetPowerManagementLimit",
): number | null {
  return plausible("watts", device.unsigned(name), 1000);
}

/** Watts: the lowest of all limits, or else the one that was set. */
export const readPowerLimit = (device: Device): number | null =>
  readWatts(device, "nvmlDeviceGetEnforcedPowerLimit") ?? readWatts(device, "nvmlDeviceGetPowerManagementLimit");

export const readPerformanceState = (device: Device): number | null =>
  plausible("performance_state", device.unsigned("nvmlDeviceGetPerformanceState"));

/** Why the clocks are lower than they could be. */
export function readThrottle(device: Device): string[] | null {
  const read =
    device.call("nvmlDeviceGetCurrentClocksEventReasons", 0, device.out.address) === SUCCESS ||
    device.reads("nvmlDeviceGetCurrentClocksThrottleReasons", 0, device.out.address);
  return read ? throttleNames(device.out.u32(FIRST)) : null;
}

/** MHz. */
export const readClock = (device: Device, which: number): number | null =>
  plausible("megahertz", device.unsignedOf("nvmlDeviceGetClockInfo", which));

export const readGraphicsClock = (device: Device): number | null => readClock(device, GRAPHICS_CLOCK);

export const readVideoClock = (device: Device): number | null => readClock(device, VIDEO_CLOCK);

export const readEngines = (device: Device): Pick<Health, "encoder" | "decoder" | "jpeg" | "ofa"> => ({
  encoder: plausible("percent", device.pair("nvmlDeviceGetEncoderUtilization")),
  decoder: plausible("percent", device.pair("nvmlDeviceGetDecoderUtilization")),
  jpeg: plausible("percent", device.pair("nvmlDeviceGetJpgUtilization")),
  ofa: plausible("percent", device.pair("nvmlDeviceGetOfaUtilization")),
});
