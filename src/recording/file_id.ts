import type { BigIntStats } from "node:fs";

/** The same for two names of one file only. Numbers of 64 bits do not fit into a JavaScript number. */
export const fileId = ({ dev, ino }: Pick<BigIntStats, "dev" | "ino">): string => `${dev}:${ino}`;
