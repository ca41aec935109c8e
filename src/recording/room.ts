import { statfsSync, unlinkSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { FileBytes } from "./bytes.ts";
import { codecOf } from "./codec.ts";
import { examine } from "./examine.ts";
import { listSegments } from "./name.ts";

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

/** Whether a file is a recording. What is none is never removed, whatever it is called. */
function isRecording(path: string): boolean {
  const file = FileBytes.open(path);
  try {
    const { kind } = examine(file, codecOf(file.read(0, 64)));
    return kind === "continue" || kind === "adopt" || kind === "empty";
  } finally {
    file.close();
  }
}

/** Removes the oldest closed segments of the recording at `path` until `kept` are left. Says how many went. */
export function removeOldest(path: string, kept: number): number {
  const segments = listSegments(path);
  const surplus = segments.slice(0, Math.max(0, segments.length - kept)).filter((one) => isRecording(one.path));
  for (const segment of surplus) unlinkSync(segment.path);
  return surplus.length;
}
