/** The units in which a kernel counts; the same for all processes of a machine. */
export interface KernelUnits {
  readonly page_bytes: number;
  readonly ticks_per_second: number;
}

/** What Linux uses on x86-64, and on most ARM machines. */
const usual: KernelUnits = { page_bytes: 4096, ticks_per_second: 100 };

/** Entries of the auxiliary vector, <elf.h>. */
const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

/** Reads `/proc/self/auxv` of a 64-bit process: pairs of native words. */
export function parseAuxiliaryVector(bytes: Buffer): KernelUnits {
  const values = new Map<bigint, number>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    values.set(view.getBigUint64(at, true), Number(view.getBigUint64(at + 8, true)));
  }
  return {
    page_bytes: values.get(AT_PAGESZ) ?? usual.page_bytes,
    ticks_per_second: values.get(AT_CLKTCK) ?? usual.ticks_per_second,
  };
}

/** When the machine started, in seconds since the epoch, from `/proc/stat`; `null` where the file does not say. */
export function parseBootTime(text: string): number | null {
  const seconds = text.match(/^btime (\d+)$/m)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

/** `MemTotal` of `/proc/meminfo` in bytes; `null` where the file does not say. */
export function parseMemoryTotal(text: string): number | null {
  const kibibytes = text.match(/^MemTotal:\s*(\d+) kB$/m)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}

/** The soft limit of open files in `/proc/self/limits`; `null` where there is none. */
export function parseOpenFilesLimit(text: string): number | null {
  const soft = text.match(/^Max open files\s+(\d+)/m)?.[1];
  return soft === undefined ? null : Number(soft);
}
