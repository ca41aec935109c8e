import { UsageError } from "../errors.ts";
import { LockError, lockFile } from "../libc.ts";

/** What a file system without flock(2) says to it. */
const WITHOUT_LOCKS: readonly string[] = ["EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EINVAL"];

/** Why no lock is to be had, and what to do about it. */
export function lockWords({ code }: LockError): string {
  if (WITHOUT_LOCKS.includes(code)) {
    return `this file system has no locks (${code}); record to another one, or mount it with locks (Lustre: option flock)`;
  }
  if (code === "ENOLCK") {
    return `there is no lock to be had (${code}); on NFS start rpc.statd on both sides, or record to a local disk`;
  }
  return `cannot be locked (${code}); give another path`;
}

/**
 * Takes the lock that a recorder holds on a file as long as it records to it. False: somebody else holds it. Throws a
 * UsageError about the path where there is no lock to be had.
 */
export function takeLock(fd: number, path: string): boolean {
  try {
    return lockFile(fd);
  } catch (error) {
    throw error instanceof LockError ? new UsageError(`${path}: ${lockWords(error)}`) : error;
  }
}
