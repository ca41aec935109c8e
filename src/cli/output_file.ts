import { randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { UsageError } from "../errors.ts";

/** Says why a file cannot be written to that path, before any work is done for it. */
export function checkOutputPath(path: string): void {
  if (path === "") throw new UsageError("--output is empty: give a path");
  const folder = dirname(path);
  if (!existsSync(`${folder}/.`)) throw new UsageError(`--output ${path}: there is no folder ${folder}`);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    throw new UsageError(`--output ${path}: the folder ${folder} is not writable`);
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSymbolicLink()) throw new UsageError(`--output ${path}: is a symbolic link`);
  if (found?.isDirectory()) throw new UsageError(`--output ${path}: is a directory`);
  if (found && !found.isFile()) throw new UsageError(`--output ${path}: is no regular file`);
}

/** Writes a file whole or not at all, readable by its owner only: beside it, synced, then renamed onto it. */
export function writeOutputFile(path: string, text: string): void {
  const folder = dirname(path);
  const temporary = join(folder, `.all-smi-${randomBytes(8).toString("hex")}.tmp`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
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
  syncFolder(folder);
}

/** Makes the rename itself survive a power loss. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
