import { dirname } from "node:path";
import { ownZone } from "../clock/zone.ts";
import { systemWords, UsageError } from "../errors.ts";
import { Detector } from "../events/detector.ts";
import { frameLine } from "../frame/encode.ts";
import { fitFrame } from "../frame/fit.ts";
import type { Frame } from "../frame/frame.ts";
import { ActiveSegment } from "./active_segment.ts";
import { ClosedSegments } from "./closed_segments.ts";
import type { Codec } from "./codec.ts";
import { MAX_LINE_BYTES } from "./limits.ts";
import type { Header } from "./lines.ts";
import { nameInHeader } from "./name.ts";
import { type Opened, openRecording } from "./open.ts";
import { FrameQueue } from "./queue.ts";
import { freeBytes, keptFreeBytes } from "./room.ts";
import type { SegmentWriter } from "./segment_writer.ts";

export interface RecorderOptions {
  readonly path: string;
  readonly codec: Codec;
  /** A segment is closed at this many bytes on disk; 0: never. */
  readonly maxSizeBytes: number;
  /** Segments kept, the active one included. */
  readonly maxFiles: number;
  /** Below this the oldest segments go that the last hour does not need, then recording pauses; `null`: the default. */
  readonly keepFreeBytes: number | null;
  readonly interval_ms: number;
  readonly source: "local" | "remote";
  readonly hostname: string;
  readonly hosts: readonly string[];
  /** Tells the machine of a local recording from others, where anything does. */
  readonly machine?: string | null;
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

/** After a pause there must be room for more than the one frame that happens to be small: else it soon pauses again. */
const RESUME_BYTES = 16 << 10;
const encoder = new TextEncoder();
const NEWLINE = 10;

function keptFreeOf(directory: string): number {
  try {
    return keptFreeBytes(directory);
  } catch (error) {
    throw new UsageError(`${directory}: ${systemWords(error)}`);
  }
}

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
  readonly #active: ActiveSegment;
  #hosts: readonly string[];
  /** Of the machine, in the frames so far. */
  #name: string;
  #seq: number;
  /** What is added to a frame's own `elapsed_ms`; set by the first frame. */
  #elapsed_ms: number | null = null;
  readonly #last: Opened["last"];
  /** Of the recording that it continues, as far as they were counted; 0 where it is a new one. */
  readonly earlierFrames: number;
  #room = new Uint8Array(0);
  /** Where the first frame that is missing stood: what was before it stays, however long the pause is. */
  #pausedAt_ms: number | null = null;
  #missing = 0;
  #missingReason = "";
  #missingTotal = 0;
  /** Why a segment that is due to be closed is not; `""`: none is. */
  #unclosedReason = "";
  #frames = 0;

  /** Throws a UsageError where the path cannot be recorded to. */
  static async open(options: RecorderOptions): Promise<Recorder> {
    const { path } = options;
    const keepFreeBytes = options.keepFreeBytes ?? keptFreeOf(dirname(path));
    const opened = await openRecording(options);
    const recorder = new Recorder(options, opened, keepFreeBytes);
    try {
      await recorder.#active.continue(opened);
      return recorder;
    } catch (error) {
      throw new Error(`${path}: cannot be gone on with: ${systemWords(error)}`);
    }
  }

  private constructor(options: RecorderOptions, opened: Opened, keepFreeBytes: number) {
    this.#options = options;
    this.#hosts = options.hosts;
    this.#name = options.hostname;
    this.#keepFreeBytes = keepFreeBytes;
    this.#recording = opened.recording ?? Bun.randomUUIDv7();
    this.#last = opened.last;
    this.earlierFrames = opened.last === null ? 0 : opened.last.seq + 1;
    this.#seq = this.earlierFrames;
    const { interval_ms } = options;
    const detector = new Detector({ interval_ms, open: opened.open, last_ms: opened.last?.elapsed_ms ?? null });
    const header = (segment: number) => this.#header(segment);
    const closed = new ClosedSegments(options.path, this.#recording, opened.closed);
    const say = (message: string) => this.#say(message);
    this.#active = new ActiveSegment({ ...options, header, closed, say }, detector, opened);
    this.#done = this.#run();
  }

  /** Takes a frame to be written. Where the disk does not keep up it is dropped, and a later frame says so. */
  offer(frame: Frame): void {
    this.#queue.push(frame);
  }

  /** Begins a new segment after the frame under way. */
  rotate(): void {
    this.#active.rotateSoon();
  }

  get status(): RecorderStatus {
    const { writtenBytes } = this.#active;
    return { frames: this.#frames, writtenBytes, missing: this.#missingTotal + this.#queue.dropped };
  }

  /** Writes what was offered, and closes the recording. Rejects where its end could not be written. */
  async close(): Promise<void> {
    this.#queue.close();
    await this.#done;
    await this.#active.close();
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
      await this.#makeRoom(offered);
      const writer = await this.#active.writer();
      if (this.#missing > 0) await writer.file.probe(RESUME_BYTES);
      this.#followName(offered, writer);
      const dropped = this.#queue.droppedSince;
      // What had to be left out is not in the recording: nobody shall find events in it.
      const { frame, line } = fitFrame(this.#numbered(offered, dropped), MAX_LINE_BYTES, frameLine);
      await writer.append(frame, this.#encode(line));
      this.#queue.saidDropped(dropped);
      this.#written();
    } catch (error) {
      this.#pausedAt_ms ??= this.#place_ms(offered);
      this.#failed(systemWords(error));
      // The timeline begins with a frame that is there.
      if (this.#frames === 0) this.#elapsed_ms = null;
      return;
    }
    try {
      await this.#active.rotateIfDue(this.#place_ms(offered));
      this.#unclosedReason = "";
    } catch (error) {
      const words = systemWords(error);
      if (words !== this.#unclosedReason) this.#say(`cannot close the segment: ${words}; it is tried again`);
      this.#unclosedReason = words;
    }
  }

  /** A machine that gets another name is the same: a new header tells it. */
  #followName({ hostname }: Frame, writer: SegmentWriter): void {
    if (this.#options.source !== "local" || hostname === this.#name) return;
    this.#say(`the machine is called ${hostname} now, no longer ${this.#name}`);
    this.#name = hostname;
    this.#hosts = [hostname];
    writer.restate(this.#header(this.#active.number));
  }

  #written(): void {
    if (this.#missing > 0) this.#say(`recording again, ${this.#missing} frames are missing`);
    this.#missing = 0;
    this.#pausedAt_ms = null;
    this.#active.touched();
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
    const errors = [...offered.errors];
    if (this.#missing > 0) errors.push(`recording: ${this.#missing} frames missing, ${this.#missingReason}`);
    if (dropped > 0) errors.push(`recording: ${dropped} frames dropped, the disk did not keep up`);
    return { ...offered, seq: this.#seq, elapsed_ms: this.#place_ms(offered), errors };
  }

  /** Where a frame stands on the recording's timeline. */
  #place_ms(offered: Frame): number {
    this.#elapsed_ms ??= this.#elapsedBase(offered);
    return this.#elapsed_ms + (offered.elapsed_ms ?? 0);
  }

  /** A continued recording goes on by the difference of the wall clocks, never backwards. */
  #elapsedBase(first: Frame): number {
    const own_ms = first.elapsed_ms ?? 0;
    if (this.#last === null) return -own_ms;
    return this.#last.elapsed_ms + Math.max(0, first.t_ms - this.#last.t_ms) - own_ms;
  }

  /** Into the same room each time: that of a large line, got anew from the system, costs as much as to fill it. */
  #encode(line: string): Uint8Array {
    const length = Buffer.byteLength(line) + 1;
    if (this.#room.length < length) this.#room = new Uint8Array(length);
    const { written } = encoder.encodeInto(line, this.#room);
    this.#room[written] = NEWLINE;
    this.#queue.frameBytes = written + 1;
    return this.#room.subarray(0, written + 1);
  }

  #header(segment: number): Header {
    const { interval_ms, source, machine, version } = this.#options;
    return {
      t_ms: Date.now(),
      interval_ms,
      source,
      hosts: this.#hosts,
      all_smi_version: version,
      recording: this.#recording,
      segment,
      ...(machine != null && { machine }),
      file: nameInHeader(this.#options.path),
      first_seq: this.#seq,
      timezone: ownZone(),
    };
  }

  /** Below the space to keep free the oldest segments go; where that is not enough, recording pauses. */
  async #makeRoom(offered: Frame): Promise<void> {
    const directory = dirname(this.#options.path);
    const now_ms = this.#pausedAt_ms ?? this.#place_ms(offered);
    const wantedBytes = this.#keepFreeBytes + (this.#missing > 0 ? RESUME_BYTES : 0);
    while (this.#keepFreeBytes > 0 && (await freeBytes(directory)) < wantedBytes) {
      if (!(await this.#active.removeOldest(now_ms))) throw new Error("less is free on the disk than --keep-free");
    }
  }
}
