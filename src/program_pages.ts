import { forgetFilePages, readProcText } from "./libc.ts";

/** A stretch of memory, in bytes. */
export interface Stretch {
  readonly address: number;
  readonly lengthBytes: number;
}

/**
 * Where the machine code of the program at `path` is mapped, by the text of `/proc/self/maps` (proc_pid_maps(5)): private
 * and not writable, so that every page is as the file has it.
 */
export function codeOfProgram(maps: string, path: string): Stretch[] {
  return maps.split("\n").flatMap((line) => {
    const [, from, to, file] = /^([0-9a-f]+)-([0-9a-f]+) r-xp [0-9a-f]+ \S+ \d+\s+(.*)$/.exec(line) ?? [];
    if (from === undefined || to === undefined || file !== path) return [];
    const address = Number.parseInt(from, 16);
    return [{ address, lengthBytes: Number.parseInt(to, 16) - address }];
  });
}

/**
 * Gives back the pages of Bun's code that only starting needed (loading and translating modules, setting up): 11 of
 * 40 MiB. What is needed again comes back by itself. Without a /proc they stay.
 */
export function forgetStartupCode(): void {
  if (process.platform !== "linux") return;
  for (const { address, lengthBytes } of codeOfProgram(readProcText("/proc/self/maps"), process.execPath)) {
    forgetFilePages(address, lengthBytes);
  }
}
