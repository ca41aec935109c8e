/** The bits of `clocks_event_reasons.active`, which are NVML's, and how a frame has them. */
const REASONS: readonly (readonly [bit: number, reason: string])[] = [
  [0x4, "power"],
  [0x20, "thermal"],
  [0x40, "thermal"],
  [0x80, "power_brake"],
  [0x8, "hardware"],
  [0x10, "sync"],
  [0x2, "application"],
];

/** `hardware` is also up whenever one of these, which say why, is. */
const HARDWARE_REASONS = 0x40 | 0x80;

export function throttleReasons(mask: number): string[] {
  const up = REASONS.filter(([bit]) => (mask & bit) !== 0 && !(bit === 0x8 && (mask & HARDWARE_REASONS) !== 0));
  return [...new Set(up.map(([, reason]) => reason))];
}
