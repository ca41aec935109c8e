import type { Transform } from "node:stream";

/** A compressor of `node:zlib`, as far as it is used here. */
interface Compressor extends Transform {
  flush(kind: number, callback: () => void): void;
  close(): void;
}

/** Turns a compressing stream into calls: text in, the bytes that hold it out. */
export class Flusher {
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

  /** Compresses `text` and flushes; all output has come when the flush calls back. */
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
