/** Numbers as people read them. */

const SIZES = ["B", "KB", "MB", "GB", "TB"] as const;

/** Bytes in powers of 1024 with three digits: `812 B`, `1.46 MB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  const digits = power === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${SIZES[power]}`;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** `00:12:34`; days stand before it: `3d 00:12:34`. */
export function formatElapsed(ms: number): string {
  const s = Math.floor(ms / 1000);
  const days = Math.floor(s / 86400);
  const clock = `${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return days > 0 ? `${days}d ${clock}` : clock;
}

/** `1 frame`, `2 frames`. */
export const formatCount = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;
