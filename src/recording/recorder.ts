import { renameSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { systemWords } from "../errors.ts";
import { Detector } from "../events/detector.ts";
import { frameLine } from "../frame/encode.ts";
import { fitFrame } from "../frame/fit.ts";
import type { Frame } from "../frame/frame.ts";
import { lockFile } from "../libc.ts";
import { AppendFile, syncDirectory } from "./append_file.ts";
import type { Codec } from "./codec.ts";
import { MAX_LINE_BYTES } from "./limits.ts";
import type { Header } from "./lines.ts";
import { nextNumber, segmentPath } from "./name.ts";
import { type Opened, openRecording } from "./open.ts";
import { FrameQueue } from "./queue.ts";
import { freeBytes, keptFreeBytes, removeOldest, removeSurplus } from "./room.ts";
import { SegmentWriter } from "./segment_writer.ts";

export interface RecorderOptions {
  readonly path: string;
  readonly codec: Codec;
  /** A segment is closed at this many bytes on disk; 0: never. */
  readonly maxSizeBytes: number;
  /** Segments kept, the active one included. */
  readonly maxFiles: number;
  /** Below this the oldest segments go, then recording pauses; `null`: the default. */
  readonly keepFreeBytes: number | null;
  readonly interval_ms: number;
  readonly source: "local" | "remote";
  readonly hostname: string;
  readonly hosts: readonly string[];
  readonly version: string;
  /** Says something to the person who recorded, once for each thing that happens. */
  readonly tell: (message: string) => void;
}

export interface RecorderStatus {
  readonly frames: number;
  /** Of all that this recorder wrote, as stored. */
  readonly writtenBytes: number;
  /** Frames that came but are not in the recording. */
  readonly missing: number;
}

const SYNC_MS = 5000;
const encoder = new TextEncoder();

/** A full disk is no reason not to start: the frames wait for room, and so does this. */
const hasAppended = (file: AppendFile, bytes: Uint8Array): Promise<boolean> =>
  file.append(bytes).then(
    () => true,
    () => false,
  );

/**
 * Writes frames into a recording that survives anything: continues what is there, rotates, makes room, and lives on
 * when the disk is full. Frames are handed over with `offer`, which never waits.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #queue = new FrameQueue();
  readonly #keepFreeBytes: number;
  readonly #recording: string;
  readonly #done: Promise<void>;
  readonly #syncTimer: ReturnType<typeof setInterval>;
  #writer: SegmentWriter | null;
  #lock: AppendFile;
  #isUntouched: boolean;
  #segment: number;
  #seq: number;
  /** What is added to a frame's own `elapsed_ms`; set by the first frame. */
  #elapsed_ms: number | null = null;
  readonly #last: Opened["last"];
  readonly #detector: Detector;
  #isRotationDue = false;
  #missing = 0;
  #missingReason = "";
  #missingTotal = 0;
  #frames = 0;
  /** Bytes of closed segments, less what was in them before. */
  #closedBytes = 0;
  #isSyncing = false;

  /** Throws a UsageError where the path cannot be recorded to. */
  static async open(options: RecorderOptions): Promise<Recorder> {
    const opened = await openRecording(options);
    const recorder = new Recorder(options, opened);
    await recorder.#repair(opened);
    return recorder;
  }

  private constructor(options: RecorderOptions, opened: Opened) {
    this.#options = options;
    this.#keepFreeBytes = options.keepFreeBytes ?? keptFreeBytes(dirname(options.path));
    this.#recording = opened.recording ?? Bun.randomUUIDv7();
    this.#writer = null;
    this.#lock = opened.lock;
    this.#isUntouched = opened.isNew;
    this.#segment = opened.segment;
    this.#last = opened.last;
    const last_ms = opened.last?.elapsed_ms ?? null;
    this.#detector = new Detector({ interval_ms: options.interval_ms, open: opened.open, last_ms });
    this.#seq = opened.last === null ? 0 : opened.last.seq + 1;
    this.#syncTimer = setInterval(() => this.#sync(), SYNC_MS);
    this.#done = this.#run();
  }

  async #repair({ file, repair, unclosed }: Opened): Promise<void> {
    if (file === null) return;
    const keepBytes = repair?.keepBytes ?? 0;
    if (keepBytes < file.size) file.truncate(keepBytes);
    this.#closedBytes = -file.size;
    const { codec } = this.#options;
    const continued = repair && { chain: repair.chain, unclosed, isOpen: !(await hasAppended(file, repair.closing)) };
    this.#writer = new SegmentWriter(file, codec, this.#header(), this.#detector, continued);
  }

  /** Takes a frame to be written. Where the disk does not keep up it is dropped, and a later frame says so. */
  offer(frame: Frame): void {
    this.#queue.push(frame);
  }

  /** Begins a new segment after the frame under way. */
  rotate(): void {
    this.#isRotationDue = true;
  }

  get status(): RecorderStatus {
    const writtenBytes = this.#closedBytes + (this.#writer?.file.size ?? 0);
    return { frames: this.#frames, writtenBytes, missing: this.#missingTotal + this.#queue.dropped };
  }

  /** Writes what was offered, and closes the recording. Rejects where its end could not be written. */
  async close(): Promise<void> {
    this.#queue.close();
    await this.#done;
    clearInterval(this.#syncTimer);
    try {
      await this.#writer?.end();
    } finally {
      this.#writer?.abandon();
      if (this.#isUntouched) unlinkSync(this.#options.path);
      this.#lock.close();
    }
  }

  async #run(): Promise<void> {
    for (;;) {
      const frame = await this.#queue.next();
      if (frame === null) return;
      await this.#record(frame);
    }
  }

  async #record(offered: Frame): Promise<void> {
    try {
      await this.#makeRoom();
      const writer = this.#writer ?? this.#begin();
      const dropped = this.#queue.droppedSince;
      // What had to be left out is not in the recording: nobody shall find events in it.
      const { frame, line } = fitFrame(this.#numbered(offered, dropped), MAX_LINE_BYTES, frameLine);
      await writer.append(frame, this.#encode(line));
      this.#queue.saidDropped(dropped);
      this.#written();
    } catch (error) {
      this.#failed(systemWords(error));
      return;
    }
    try {
      await this.#rotateIfDue();
    } catch (error) {
      this.#say(`cannot close the segment: ${systemWords(error)}`);
    }
  }

  #written(): void {
    if (this.#missing > 0) this.#say(`recording again, ${this.#missing} frames are missing`);
    this.#missing = 0;
    this.#isUntouched = false;
    this.#seq++;
    this.#frames++;
  }

  #failed(words: string): void {
    if (this.#missing === 0) this.#say(`recording pauses: ${words}; it goes on when that is over`);
    this.#missingReason = words;
    this.#missing++;
    this.#missingTotal++;
  }

  #say(message: string): void {
    this.#options.tell(`${this.#options.path}: ${message}`);
  }

  /** The frame as it stands in the recording: counted over all of it, and with what was lost before it. */
  #numbered(offered: Frame, dropped: number): Frame {
    this.#elapsed_ms ??= this.#elapsedBase(offered);
    const errors = [...offered.errors];
    if (this.#missing > 0) errors.push(`recording: ${this.#missing} frames missing, ${this.#missingReason}`);
    if (dropped > 0) errors.push(`recording: ${dropped} frames dropped, the disk did not keep up`);
    return { ...offered, seq: this.#seq, elapsed_ms: this.#elapsed_ms + (offered.elapsed_ms ?? 0), errors };
  }

  /** A continued recording goes on by the difference of the wall clocks, never backwards. */
  #elapsedBase(first: Frame): number {
    const own_ms = first.elapsed_ms ?? 0;
    if (this.#last === null) return -own_ms;
    return this.#last.elapsed_ms + Math.max(0, first.t_ms - this.#last.t_ms) - own_ms;
  }

  #encode(line: string): Uint8Array {
    const bytes = encoder.encode(`${line}\n`);
    this.#queue.frameBytes = bytes.length;
    return bytes;
  }

  #header(): Header {
    const { interval_ms, source, hosts, version } = this.#options;
    return {
      t_ms: Date.now(),
      interval_ms,
      source,
      hosts,
      all_smi_version: version,
      recording: this.#recording,
      segment: this.#segment,
      first_seq: this.#seq,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    };
  }

  /** Creates the next segment. Only then the lock on the one before is given up, which therefore stays until then. */
  #begin(): SegmentWriter {
    const { path, codec, maxFiles } = this.#options;
    removeSurplus(path, Math.max(1, maxFiles - 1));
    const file = AppendFile.create(path);
    if (!lockFile(file.fd)) {
      file.close();
      throw new Error("another all-smi has begun to record to it");
    }
    this.#lock.close();
    this.#lock = file;
    this.#writer = new SegmentWriter(file, codec, this.#header(), this.#detector);
    removeSurplus(path, maxFiles - 1);
    return this.#writer;
  }

  async #rotateIfDue(): Promise<void> {
    const { path, maxSizeBytes, maxFiles } = this.#options;
    const writer = this.#writer;
    if (writer === null) return;
    const isFull = maxSizeBytes > 0 && writer.file.size >= maxSizeBytes;
    if (!isFull && !this.#isRotationDue) return;
    await writer.end();
    const number = Math.max(this.#segment, nextNumber(path));
    renameSync(path, segmentPath(path, number));
    this.#closedBytes += writer.file.size;
    this.#isRotationDue = false;
    this.#writer = null;
    this.#segment = number + 1;
    syncDirectory(dirname(path));
    removeSurplus(path, maxFiles);
  }

  /** Below the space to keep free the oldest segments go; where that is not enough, recording pauses. */
  async #makeRoom(): Promise<void> {
    const { path } = this.#options;
    const directory = dirname(path);
    while (this.#keepFreeBytes > 0 && (await freeBytes(directory)) < this.#keepFreeBytes) {
      const kept = this.#writer === null ? 1 : 0;
      if (!removeOldest(path, kept)) throw new Error("less is free on the disk than --keep-free");
    }
  }

  #sync(): void {
    const file = this.#writer?.file;
    if (file === undefined || this.#isSyncing) return;
    this.#isSyncing = true;
    file
      .sync()
      .catch((error) => this.#say(`cannot bring it to the disk: ${systemWords(error)}`))
      .finally(() => {
        this.#isSyncing = false;
      });
  }
}
