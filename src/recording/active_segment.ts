import { lstatSync, renameSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { systemWords } from "../errors.ts";
import type { Detector } from "../events/detector.ts";
import { lockFile } from "../libc.ts";
import { AppendFile, syncDirectory } from "./append_file.ts";
import type { Codec } from "./codec.ts";
import type { Header } from "./lines.ts";
import { nextNumber, segmentPath } from "./name.ts";
import type { Opened } from "./open.ts";
import { removeSurplus } from "./room.ts";
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
  #begin(): SegmentWriter {
    const { path, codec, maxFiles, header } = this.#options;
    removeSurplus(path, Math.max(1, maxFiles - 1));
    const file = AppendFile.create(path);
    if (!lockFile(file.fd)) {
      void file.close();
      throw new Error("another all-smi has begun to record to it");
    }
    void this.#lock.close();
    this.#lock = file;
    this.#writer = new SegmentWriter(file, codec, header(this.#number), this.#detector);
    removeSurplus(path, maxFiles - 1);
    return this.#writer;
  }

  async rotateIfDue(): Promise<void> {
    const { path, maxSizeBytes, maxFiles } = this.#options;
    const writer = this.#writer;
    if (writer === null) return;
    const isFull = maxSizeBytes > 0 && writer.file.size >= maxSizeBytes;
    if (!isFull && !this.#isRotationDue) return;
    await writer.end();
    const number = Math.max(this.#number, nextNumber(path));
    renameSync(path, segmentPath(path, number));
    this.#isRotationDue = false;
    this.#close(writer, number + 1);
    syncDirectory(dirname(path));
    removeSurplus(path, maxFiles);
  }

  /** Somebody moved or removed the file: it is closed where it is now, and another one begun at the path. */
  async #leaveIfMoved(): Promise<void> {
    const writer = this.#writer;
    const { path, say } = this.#options;
    if (writer === null || lstatSync(path, { throwIfNoEntry: false })?.ino === writer.file.inode) return;
    say("was moved or removed while it was recorded to; a new file is begun");
    await writer.end().catch(() => writer.abandon());
    this.#isUntouched = false;
    this.#close(writer, Math.max(this.#number, nextNumber(path)));
  }

  #close(writer: SegmentWriter, nextSegment: number): void {
    this.#closedBytes += writer.file.size;
    this.#writer = null;
    this.#number = nextSegment;
  }

  #sync(): void {
    const file = this.#writer?.file;
    if (file === undefined || this.#isSyncing) return;
    this.#isSyncing = true;
    file
      .sync()
      .then(
        () => this.#synced(null),
        (error) => this.#synced(systemWords(error)),
      )
      .finally(() => {
        this.#isSyncing = false;
      });
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
    } finally {
      this.#writer?.abandon();
      if (this.#isUntouched) unlinkSync(this.#options.path);
      await this.#lock.close();
    }
  }
}
