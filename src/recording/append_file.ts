import { closeSync, constants, fdatasync, fstatSync, fsyncSync, ftruncateSync, openSync, write } from "node:fs";

const MODE = 0o600;

/** A file that only grows, but for what a failed write left behind. Never follows a symlink. */
export class AppendFile {
  readonly fd: number;
  /** Tells whether a name still means this file. */
  readonly inode: number;
  #size: number;
  #dirty = false;

  private constructor(fd: number) {
    const { ino, size } = fstatSync(fd);
    this.fd = fd;
    this.inode = ino;
    this.#size = size;
  }

  /** Creates a file that must not exist yet, readable by its owner only. */
  static create(path: string): AppendFile {
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    return new AppendFile(openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, MODE));
  }

  /** Opens one that exists. */
  static open(path: string): AppendFile {
    return new AppendFile(openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  }

  /** Bytes that are whole: what a failed write added is not in it, and taken away again. */
  get size(): number {
    return this.#size;
  }

  /** Appends all of it or nothing. Off the event loop: a disk that hangs must not hang the sampler. */
  async append(bytes: Uint8Array): Promise<void> {
    let done = 0;
    try {
      while (done < bytes.length) done += await this.#write(bytes, done);
    } catch (error) {
      this.truncate(this.#size);
      throw error;
    }
    this.#size += bytes.length;
    this.#dirty = true;
  }

  /** Rejects where there is no room for so many more bytes; the file stays as it is. */
  async probe(bytes: number): Promise<void> {
    const size = this.#size;
    await this.append(new Uint8Array(bytes));
    this.truncate(size);
  }

  #write(bytes: Uint8Array, from: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    write(this.fd, bytes, from, bytes.length - from, this.#size + from, (error, written) => {
      if (error) reject(error);
      else resolve(written);
    });
    return promise;
  }

  truncate(size: number): void {
    ftruncateSync(this.fd, size);
    this.#size = size;
  }

  /** Brings to the disk what came since the last time, off the event loop. */
  async sync(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    fdatasync(this.fd, (error) => (error ? reject(error) : resolve()));
    await promise;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Makes a rename or a new file in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
