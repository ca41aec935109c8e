import { statfsSync, unlinkSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { FileBytes } from "./bytes.ts";
import { codecOf } from "./codec.ts";
import { examine } from "./examine.ts";
import { listSegments, type Segment } from "./name.ts";

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

/** Whether a file is a recording: what is none is never removed, and never continued, whatever it is called. */
export function isRecording(path: string): boolean {
  const file = FileBytes.open(path);
  try {
    return examine(file, codecOf(file.read(0, 64))).kind !== "foreign";
  } finally {
    file.close();
  }
}

/** Says whether it went: somebody else's file may not be ours to read, or to remove. */
function remove({ path }: Segment): boolean {
  try {
    if (!isRecording(path)) return false;
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** All closed segments but the newest `kept`. */
function surplus(path: string, kept: number): Segment[] {
  const segments = listSegments(path);
  return segments.slice(0, Math.max(0, segments.length - kept));
}

/** Removes the oldest closed segments of the recording at `path` until `kept` are left. */
export function removeSurplus(path: string, kept: number): void {
  for (const segment of surplus(path, kept)) remove(segment);
}

/** Removes the oldest closed segment that can be removed, but none of the newest `kept`. Says whether one went. */
export const removeOldest = (path: string, kept: number): boolean => surplus(path, kept).some(remove);
