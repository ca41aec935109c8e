import { readFileSync } from "node:fs";
import { findMachineZone, type ZoneFiles, zoneFiles } from "../clock/machine_zone.ts";
import { useZone } from "../clock/zone.ts";

const sameFile = (path: string): string => path;

/**
 * From now on times are told in the zone of a machine whose files these are: by default this one's. `TZ` goes before
 * them. Says what of it cannot be understood.
 */
export function useMachineZone(files: ZoneFiles = zoneFiles(sameFile, sameFile)): string | null {
  const { TZ, TZDIR } = process.env;
  const { name, problem } = findMachineZone({ TZ: TZ ?? (isEmptyVariable("TZ") ? "" : undefined), TZDIR }, files);
  useZone(name);
  return problem;
}

/** The runtime does not tell an empty `TZ`, which means UTC, from none. */
function isEmptyVariable(name: string): boolean {
  try {
    return readFileSync("/proc/self/environ", "latin1").split("\0").includes(`${name}=`);
  } catch {
    return false;
  }
}
