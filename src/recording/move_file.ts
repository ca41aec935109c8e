import { createHash, randomBytes } from "node:crypto";
import { constants, link, lstat, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { errorCode } from "../errors.ts";
import { fileId } from "./file_id.ts";
import { freeNumber, segmentPath } from "./name.ts";

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
const MODE = 0o600;
const MOST_TRIES = 100;

/** Which file a name means now; `null` where there is none. */
export async function idAt(path: string): Promise<string | null> {
  try {
    return fileId(await lstat(path, { bigint: true }));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** How a file is called between its path and its number: short, as the name itself may be as long as names may be. */
const betweenPrefix = (path: string): string =>
  `.all-smi-${createHash("sha256").update(basename(path)).digest("hex").slice(0, 16)}-`;

/** Those of the names in a folder that a recorder of that path has left between two names when it was killed. */
export const betweenNames = (path: string, names: readonly string[]): string[] =>
  names.filter((name) => name.startsWith(betweenPrefix(path))).map((name) => join(dirname(path), name));

/** The first number from that one on which a closed segment of the recording at the path can have now. */
export const freeNumberAt = async (path: string, from: number): Promise<number> =>
  freeNumber(path, from, await readdir(dirname(path)));

/** A closed segment's name, and the number in it. */
interface Named {
  readonly path: string;
  readonly number: number;
}

/**
 * Gives the file with that id, which is at the path of a recording, the name of a closed segment with the first free
 * number from that one on. Never replaces another file; on failure it is back at its path. renameat2(2) would do it in
 * one call, but there is none that the event loop does not wait for. So the file first gets a name that nobody else can
 * have, then the new one beside it, and only then loses the first.
 */
export async function closeFile(path: string, id: string, from: number): Promise<Named> {
  const between = join(dirname(path), betweenPrefix(path) + randomBytes(8).toString("hex"));
  await rename(path, between);
  try {
    // It may be another one, which came to the path just now.
    if ((await idAt(between)) !== id) throw new Error("was moved away while it was to be renamed");
    for (let n = 0; n < MOST_TRIES; n++) {
      const number = await freeNumberAt(path, from);
      const target = segmentPath(path, number);
      if (await giveName(between, target)) return { path: target, number };
    }
    throw new Error("every name that it could have is taken");
  } catch (error) {
    await giveName(between, path).catch(() => false);
    throw error;
  }
}

/** Renames a file. False where something stands under the new name, which is not replaced. */
export async function giveName(path: string, target: string): Promise<boolean> {
  try {
    await link(path, target);
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    return await moveOntoOwn(path, target);
  }
  // It has its new name: the old one may stay.
  await unlink(path).catch(() => {});
  return true;
}

/** Where a file has one name only: the new name is taken by an empty file of ours, which is replaced. */
async function moveOntoOwn(path: string, target: string): Promise<boolean> {
  const own = await createEmpty(target);
  if (own === null || (await idAt(target)) !== own) return false;
  try {
    await rename(path, target);
    return true;
  } catch (error) {
    await removeFile(target, own);
    throw error;
  }
}

/** Its id; `null` where something stands under that name. */
async function createEmpty(path: string): Promise<string | null> {
  try {
    const file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, MODE);
    try {
      return fileId(await file.stat({ bigint: true }));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "EEXIST") return null;
    throw error;
  }
}

/** Removes the file with that id. False where the path means another one, or none. */
export async function removeFile(path: string, id: string): Promise<boolean> {
  if ((await idAt(path)) !== id) return false;
  await unlink(path);
  return true;
}
