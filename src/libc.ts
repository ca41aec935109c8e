import { dlopen, FFIType, ptr, read } from "bun:ffi";
import { constants } from "node:os";

/**
 * The few calls of the C library that no `node:` module offers, and one that spares the NVIDIA helper such a module. Absent
 * where no such library can be loaded.
 */

const NAMES = process.platform === "darwin" ? ["libSystem.B.dylib"] : ["libc.so.6", "libc.so"];

const SYMBOLS = {
  flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  lseek: { args: [FFIType.i32, FFIType.i64, FFIType.i32], returns: FFIType.i64 },
  write: { args: [FFIType.i32, FFIType.u64, FFIType.u64], returns: FFIType.i64 },
  prctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
} as const;

function load() {
  for (const name of NAMES) {
    try {
      return dlopen(name, SYMBOLS).symbols;
    } catch {}
  }
  return null;
}

const libc = load();

/** Where this thread's errno is: its name is not part of a standard. */
function errnoPlace(): number | null {
  const name = process.platform === "darwin" ? "__error" : "__errno_location";
  for (const library of NAMES) {
    try {
      return Number(dlopen(library, { [name]: { args: [], returns: FFIType.ptr } }).symbols[name]?.());
    } catch {}
  }
  return null;
}

const errno = errnoPlace();

/** Why the last call failed, as `EIO`. To be asked at once: any call may change it. */
function lastError(): string {
  const number = errno === null ? 0 : read.i32(errno as Parameters<typeof read.i32>[0], 0);
  return Object.entries(constants.errno).findLast(([, known]) => known === number)?.[0] ?? `error ${number}`;
}

const LOCK_EX = 2;
const LOCK_NB = 4;
/** A network file system may be interrupted, by a signal that has nothing to do with it. */
const MOST_INTERRUPTIONS = 10;

/** No lock is to be had; `code` is the system's word for why, as `EOPNOTSUPP`. */
export class LockError extends Error {
  override readonly name = "LockError";
  readonly code: string;

  constructor(code: string) {
    super(`cannot be locked: ${code}`);
    this.code = code;
  }
}

/** Takes the exclusive flock(2) of an open file, without waiting. False where another holds it. Throws a LockError. */
export function lockFile(fd: number): boolean {
  if (libc === null) throw new LockError("ENOSYS");
  for (let interruptions = 0; ; interruptions++) {
    if (libc.flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
    const code = lastError();
    if (code === "EAGAIN" || code === "EWOULDBLOCK") return false;
    if (code !== "EINTR" || interruptions === MOST_INTERRUPTIONS) throw new LockError(code);
  }
}

const SEEK_END = 2;

/** Goes on reading an open file at its end. False where it has no such place, as a pipe. */
export const seekToEnd = (fd: number): boolean => libc !== null && Number(libc.lseek(fd, 0, SEEK_END)) >= 0;

const CLOCK_MONOTONIC = 1;
const CLOCK_THREAD_CPUTIME_ID = 3;
const CLOCK_BOOTTIME = 7;
const timespec = new BigInt64Array(2);

function clock_ms(clock: number): number | null {
  if (libc === null || process.platform !== "linux") return null;
  if (libc.clock_gettime(clock, ptr(timespec)) !== 0) return null;
  return Number(timespec[0]) * 1000 + Number(timespec[1]) / 1e6;
}

/** CLOCK_MONOTONIC in ms, counted from the boot; `null` where there is no such clock. */
export const monotonic_ms = (): number | null => clock_ms(CLOCK_MONOTONIC);

/** CPU that this thread has taken, in ms; `null` where there is no such clock. */
export const threadCpu_ms = (): number | null => clock_ms(CLOCK_THREAD_CPUTIME_ID);

/** CLOCK_BOOTTIME in ms: it counts the time a machine was suspended. `null` where there is no such clock. */
export const boottime_ms = (): number | null => clock_ms(CLOCK_BOOTTIME);

/** Writes to an open file before it returns; what cannot be written is lost. */
export function writeText(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (libc !== null && written < bytes.length) {
    const now = Number(libc.write(fd, ptr(bytes) + written, bytes.length - written));
    if (now <= 0) return;
    written += now;
  }
}

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** Has the kernel kill this process when the one that started it ends: a call that hangs hears of that by no other way. */
export function endWithParent(): void {
  libc?.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/** struct timex of adjtimex(2) where a long has 64 bits; its `status` is the int at this place. */
const TIMEX_BYTES = 208;
const TIMEX_STATUS_INDEX = 40 / Int32Array.BYTES_PER_ELEMENT;
const STA_UNSYNC = 0x40;

/** Whether something keeps the wall clock right (NTP, PTP); `null` where the kernel does not say. */
export function clockIsSynchronized(): boolean | null {
  const timex = new Int32Array(TIMEX_BYTES / Int32Array.BYTES_PER_ELEMENT);
  for (const name of process.platform === "linux" ? NAMES : []) {
    try {
      const { symbols } = dlopen(name, { adjtimex: { args: [FFIType.ptr], returns: FFIType.i32 } });
      return symbols.adjtimex(ptr(timex)) === -1 ? null : ((timex[TIMEX_STATUS_INDEX] ?? 0) & STA_UNSYNC) === 0;
    } catch {}
  }
  return null;
}
