import { constants, type FileHandle, open } from "node:fs/promises";
import { findLastIndex } from "./chain.ts";
import { codecOf } from "./codec.ts";

const MAGIC_BYTES = 64;
/** The last index line is mostly much smaller. */
const TAIL_BYTES = 1 << 20;

/**
 * Where the last frame of a closed segment stands on the timeline, of which it is `now_ms`: as its last index line says.
 * Where there is none, as long ago as the file was last changed.
 */
export async function lastPlace_ms(path: string, now_ms: number): Promise<number> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size, mtimeMs } = await file.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const magic = await piece(file, 0, MAGIC_BYTES);
    const tail = await piece(file, start, size - start);
    const read = (at: number, length: number): Buffer =>
      at < start ? Buffer.alloc(0) : tail.subarray(at - start, at - start + length);
    const last = findLastIndex({ size, read }, codecOf(magic));
    return last?.index.end === true ? last.index.block.elapsed_ms : now_ms - Math.max(0, Date.now() - mtimeMs);
  } finally {
    await file.close();
  }
}

async function piece(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
