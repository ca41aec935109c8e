import { randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { systemWords, UsageError } from "../errors.ts";
import { Folder } from "../recording/folder.ts";

/** Says why a file cannot be written to that path, before any work is done for it. */
export function checkOutputPath(path: string): void {
  if (path === "") throw new UsageError("--output is empty: give a path");
  if (path.endsWith("/")) throw new UsageError(`--output ${path}: is the name of a folder; give the path of a file`);
  const folder = dirname(path);
  if (!existsSync(`${folder}/.`)) throw new UsageError(`--output ${path}: there is no folder ${folder}`);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    throw new UsageError(`--output ${path}: the folder ${folder} is not writable`);
  }
  const found = lookAt(path);
  if (found?.isSymbolicLink()) throw new UsageError(`--output ${path}: is a symbolic link`);
  if (found?.isDirectory()) throw new UsageError(`--output ${path}: is a directory`);
  if (found && !found.isFile()) throw new UsageError(`--output ${path}: is no regular file`);
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new UsageError(`--output ${path}: ${systemWords(error)}`);
  }
}

/**
 * Writes a file whole or not at all: beside it, synced, then renamed onto it. A new file has the mode that the umask
 * leaves it, one that replaces another the mode of that, and its owner where we may give files away.
 */
export async function writeOutputFile(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.all-smi-${randomBytes(8).toString("hex")}.tmp`);
  const replaced = replacedFile(path);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const mode = replaced === null ? 0o666 : 0o600;
  const descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    try {
      if (replaced !== null) makeAlike(descriptor, replaced);
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
  await bringToDisk(folder);
}

/** A link that stands there by now is none. */
function replacedFile(path: string): Stats | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? found : null;
}

/** The owner first: a file that is given away loses bits of its mode. */
function makeAlike(descriptor: number, { uid, gid, mode }: Stats): void {
  const own = fstatSync(descriptor);
  if (own.uid !== uid || own.gid !== gid) {
    try {
      fchownSync(descriptor, uid, gid);
    } catch {
      // Only root may: the file is ours then.
    }
  }
  fchmodSync(descriptor, mode & 0o777);
}

/** Makes the rename itself survive a power loss. */
function bringToDisk(path: string): Promise<void> {
  const folder = new Folder(path);
  folder.changed();
  return folder.sync();
}
