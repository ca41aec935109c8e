import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { systemWords, UsageError } from "../errors.ts";

/** Others may read it, or somebody else than its owner may write it. */
const LOOSE_MODE = 0o027;

const MOST_BYTES = 1 << 20;

/** The text of a file that an option names. Throws a UsageError where it cannot be read. */
export function readTextFile(option: string, path: string): string {
  return read(option, path, 0);
}

/** The same of a file that holds a secret: it is refused where its mode gives that away. */
export function readSecretFile(option: string, path: string): string {
  return read(option, path, LOOSE_MODE);
}

function read(option: string, path: string, forbidden: number): string {
  const fail = (words: string) => new UsageError(`${option} ${path}: ${words}`);
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    throw fail(systemWords(error));
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw fail("is no regular file");
    if (found.size > MOST_BYTES) throw fail("is too large");
    if ((found.mode & forbidden) !== 0) {
      const mode = (found.mode & 0o777).toString(8).padStart(4, "0");
      throw fail(`others may read or write it (mode ${mode}): chmod 600`);
    }
    return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
}

/** A bearer token in a file of its own, with or without a newline behind it. */
export function readToken(option: string, path: string): string {
  const token = readSecretFile(option, path).trim();
  if (token === "") throw new UsageError(`${option} ${path}: is empty`);
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError(`${option} ${path}: a token is one word of ASCII characters`);
  return token;
}
