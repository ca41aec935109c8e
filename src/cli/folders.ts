import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode, systemWords, UsageError } from "../errors.ts";

/**
 * Makes a folder that only its owner may enter, and those above it that are missing. Returns those that it made, from
 * the outermost on. Throws a UsageError; then it left none.
 */
export function makeFolders(folder: string): string[] {
  const made: string[] = [];
  try {
    for (const missing of missingFolders(folder)) if (makeFolder(missing)) made.push(missing);
    return made;
  } catch (error) {
    removeFolders(made);
    throw new UsageError(`${folder}: cannot be made: ${systemWords(error)}; give a path with -o`);
  }
}

const missingFolders = (folder: string): string[] =>
  existsSync(folder) || dirname(folder) === folder ? [] : [...missingFolders(dirname(folder)), folder];

/** Says whether it made it: somebody else may have done so meanwhile. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** Removes the folders that {@link makeFolders} made, as far as nothing is in them. */
export function removeFolders(made: readonly string[]): void {
  for (const path of made.toReversed()) {
    try {
      rmdirSync(path);
    } catch {
      // Somebody put something there: it stays, and so does what it is in.
    }
  }
}
