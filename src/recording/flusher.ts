import type { Transform } from "node:stream";
import type { ZlibSteps } from "./zlib_steps.ts";

/** A compressing stream as calls: text in, the bytes that hold it out. */
export interface Flusher {
  /** Compresses `text` and flushes, or ends. Rejects where the stream failed; it is of no use then. */
  flush(text: Uint8Array | null, kind: number): Promise<Uint8Array>;
  close(): void;
}

/** A compressor of `node:zlib`, as far as it is used here. */
interface Compressor extends Transform {
  flush(kind: number, callback: () => void): void;
  close(): void;
}

/** Through the thread pool: two hops a flush, which a long text is worth. */
export class StreamFlusher implements Flusher {
  readonly #stream: Compressor;
  #out: Buffer[] = [];
  #failed: Error | null = null;
  #fail: ((error: Error) => void) | null = null;

  constructor(stream: Compressor) {
    this.#stream = stream;
    stream.on("data", (piece: Buffer) => this.#out.push(piece));
    stream.on("error", (error: Error) => {
      this.#failed = error;
      this.#fail?.(error);
    });
  }

  /** All output has come when the flush calls back. */
  async flush(text: Uint8Array | null, kind: number): Promise<Uint8Array> {
    if (this.#failed !== null) throw this.#failed;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#fail = reject;
    if (text !== null && text.length > 0) this.#stream.write(text);
    this.#stream.flush(kind, resolve);
    await promise;
    this.#fail = null;
    const out = Buffer.concat(this.#out);
    this.#out = [];
    return out;
  }

  close(): void {
    this.#stream.destroy();
  }
}

const NOTHING = new Uint8Array(0);

/** What a flush may give beyond its text: zstd's own bound (`ZSTD_compressBound`), and the ends of blocks and frame. */
const boundBytes = (textBytes: number): number => textBytes + (textBytes >> 8) + 1024;

/** On the spot: a text of some KB takes less time than the hops to the thread pool and back. */
export class StepFlusher implements Flusher {
  readonly #steps: ZlibSteps;
  /** Kept, as memory from the system anew each time costs as much as to compress into it. */
  #room = NOTHING;

  constructor(steps: ZlibSteps) {
    this.#steps = steps;
  }

  async flush(text: Uint8Array | null, kind: number): Promise<Uint8Array> {
    const input = text ?? NOTHING;
    if (this.#room.length < boundBytes(input.length)) this.#room = new Uint8Array(boundBytes(input.length));
    const { consumedBytes, producedBytes } = this.#steps.step(input, this.#room, kind);
    if (consumedBytes < input.length || producedBytes === this.#room.length) throw new Error("compression fell short");
    return this.#room.slice(0, producedBytes);
  }

  close(): void {
    this.#steps.close();
  }
}
