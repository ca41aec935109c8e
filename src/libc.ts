import { dlopen, FFIType, ptr } from "bun:ffi";

/**
 * The few calls of the C library that no `node:` module offers, and, for a process that is to be small, some that one does.
 * Absent where no such library can be loaded.
 */

const NAMES = process.platform === "darwin" ? ["libSystem.B.dylib"] : ["libc.so.6", "libc.so"];

const SYMBOLS = {
  flock: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  lseek: { args: [FFIType.i32, FFIType.i64, FFIType.i32], returns: FFIType.i64 },
  open: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
  read: { args: [FFIType.i32, FFIType.ptr, FFIType.u64], returns: FFIType.i64 },
  write: { args: [FFIType.i32, FFIType.u64, FFIType.u64], returns: FFIType.i64 },
  close: { args: [FFIType.i32], returns: FFIType.i32 },
  prctl: { args: [FFIType.i32, FFIType.u64, FFIType.u64, FFIType.u64, FFIType.u64], returns: FFIType.i32 },
  madvise: { args: [FFIType.u64, FFIType.u64, FFIType.i32], returns: FFIType.i32 },
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

const LOCK_EX = 2;
const LOCK_NB = 4;

/** Takes the exclusive flock(2) of an open file, without waiting. False where another holds it. */
export function lockFile(fd: number): boolean {
  if (libc === null) throw new Error("cannot lock a file here: no C library was found");
  return libc.flock(fd, LOCK_EX | LOCK_NB) === 0;
}

const SEEK_END = 2;

/** Goes on reading an open file at its end. False where it has no such place, as a pipe. */
export const seekToEnd = (fd: number): boolean => libc !== null && Number(libc.lseek(fd, 0, SEEK_END)) >= 0;

const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const timespec = new BigInt64Array(2);

function clock_ms(clock: number): number | null {
  if (libc === null || process.platform !== "linux") return null;
  if (libc.clock_gettime(clock, ptr(timespec)) !== 0) return null;
  return Number(timespec[0]) * 1000 + Number(timespec[1]) / 1e6;
}

/** CLOCK_MONOTONIC in ms, counted from the boot; `null` where there is no such clock. */
export const monotonic_ms = (): number | null => clock_ms(CLOCK_MONOTONIC);

/** CLOCK_BOOTTIME in ms: it counts the time a machine was suspended. `null` where there is no such clock. */
export const boottime_ms = (): number | null => clock_ms(CLOCK_BOOTTIME);

const MADV_DONTNEED = 4;

/**
 * Takes pages out of the resident set; when touched, those of a file that nobody wrote to come back out of the page
 * cache. Only for such: of other memory the content would be lost. Linux only.
 */
export function forgetFilePages(address: number, lengthBytes: number): void {
  libc?.madvise(address, lengthBytes, MADV_DONTNEED);
}

const O_RDONLY = 0;
const PIECE_BYTES = 16 << 10;

/** The text of a file in /proc; `""` where it cannot be read. */
export function readProcText(path: string): string {
  const fd = libc?.open(ptr(Buffer.from(`${path}\0`)), O_RDONLY) ?? -1;
  if (libc === null || fd < 0) return "";
  const decoder = new TextDecoder();
  const piece = new Uint8Array(PIECE_BYTES);
  let text = "";
  for (;;) {
    const lengthBytes = Number(libc.read(fd, ptr(piece), piece.length));
    if (lengthBytes <= 0) break;
    text += decoder.decode(piece.subarray(0, lengthBytes), { stream: true });
  }
  libc.close(fd);
  return text;
}

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
