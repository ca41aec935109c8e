import { writeFileSync } from "node:fs";

/** Makes the next one who reads the file read it from the disk: all caches where that is allowed, else those of the file. */
export async function dropCaches(path: string): Promise<void> {
  if (process.getuid?.() !== 0) {
    await Bun.$`dd of=${path} oflag=nocache conv=notrunc,fdatasync count=0`.quiet();
    return;
  }
  await Bun.$`sync`.quiet();
  writeFileSync("/proc/sys/vm/drop_caches", "3");
}
