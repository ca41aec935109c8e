import { dirname } from "node:path";
import { systemWords } from "../errors.ts";
import type { Detector } from "../events/detector.ts";
import { AppendFile } from "./append_file.ts";
import type { ClosedSegments } from "./closed_segments.ts";
import type { Codec } from "./codec.ts";
import { Folder } from "./folder.ts";
import type { Header } from "./lines.ts";
import { takeLock } from "./lock.ts";
import { freeNumberAt, idAt, removeFile } from "./move_file.ts";
import type { Opened } from "./open.ts";
import { SegmentWriter } from "./segment_writer.ts";

export interface ActiveSegmentOptions {
  readonly path: string;
  readonly codec: Codec;
  /** A segment is closed at this many bytes on disk; 0: never. */
  readonly maxSizeBytes: number;
  /** Segments kept, the active one included. */
  readonly maxFiles: number;
  /** The header of the segment with that number. */
  readonly header: (segment: number) => Header;
  readonly closed: ClosedSegments;
  readonly say: (message: string) => void;
}

const SYNC_MS = 5000;

/** A full disk is no reason not to start: the frames wait for room, and so does this. */
const hasAppended = (file: AppendFile, bytes: Uint8Array): Promise<boolean> =>
  file.append(bytes).then(
    () => true,
    () => false,
  );

/** The file that is being written: continued, begun, closed and renamed, or left where somebody moved it away. */
export class ActiveSegment {
  readonly #options: ActiveSegmentOptions;
  readonly #detector: Detector;
  readonly #syncTimer: ReturnType<typeof setInterval>;
  readonly #folder: Folder;
  #writer: SegmentWriter | null = null;
  #lock: AppendFile;
  /** Made by us, and nothing written to it. */
  #isUntouched: boolean;
  #number: number;
  /** Bytes of closed segments, less what was in them before. */
  #closedBytes = 0;
  #isRotationDue = false;
  #isSyncing = false;
  #isUnsynced = false;

  constructor(options: ActiveSegmentOptions, detector: Detector, { lock, isNew, segment }: Opened) {
    this.#options = options;
    this.#detector = detector;
    this.#lock = lock;
    this.#isUntouched = isNew;
    this.#number = segment;
    this.#folder = new Folder(dirname(options.path));
    // To open it a file may have been made or renamed.
    this.#folder.changed();
    this.#syncTimer = setInterval(() => this.#sync(), SYNC_MS);
  }

  /** Makes whole what is there, to be gone on with. */
  async continue({ file, repair, unclosed }: Opened): Promise<void> {
    if (file === null) return;
    const keepBytes = repair?.keepBytes ?? 0;
    if (keepBytes < file.size) await file.truncate(keepBytes);
    this.#closedBytes = -file.size;
    const { codec, header } = this.#options;
    const continued = repair && { chain: repair.chain, unclosed, isOpen: !(await hasAppended(file, repair.closing)) };
    this.#writer = new SegmentWriter(file, codec, header(this.#number), this.#detector, continued);
  }

  /** Of the segment that is written, or comes next. */
  get number(): number {
    return this.#number;
  }

  /** False between a rotation and the next frame. */
  get isThere(): boolean {
    return this.#writer !== null;
  }

  /** What was written to this segment and to those before it. */
  get writtenBytes(): number {
    return this.#closedBytes + (this.#writer?.file.size ?? 0);
  }

  /** The segment to write the next frame to; begins one where there is none. */
  async writer(): Promise<SegmentWriter> {
    await this.#leaveIfMoved();
    return this.#writer ?? this.#begin();
  }

  /** A frame is in it. */
  touched(): void {
    this.#isUntouched = false;
  }

  rotateSoon(): void {
    this.#isRotationDue = true;
  }

  /** Creates the next segment. Only then the lock on the one before is given up, which therefore stays until then. */
  async #begin(): Promise<SegmentWriter> {
    const { path, codec, maxFiles, header, closed } = this.#options;
    await closed.removeSurplus(Math.max(1, maxFiles - 1));
    this.#number = await freeNumberAt(path, this.#number);
    const file = await this.#create();
    await this.#lock.close();
    this.#lock = file;
    this.#writer = new SegmentWriter(file, codec, header(this.#number), this.#detector);
    await closed.removeSurplus(maxFiles - 1);
    return this.#writer;
  }

  async #create(): Promise<AppendFile> {
    const { path } = this.#options;
    this.#folder.changed();
    const file = await AppendFile.create(path);
    try {
      if (takeLock(file.fd, path)) return file;
    } catch (error) {
      // Nobody can have locked it: nobody records to it.
      await removeFile(path, file.id);
      await file.close();
      throw error;
    }
    await file.close();
    throw new Error("another all-smi has begun to record to it");
  }

  /** `last_ms`: where the last frame stands on the timeline. */
  async rotateIfDue(last_ms: number): Promise<void> {
    const { maxSizeBytes } = this.#options;
    const writer = this.#writer;
    if (writer === null) return;
    const isFull = maxSizeBytes > 0 && writer.file.size >= maxSizeBytes;
    if (!isFull && !this.#isRotationDue) return;
    // Whoever asks from now on means the next segment.
    this.#isRotationDue = false;
    try {
      await this.#rotate(writer, last_ms);
    } catch (error) {
      this.#isRotationDue = true;
      throw error;
    }
  }

  async #rotate(writer: SegmentWriter, last_ms: number): Promise<void> {
    const { maxFiles, closed } = this.#options;
    await writer.end();
    const number = await closed.add(writer.file, this.#number, last_ms);
    this.#close(writer, number + 1);
    this.#folder.changed();
    await closed.removeSurplus(maxFiles);
  }

  /** Removes the oldest closed segment that the last hour does not need. Says whether one went. */
  removeOldest(now_ms: number): Promise<boolean> {
    this.#folder.changed();
    // Where nothing is at the path the newest one stays, to go on from.
    return this.#options.closed.removeOldest(this.isThere ? 0 : 1, now_ms);
  }

  /** Somebody moved or removed the file: it is closed where it is now, and another one begun at the path. */
  async #leaveIfMoved(): Promise<void> {
    const writer = this.#writer;
    const { path, say } = this.#options;
    if (writer === null || (await idAt(path)) === writer.file.id) return;
    say("was moved or removed while it was recorded to; a new file is begun");
    await writer.end().catch(() => writer.abandon());
    this.#isUntouched = false;
    this.#close(writer, this.#number + 1);
  }

  #close(writer: SegmentWriter, nextSegment: number): void {
    this.#closedBytes += writer.file.size;
    this.#writer = null;
    this.#number = nextSegment;
  }

  #sync(): void {
    if (this.#isSyncing) return;
    this.#isSyncing = true;
    this.#bringToDisk()
      .then(
        () => this.#synced(null),
        (error) => this.#synced(systemWords(error)),
      )
      .finally(() => {
        this.#isSyncing = false;
      });
  }

  async #bringToDisk(): Promise<void> {
    await this.#writer?.file.sync();
    await this.#folder.sync();
  }

  /** Says once that something cannot be brought to the disk, and once that it is there. */
  #synced(failure: string | null): void {
    if (this.#isUnsynced === (failure !== null)) return;
    this.#isUnsynced = failure !== null;
    this.#options.say(
      failure === null
        ? "what was recorded is on the disk now"
        : `what was recorded cannot be brought to the disk: ${failure}; it is written again until it can`,
    );
  }

  /** Closes the recording. Rejects where its end could not be written. */
  async close(): Promise<void> {
    clearInterval(this.#syncTimer);
    try {
      await this.#writer?.end();
    } catch (error) {
      throw new Error(`${this.#options.path}: its end could not be written: ${systemWords(error)}`);
    } finally {
      this.#writer?.abandon();
      if (this.#isUntouched) await removeFile(this.#options.path, this.#lock.id);
      await this.#lock.close();
      await this.#folder.sync();
    }
  }
}
