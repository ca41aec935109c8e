import { plausible } from "../../plausible.ts";
import { MOST_PARTITIONS } from "./metrics_layouts.ts";
import type { Values } from "./metrics_values.ts";

/** The links to other cards. */
export interface XgmiLinks {
  /** Lanes, and gigabits per second of each, as the firmware says of all links together. */
  readonly width: number | null;
  readonly gbps: number | null;
  /** Of links whose state is known, how many are up. */
  readonly active: number | null;
  readonly known: number;
}

/** By the kernel's `enum amdgpu_xgmi_link_status`; 2 is not known, as in a virtual machine. */
const INACTIVE = 0n;
const ACTIVE = 1n;

export function xgmiOf(values: Values): XgmiLinks | null {
  const width = positive(values("xgmi_width")[0]);
  const gbps = positive(values("xgmi_speed")[0]);
  const states = values("xgmi_status").filter((state) => state === ACTIVE || state === INACTIVE);
  if (width === null && gbps === null && states.length === 0) return null;
  const active = states.length === 0 ? null : states.filter((state) => state === ACTIVE).length;
  return { width, gbps, active, known: states.length };
}

const positive = (value: bigint | undefined): number | null => plausible("count", Number(value ?? 0n)) || null;

/** Each is as busy as its dies are on average. */
export function partitionsOf(values: Values): (number | null)[] | null {
  const count = Number(values("partitions")[0] ?? 0);
  if (count < 2 || count > MOST_PARTITIONS) return null;
  return Array.from({ length: count }, (_, n) => average(values(`partition${n}`).map(Number)));
}

function average(percents: readonly number[]): number | null {
  const known = percents.filter((percent) => plausible("percent", percent) !== null);
  return known.length === 0 ? null : Math.round(known.reduce((sum, percent) => sum + percent, 0) / known.length);
}
