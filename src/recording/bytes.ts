import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** A file that is read in pieces at any place. It may grow meanwhile; {@link refresh} takes note. */
export class FileBytes {
  readonly fd: number;
  /** Tells a file that was renamed from another one at its old name. */
  readonly inode: number;
  /** Neither a pipe nor a device: those have no place to read at. */
  readonly isRegular: boolean;
  #size: number;

  constructor(fd: number) {
    const stats = fstatSync(fd);
    this.fd = fd;
    this.inode = stats.ino;
    this.isRegular = stats.isFile();
    this.#size = stats.size;
  }

  /** Opens for reading; throws as `openSync` does. Does not wait for a writer where the path is a pipe. */
  static open(path: string): FileBytes {
    return new FileBytes(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  }

  get size(): number {
    return this.#size;
  }

  refresh(): void {
    this.#size = fstatSync(this.fd).size;
  }

  /** Up to `length` bytes from `at`; fewer only where the file ends. */
  read(at: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.#size - at)));
    let read = 0;
    while (read < buffer.length) {
      const got = readSync(this.fd, buffer, read, buffer.length - read, at + read);
      if (got === 0) break;
      read += got;
    }
    return buffer.subarray(0, read);
  }

  close(): void {
    closeSync(this.fd);
  }
}
