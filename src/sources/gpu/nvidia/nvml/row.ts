import type { Gpu } from "../../../../frame/schema.ts";
import { UNKNOWN } from "../../unknown.ts";
import type { NvidiaCard } from "../card.ts";
import type { Identity } from "./identity.ts";

export type Row = NvidiaCard["row"];
export type Health = Required<NonNullable<Gpu["health"]>>;
export type NvLinks = NonNullable<Health["nvlink"]>;
export type MigInstances = NonNullable<Gpu["mig"]>;

/** To be brought up to date in its place. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The row of a card of which nothing is known but which one it is. */
export const unknownRow = (uuid: string, index: number | null): Row => ({
  uuid,
  name: "",
  device_type: "GPU",
  index,
  ...UNKNOWN,
  mig: null,
  health: null,
});

/** That of a card that was read before and does not answer now. */
export const silentRow = (
  uuid: string,
  index: number | null,
  identity: Identity,
  total_memory: number | null,
): Row => ({
  ...unknownRow(uuid, index),
  ...identityKeys(identity),
  total_memory,
});

/** What the identity says under the keys of the row. */
export const identityKeys = (
  identity: Identity,
): Pick<Row, "name" | "gpu_core_count" | "numa_node_id" | "gsp_firmware_mode" | "gsp_firmware_version" | "detail"> &
  Identity["thresholds"] => ({
  name: identity.name,
  gpu_core_count: identity.coreCount,
  numa_node_id: identity.numaNode,
  gsp_firmware_mode: identity.gspMode,
  gsp_firmware_version: identity.gspVersion,
  detail: identity.detail,
  ...identity.thresholds,
});

/** `before` where its values are the same: what keeps its identity is not sent again. */
export function kept<T extends object>(before: NoInfer<T> | null | undefined, now: T): T {
  if (!before) return now;
  for (const key in now) {
    if (now[key] !== before[key]) return now;
  }
  return before;
}
