import { constants, type FileHandle, open } from "node:fs/promises";
import { errorCode } from "../errors.ts";
import { cannotSync } from "./append_file.ts";

/** One may write to a folder that one may not read, and then nobody can bring it to the disk. */
const mayNotRead = (error: unknown): boolean => ["EACCES", "EPERM"].includes(errorCode(error) ?? "");

/** The folder of a recording: which names are in it is brought to the disk apart from what is in the files. */
export class Folder {
  readonly #path: string;
  #isChanged = false;
  #syncs: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** A file in it was made, renamed or removed. */
  changed(): void {
    this.#isChanged = true;
  }

  /** Brings to the disk what has changed; where that fails the next call does. */
  sync(): Promise<void> {
    const sync = this.#syncs.then(() => this.#sync());
    this.#syncs = sync.catch(() => {});
    return sync;
  }

  async #sync(): Promise<void> {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    try {
      await syncFolder(this.#path);
    } catch (error) {
      if (cannotSync(error) || mayNotRead(error)) return;
      this.#isChanged = true;
      throw error;
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle | null = null;
  try {
    folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    await folder.sync();
  } finally {
    await folder?.close();
  }
}
