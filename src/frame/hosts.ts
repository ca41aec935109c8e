import type { Frame } from "./frame.ts";

/** The sections whose rows say which host they are of. */
export const DEVICE_SECTIONS = ["gpus", "cpus", "memory", "chassis", "storage"] as const;

/** The `host_id` of every host that a frame has devices of, in the order in which they first stand there. */
export function hostIds(frame: Frame): string[] {
  const ids = new Set<string>();
  for (const name of DEVICE_SECTIONS) {
    for (const { host_id } of frame[name] ?? []) ids.add(host_id);
  }
  return [...ids];
}
