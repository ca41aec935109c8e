import { drmChecks } from "./checks/drm.ts";
import { kernelLogChecks } from "./checks/kernel_log.ts";
import { localSourceChecks } from "./checks/local_sources.ts";
import { nvidiaAccessChecks } from "./checks/nvidia_access.ts";
import { nvidiaDriverChecks } from "./checks/nvidia_driver.ts";
import { nvidiaReadingChecks } from "./checks/nvidia_readings.ts";
import { programChecks } from "./checks/program.ts";
import { recordingChecks } from "./checks/recording.ts";
import { sensorChecks } from "./checks/sensors.ts";
import { surroundingsChecks } from "./checks/surroundings.ts";
import type { Check } from "./finding.ts";

/** All there are, in the order in which they are shown. */
export const CHECKS: readonly Check[] = [
  ...programChecks,
  ...surroundingsChecks,
  ...localSourceChecks,
  ...sensorChecks,
  ...nvidiaDriverChecks,
  ...nvidiaAccessChecks,
  ...nvidiaReadingChecks,
  ...drmChecks,
  ...kernelLogChecks,
  ...recordingChecks,
];
