/**
 * Randomness without state: every number is a function of what it is for, so that the mock's state at any moment can be
 * computed without having lived through the time before it.
 */

/** Keeps the numbers drawn for one purpose apart from those for another (FNV-1a of the purpose's name). */
export function salt(purpose: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < purpose.length; i++) h = Math.imul(h ^ purpose.charCodeAt(i), 0x01000193);
  return h;
}

function absorb(h: number, value: number): number {
  let k = Math.imul(value | 0, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = h ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** 32 bits of MurmurHash3 over four whole numbers. */
export function hash(seed: number, purpose: number, a = 0, b = 0): number {
  let h = absorb(absorb(absorb(seed | 0, purpose), a), b);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** From 0 up to, but not including, 1. */
export const unit = (seed: number, purpose: number, a = 0, b = 0): number => hash(seed, purpose, a, b) / 2 ** 32;

/** One of the things; the list must not be empty. */
export const pick = <T>(things: readonly T[], h: number): T => things[h % things.length] as T;

/** A smooth curve between 0 and 1 that takes a new random value every `period_s`. */
export function noise(seed: number, purpose: number, id: number, t_s: number, period_s: number): number {
  const step = Math.floor(t_s / period_s);
  const x = t_s / period_s - step;
  const from = unit(seed, purpose, id, step);
  return from + (unit(seed, purpose, id, step + 1) - from) * x * x * (3 - 2 * x);
}

/** The whole numbers below `count` in a random order (Fisher and Yates). */
export function shuffled(count: number, seed: number, purpose: number, a = 0): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = hash(seed, purpose, a, i) % (i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

export const clamp = (value: number, lowest: number, highest: number): number =>
  Math.min(highest, Math.max(lowest, value));

/** The remainder that is never negative. */
export const modulo = (value: number, divisor: number): number => ((value % divisor) + divisor) % divisor;

export const round = (value: number, decimals: number): number => {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
};
