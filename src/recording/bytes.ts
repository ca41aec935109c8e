import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { fileId } from "./file_id.ts";

/** What can be read at any place. */
export type ReadableBytes = Pick<FileBytes, "size" | "read">;

/** A file that is read in pieces at any place. It may grow meanwhile; {@link refresh} takes note. */
export class FileBytes {
  #fd: number;
  /** Tells a file that was renamed from another one at its old name. */
  readonly id: string;
  /** Neither a pipe nor a device: those have no place to read at. */
  readonly isRegular: boolean;
  #size: number;

  constructor(fd: number) {
    const stats = fstatSync(fd, { bigint: true });
    this.#fd = fd;
    this.id = fileId(stats);
    this.isRegular = stats.isFile();
    this.#size = Number(stats.size);
  }

  /** Opens for reading; throws as `openSync` does. Does not wait for a writer where the path is a pipe. */
  static open(path: string): FileBytes {
    return new FileBytes(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  }

  get fd(): number {
    return this.#fd;
  }

  get size(): number {
    return this.#size;
  }

  refresh(): void {
    this.#size = fstatSync(this.#fd).size;
  }

  /** Opens it by another name that it has got: by the old one the system calls it removed. */
  reopen(path: string): void {
    const other = FileBytes.open(path);
    if (other.id !== this.id) {
      other.close();
      return;
    }
    this.close();
    this.#fd = other.#fd;
  }

  /** Whether it has no name any more: as long as it is open it takes its room on the disk. */
  get isRemoved(): boolean {
    try {
      return fstatSync(this.#fd).nlink === 0;
    } catch {
      // Over a network the file is gone with its name.
      return true;
    }
  }

  /** Up to `length` bytes from `at`; fewer only where the file ends. */
  read(at: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#size - at)));
    let read = 0;
    while (read < buffer.length) {
      const got = readSync(this.#fd, buffer, read, buffer.length - read, at + read);
      if (got === 0) break;
      read += got;
    }
    return buffer.subarray(0, read);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** A power loss leaves zero bytes at the end of a file. */
export function lengthWithoutZeros(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
