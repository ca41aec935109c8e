import { frameLine } from "../frame/encode.ts";
import { fitFrame } from "../frame/fit.ts";
import type { Frame } from "../frame/frame.ts";
import { MAX_LINE_BYTES } from "./limits.ts";
import { type Header, headerLine } from "./lines.ts";
import { FrameQueue } from "./queue.ts";

/** Where a recording without a file goes; `false` when nobody reads it any more. */
export type Sink = (text: string) => Promise<boolean>;

/**
 * A recording as a stream of plain NDJSON: the header and the frames. Index lines would say where in a file things
 * stand, and here there is none. Frames are handed over with `offer`, which never waits.
 */
export class RecordingStream {
  readonly #sink: Sink;
  readonly #queue = new FrameQueue();
  readonly #header: Header;
  #seq = 0;
  /** Of the machine, in the frames so far. */
  #name: string | null = null;
  /** Resolves when all is written that will be, or nobody reads any more; rejects as the sink does. */
  readonly ended: Promise<void>;

  constructor(header: Header, sink: Sink) {
    this.#sink = sink;
    this.#header = header;
    this.ended = this.#run(Buffer.from(headerLine(header)).toString());
  }

  /** Takes a frame to be written. Where the reader does not keep up it is dropped, and a later frame says so. */
  offer(frame: Frame): void {
    this.#queue.push(frame);
  }

  async #run(header: string): Promise<void> {
    let isRead = await this.#sink(header);
    while (isRead) {
      const frame = await this.#queue.next();
      if (frame === null) return;
      isRead = await this.#sink(this.#line(frame));
    }
  }

  #line(offered: Frame): string {
    const dropped = this.#queue.droppedSince;
    const lost = dropped > 0 ? [`recording: ${dropped} frames dropped, the reader did not keep up`] : [];
    const header = this.#headerBefore(offered);
    const frame = { ...offered, seq: this.#seq++, errors: [...offered.errors, ...lost] };
    const line = `${fitFrame(frame, MAX_LINE_BYTES, frameLine).line}\n`;
    this.#queue.saidDropped(dropped);
    this.#queue.frameBytes = line.length;
    return header + line;
  }

  /** A machine that gets another name is the same: a new header tells it. */
  #headerBefore({ hostname, t_ms }: Frame): string {
    const isRenamed = this.#header.source === "local" && this.#name !== null && hostname !== this.#name;
    this.#name = hostname;
    if (!isRenamed) return "";
    return Buffer.from(headerLine({ ...this.#header, t_ms, hosts: [hostname], first_seq: this.#seq })).toString();
  }

  /** Writes what was offered. */
  async close(): Promise<void> {
    this.#queue.close();
    await this.ended;
  }
}
