import { frameLine } from "../frame/encode.ts";
import type { Frame } from "../frame/frame.ts";
import { type Header, headerLine } from "./lines.ts";

/** Where a recording without a file goes; `false` when nobody reads it any more. */
export type Sink = (text: string) => Promise<boolean>;

/**
 * A recording as a stream of plain NDJSON: the header and the frames. Index lines would say where in a file things
 * stand, and here there is none.
 */
export class RecordingStream {
  readonly #sink: Sink;
  #written: Promise<boolean>;
  #frames = 0;
  #bytes = 0;

  constructor(header: Header, sink: Sink) {
    this.#sink = sink;
    this.#written = this.#put(Buffer.from(headerLine(header)).toString());
  }

  /** Writes the frame after those before it; resolves to `false` when nobody reads any more. */
  write(frame: Frame): Promise<boolean> {
    const line = `${frameLine(frame)}\n`;
    this.#frames++;
    this.#written = this.#written.then((isRead) => isRead && this.#put(line));
    return this.#written;
  }

  #put(text: string): Promise<boolean> {
    this.#bytes += text.length;
    return this.#sink(text);
  }

  get status(): { frames: number; writtenBytes: number; missing: number } {
    return { frames: this.#frames, writtenBytes: this.#bytes, missing: 0 };
  }

  async close(): Promise<void> {
    await this.#written;
  }
}
