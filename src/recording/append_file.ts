import { type BigIntStats, close, constants, fdatasync, fstat, ftruncate, open, read, unlink, write } from "node:fs";
import { errorCode } from "../errors.ts";
import { fileId } from "./file_id.ts";

const MODE = 0o600;

/**
 * Bytes that may wait to be brought to the disk: they are kept, to be written again where that fails. With more of them
 * the disk does not keep up, and what comes has to wait.
 */
const MOST_UNSYNCED_BYTES = 8 << 20;

/** A file that only grows, but for what a failed write left behind. Never follows a symlink. */
export class AppendFile {
  readonly fd: number;
  /** Tells whether a name still means this file. */
  readonly id: string;
  #size: number;
  /** Whether there is something behind `size`, which a failed write left there and which could not be taken away. */
  #isRagged = false;
  /** Whether there is something to be brought to the disk. */
  #isDirty = false;
  /** The end of the file, as far as nobody has said that it is on the disk. */
  #unsynced: Uint8Array[] = [];
  #unsyncedBytes = 0;
  /** How much of the file the sync under way brings to the disk. */
  #reaching = 0;
  /** A sync failed: the kernel takes what it had to write for written, and a later one would not write it. */
  #mustRewrite = false;
  /** What changes the file comes one after the other, and so do syncs. */
  #changes: Promise<unknown> = Promise.resolve();
  #syncs: Promise<unknown> = Promise.resolve();

  private constructor(fd: number, stats: BigIntStats) {
    this.fd = fd;
    this.id = fileId(stats);
    this.#size = Number(stats.size);
  }

  /** Creates a file that must not exist yet, readable by its owner only. */
  static async create(path: string): Promise<AppendFile> {
    const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = await opened(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
    try {
      return await AppendFile.#of(fd);
    } catch (error) {
      await called((done) => unlink(path, done));
      throw error;
    }
  }

  /** Opens one that exists. */
  static async open(path: string): Promise<AppendFile> {
    return await AppendFile.#of(await opened(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  }

  static async #of(fd: number): Promise<AppendFile> {
    try {
      return new AppendFile(fd, await called<BigIntStats>((done) => fstat(fd, { bigint: true }, done)));
    } catch (error) {
      await called((done) => close(fd, done));
      throw error;
    }
  }

  /** Bytes that are whole: what a failed write added is not in it, and taken away again. */
  get size(): number {
    return this.#size;
  }

  /**
   * Appends all of it or nothing. Off the event loop: a disk that hangs must not hang the sampler. The bytes are kept
   * until they are on the disk, and may not be changed any more.
   */
  async append(bytes: Uint8Array): Promise<void> {
    if (this.#unsyncedBytes > 0 && this.#unsyncedBytes + bytes.length > MOST_UNSYNCED_BYTES) await this.sync();
    await this.#change(() => this.#append(bytes));
  }

  /** What is in it from there on. */
  async read(from: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, this.#size - from));
    let done = 0;
    while (done < bytes.length) {
      const [at, length] = [done, bytes.length - done];
      const now = await called<number>((finished) => read(this.fd, bytes, at, length, from + at, finished));
      if (now === 0) break;
      done += now;
    }
    return bytes.subarray(0, done);
  }

  /** Rejects where there is no room for so many more bytes; the file stays as it is. */
  probe(bytes: number): Promise<void> {
    return this.#change(async () => {
      const size = this.#size;
      await this.#append(new Uint8Array(bytes));
      await this.#cut(size);
    });
  }

  /** Takes away what is behind so many bytes. */
  truncate(size: number): Promise<void> {
    return this.#change(() => this.#cut(size));
  }

  /**
   * Brings to the disk what came since the last time. Where that fails it counts as not written: the next call writes it
   * again before it brings it there.
   */
  sync(): Promise<void> {
    const sync = this.#syncs.then(() => this.#sync());
    this.#syncs = sync.catch(() => {});
    return sync;
  }

  /** Closes it, and gives up its lock, when what is under way is over. */
  async close(): Promise<void> {
    await this.#syncs;
    await this.#changes;
    await called((done) => close(this.fd, done));
  }

  #change(work: () => Promise<void>): Promise<void> {
    const change = this.#changes.then(work);
    this.#changes = change.catch(() => {});
    return change;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    if (this.#isRagged) await this.#cut(this.#size);
    try {
      await writeAll(this.fd, bytes, this.#size);
    } catch (error) {
      this.#isRagged = true;
      await this.#cut(this.#size).catch(() => {});
      throw error;
    }
    this.#isDirty = true;
    this.#size += bytes.length;
    this.#unsynced.push(bytes);
    this.#unsyncedBytes += bytes.length;
  }

  async #cut(size: number): Promise<void> {
    await called((done) => ftruncate(this.fd, size, done));
    this.#isRagged = false;
    this.#isDirty = true;
    let excessBytes = Math.min(this.#size - size, this.#unsyncedBytes);
    this.#size = size;
    this.#reaching = Math.min(this.#reaching, size);
    this.#unsyncedBytes -= excessBytes;
    while (excessBytes > 0) {
      const last = this.#unsynced.pop() ?? new Uint8Array(excessBytes);
      if (last.length > excessBytes) this.#unsynced.push(last.subarray(0, last.length - excessBytes));
      excessBytes = Math.max(0, excessBytes - last.length);
    }
  }

  async #sync(): Promise<void> {
    if (!this.#isDirty) return;
    if (this.#mustRewrite) await this.#change(() => this.#rewrite());
    this.#isDirty = false;
    this.#reaching = this.#size;
    try {
      await called((done) => fdatasync(this.fd, done));
    } catch (error) {
      if (cannotSync(error)) return this.#synced();
      this.#isDirty = true;
      this.#mustRewrite = true;
      throw error;
    }
    this.#synced();
  }

  /** Into the same places: a disk puts what it cannot keep there elsewhere when it is written again. */
  async #rewrite(): Promise<void> {
    let place = this.#size - this.#unsyncedBytes;
    for (const piece of this.#unsynced) {
      await writeAll(this.fd, piece, place);
      place += piece.length;
    }
    this.#mustRewrite = false;
  }

  #synced(): void {
    let place = this.#size - this.#unsyncedBytes;
    const isOnDisk = (piece: Uint8Array) => {
      place += piece.length;
      return place <= this.#reaching;
    };
    const first = this.#unsynced.findIndex((piece) => !isOnDisk(piece));
    this.#unsynced = first < 0 ? [] : this.#unsynced.slice(first);
    this.#unsyncedBytes = this.#unsynced.reduce((sum, piece) => sum + piece.length, 0);
  }
}

/** Some file systems do not know what is asked (fsync(2)): there is no more to be had of them. */
export const cannotSync = (error: unknown): boolean =>
  ["EINVAL", "ENOSYS", "EOPNOTSUPP"].includes(errorCode(error) ?? "");

/** A call of `node:fs` that runs on its thread pool, as a promise. */
const called = <T = void>(call: (done: (error: Error | null, value?: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value as T))));

const opened = (path: string, flags: number): Promise<number> => called((done) => open(path, flags, MODE, done));

async function writeAll(fd: number, bytes: Uint8Array, place: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = done;
    done += await called<number>((finished) => write(fd, bytes, at, bytes.length - at, place + at, finished));
  }
}
