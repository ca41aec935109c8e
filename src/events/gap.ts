import { definitions } from "./definitions.ts";

/** More than so many intervals without a frame are a gap. */
export const GAP_INTERVALS = 2.5;

/** What is said of a gap, which is that long. */
export const gapText = (gap_ms: number): string => `${definitions.gap.sentence} for ${Math.round(gap_ms / 100) / 10} s`;
