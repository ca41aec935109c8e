import type { Values } from "./metrics_values.ts";

/** Reasons by the bits of `indep_throttle_status`, which mean the same on every card: the kernel's amdgpu_smu.h. */
const REASONS: ReadonlyArray<readonly [first: number, last: number, reason: string]> = [
  // Limits of power, then of current.
  [0, 7, "power"],
  [16, 23, "power"],
  // Temperatures of parts, voltage regulators that are hot, and a signal from outside that something is.
  [32, 47, "thermal"],
  [56, 56, "power"],
  [57, 57, "hardware"],
];

/** By the bits of MI300's own status. */
const INSTINCT_REASONS: typeof REASONS = [
  [0, 0, "thermal"],
  [1, 1, "power"],
  [2, 4, "thermal"],
];

/** Counters that go on while the card is slowed down for a reason. */
const RESIDENCIES: Readonly<Record<string, readonly string[]>> = {
  power: ["ppt", "spl", "fppt", "sppt"],
  thermal: ["prochot", "socket_thermal", "vr_thermal", "memory_thermal", "core_thermal", "gfx_thermal", "soc_thermal"],
};

/** How long it has been slowed down, by reason, in units of its own. */
export type Residencies = Readonly<Record<string, number>>;

export const throttleOf = (status: bigint | undefined): string[] | null =>
  status === undefined ? null : reasonsOf(status, REASONS);

export const instinctThrottle = (status: bigint): string[] => reasonsOf(status, INSTINCT_REASONS);

function reasonsOf(status: bigint, reasons: typeof REASONS): string[] {
  const found = reasons.filter(
    ([first, last]) => ((status >> BigInt(first)) & ((1n << BigInt(last - first + 1)) - 1n)) !== 0n,
  );
  return [...new Set(found.map(([, , reason]) => reason))];
}

/** `null` where the version has no such counters. */
export function residenciesOf(values: Values): Residencies | null {
  const counted = Object.entries(RESIDENCIES).map(([reason, names]) => [reason, names.flatMap(values)] as const);
  if (counted.every(([, counters]) => counters.length === 0)) return null;
  return Object.fromEntries(
    counted.map(([reason, counters]) => [reason, counters.map(Number).reduce((sum, one) => sum + one, 0)]),
  );
}

/** For what reasons it was slowed down between two readings; `null` where one is missing. */
export function throttleBetween(before: Residencies | null, after: Residencies | null): string[] | null {
  if (before === null || after === null) return null;
  return Object.entries(after)
    .filter(([reason, residency]) => residency > (before[reason] ?? residency))
    .map(([reason]) => reason);
}
