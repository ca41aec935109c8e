import { type Device, FIRST } from "./device.ts";
import { GRAPHICS_CLOCK, VIDEO_CLOCK } from "./identity.ts";
import { LAYOUTS, versionWord } from "./layouts.ts";
import { SUCCESS } from "./returns.ts";
import type { Health } from "./row.ts";
import { throttleNames } from "./words.ts";

/** Percent of the last sample period in which kernels ran, and in which memory was read or written. */
export function readUtilization(device: Device): { gpu: number | null; memory: number | null } {
  const { nvmlUtilization_t: layout } = LAYOUTS;
  if (!device.reads("nvmlDeviceGetUtilizationRates", 0, device.out.address)) return { gpu: null, memory: null };
  return { gpu: device.out.known32(layout.gpu), memory: device.out.known32(layout.memory) };
}

/** Bytes. Where the driver keeps some for itself, `used` is without that; older drivers count it as used. */
export function readMemory(device: Device): { used: number | null; total: number | null } {
  const { nvmlMemory_v2_t: v2, nvmlMemory_t: v1 } = LAYOUTS;
  device.out.setU32(v2.version, versionWord(v2, 2));
  if (device.call("nvmlDeviceGetMemoryInfo_v2", 0, device.out.address) === SUCCESS) {
    return { used: device.out.known64(v2.used), total: device.out.known64(v2.total) };
  }
  if (!device.reads("nvmlDeviceGetMemoryInfo", 0, device.out.address)) return { used: null, total: null };
  return { used: device.out.known64(v1.used), total: device.out.known64(v1.total) };
}

const GPU_SENSOR = 0;

export function readTemperature(device: Device): number | null {
  const { nvmlTemperature_v1_t: layout } = LAYOUTS;
  const old = device.unsignedOf("nvmlDeviceGetTemperature", GPU_SENSOR);
  if (old !== null) return old;
  device.out.setU32(layout.version, versionWord(layout, 1));
  device.out.setU32(layout.sensorType, GPU_SENSOR);
  if (!device.reads("nvmlDeviceGetTemperatureV", 0, device.out.address)) return null;
  return device.out.known32(layout.temperature) === null ? null : device.out.i32(layout.temperature);
}

export function readFanRpm(device: Device): number | null {
  const { nvmlFanSpeedInfo_v1_t: layout } = LAYOUTS;
  device.out.setU32(layout.version, versionWord(layout, 1));
  device.out.setU32(layout.fan, 0);
  return device.reads("nvmlDeviceGetFanSpeedRPM", 0, device.out.address) ? device.out.known32(layout.speed) : null;
}

/** Watts, of a function that writes milliwatts. */
export function readWatts(
  device: Device,
  name: "nvmlDeviceGetPowerUsage" | "nvmlDeviceGetEnforcedPowerLimit" | "nvmlDeviceGetPowerManagementLimit",
): number | null {
  const mw = device.unsigned(name);
  return mw === null ? null : mw / 1000;
}

/** Watts: the lowest of all limits, or else the one that was set. */
export const readPowerLimit = (device: Device): number | null =>
  readWatts(device, "nvmlDeviceGetEnforcedPowerLimit") ?? readWatts(device, "nvmlDeviceGetPowerManagementLimit");

/** P15; beyond it there is only the word for "unknown", 32. */
const LOWEST_PERFORMANCE_STATE = 15;

export function readPerformanceState(device: Device): number | null {
  const state = device.unsigned("nvmlDeviceGetPerformanceState");
  return state === null || state > LOWEST_PERFORMANCE_STATE ? null : state;
}

/** Why the clocks are lower than they could be. */
export function readThrottle(device: Device): string[] | null {
  const read =
    device.call("nvmlDeviceGetCurrentClocksEventReasons", 0, device.out.address) === SUCCESS ||
    device.reads("nvmlDeviceGetCurrentClocksThrottleReasons", 0, device.out.address);
  return read ? throttleNames(device.out.u32(FIRST)) : null;
}

/** MHz. */
export const readClock = (device: Device, which: number): number | null =>
  device.unsignedOf("nvmlDeviceGetClockInfo", which);

export const readGraphicsClock = (device: Device): number | null => readClock(device, GRAPHICS_CLOCK);

export const readVideoClock = (device: Device): number | null => readClock(device, VIDEO_CLOCK);

export const readEngines = (device: Device): Pick<Health, "encoder" | "decoder" | "jpeg" | "ofa"> => ({
  encoder: device.pair("nvmlDeviceGetEncoderUtilization"),
  decoder: device.pair("nvmlDeviceGetDecoderUtilization"),
  jpeg: device.pair("nvmlDeviceGetJpgUtilization"),
  ofa: device.pair("nvmlDeviceGetOfaUtilization"),
});
