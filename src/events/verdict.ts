/**
 * What one frame says of a condition. `near`: not bad enough to begin, not good enough to end. `unknown`: neither
 * begins nor ends it.
 */
export type Verdict = "on" | "near" | "off" | "unknown";
