import { statfsSync } from "node:fs";
import { statfs } from "node:fs/promises";

/** The smaller of 5 % of the disk and 1 GiB: what is left free unless told otherwise. */
export function keptFreeBytes(directory: string): number {
  const { blocks, bsize } = statfsSync(directory);
  return Math.min(blocks * bsize * 0.05, 2 ** 30);
}

/** What anybody may still write to the disk of a directory. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
