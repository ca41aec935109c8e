import { type BigIntStats, closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/**
 * Whether some process holds an exclusive flock(2) on the file that is at a path: its recorder is at work. Looks, and
 * does not touch the lock. False where the system does not tell.
 */
export function isLocked(path: string): boolean {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { inode, mount } = openFileOf(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"));
      const stats = fstatSync(fd, { bigint: true });
      const device = deviceOfMount(readFileSync("/proc/self/mountinfo", "utf8"), mount) ?? deviceOf(stats);
      return isInLocks(readFileSync("/proc/locks", "utf8"), `${device}:${inode ?? stats.ino}`);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/** What the kernel calls the file in its list of locks; some file systems tell programs another number. */
function openFileOf(fdinfo: string): { readonly inode: string | null; readonly mount: string | null } {
  const value = (key: string): string | null => new RegExp(`^${key}:\\s*(\\d+)$`, "m").exec(fdinfo)?.[1] ?? null;
  return { inode: value("ino"), mount: value("mnt_id") };
}

/** `major:minor` of the file system that is mounted there: of btrfs and overlays it is another one than a file's own. */
export function deviceOfMount(mountinfo: string, mount: string | null): string | null {
  for (const line of mountinfo.split("\n")) {
    const [id, , device] = line.split(" ");
    if (id === mount && device !== undefined) return device;
  }
  return null;
}

/** `major:minor` of glibc's makedev. */
function deviceOf({ dev }: BigIntStats): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}

/** Whether a list of locks has an exclusive flock of that `major:minor:inode`, which it has in hexadecimal numbers. */
export function isInLocks(locks: string, file: string): boolean {
  return locks.split("\n").some((line) => {
    // Those that wait for a lock have an arrow.
    const [, kind, , access, , place = ""] = line.trim().split(/\s+/);
    const [major = "", minor = "", inode = ""] = place.split(":");
    const isHeld = kind === "FLOCK" && access === "WRITE";
    return isHeld && `${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}:${inode}` === file;
  });
}
