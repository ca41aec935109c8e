import { constants, type FileHandle, open } from "node:fs/promises";
import { lockFile } from "../libc.ts";
import { type FileFacts, fileFacts } from "./file_facts.ts";
import { fileId } from "./file_id.ts";
import { lastPlace_ms } from "./last_place.ts";
import { closeFile, idAt, removeFile } from "./move_file.ts";

/** A closed segment of the recording that is recorded. */
interface ClosedSegment {
  readonly path: string;
  readonly id: string;
  /** On the timeline, of its last frame; `null`: nobody has looked yet. */
  last_ms: number | null;
}

/** Segments that are needed, whatever room there is: those with a frame of the last hour. */
const NEEDED_MS = 3_600_000;

/**
 * The closed segments of one recording, known by their headers. What else is called so stays as it is: it is never
 * removed, and its number is passed over.
 */
export class ClosedSegments {
  readonly #path: string;
  readonly #recording: string;
  #segments: ClosedSegment[];

  /** `files`: those of the recording that are there, oldest first. */
  constructor(path: string, recording: string, files: readonly FileFacts[]) {
    this.#path = path;
    this.#recording = recording;
    this.#segments = files.map((file) => ({ path: file.path, id: file.id, last_ms: null }));
  }

  /** Gives the file at the path a number, from that one on. Returns which. */
  async add({ id }: { readonly id: string }, from: number, last_ms: number): Promise<number> {
    const { path, number } = await closeFile(this.#path, id, from);
    this.#segments.push({ path, id, last_ms });
    return number;
  }

  /** Removes the oldest until `kept` are left. */
  async removeSurplus(kept: number): Promise<void> {
    const isThere = await Promise.all(this.#segments.map(({ path, id }) => isAt(path, id)));
    this.#segments = this.#segments.filter((_, n) => isThere[n]);
    for (const segment of this.#segments.slice(0, Math.max(0, this.#segments.length - kept))) {
      await this.#remove(segment);
    }
  }

  /**
   * Removes the oldest that can be removed, but none of the newest `kept`, and none with a frame of the hour before
   * `now_ms` on the timeline. Says whether one went.
   */
  async removeOldest(kept: number, now_ms: number): Promise<boolean> {
    for (const segment of this.#segments.slice(0, Math.max(0, this.#segments.length - kept))) {
      segment.last_ms ??= await lastPlace_ms(segment.path, now_ms).catch(() => null);
      if (segment.last_ms !== null && segment.last_ms > now_ms - NEEDED_MS) return false;
      if (await this.#remove(segment)) return true;
    }
    return false;
  }

  /** Says whether it went: it may have been replaced, be held by somebody, or not be ours to remove. */
  async #remove({ path, id }: ClosedSegment): Promise<boolean> {
    try {
      if (!(await isAt(path, id))) {
        this.#segments = this.#segments.filter((one) => one.path !== path);
        return false;
      }
      const isRemoved = (await fileFacts(path))?.recording === this.#recording && (await removeUnlocked(path, id));
      if (isRemoved) this.#segments = this.#segments.filter((one) => one.path !== path);
      return isRemoved;
    } catch {
      return false;
    }
  }
}

const isAt = async (path: string, id: string): Promise<boolean> => (await idAt(path).catch(() => null)) === id;

/** Not a file that somebody has locked. */
async function removeUnlocked(path: string, id: string): Promise<boolean> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const isSame = fileId(await file.stat({ bigint: true })) === id;
    return isSame && lockFile(file.fd) && (await removeFile(path, id));
  } finally {
    await file?.close();
  }
}
