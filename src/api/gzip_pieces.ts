import { constants, crc32, deflateRawSync } from "node:zlib";
import type { Body } from "./body.ts";

/** Of RFC 1952, 2.3: deflate, no time, no file name, from a system that is not told. */
const HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);

/** An empty last block with fixed codes (RFC 1951, 3.2.6), at a byte's beginning. */
const LAST_BLOCK = [3, 0] as const;
const TAIL_BYTES = 10;

/**
 * As blocks of deflate (RFC 1951) that refer to nothing before them and end with a byte, and so stand in any stream of
 * it behind any others.
 */
export const deflated = (bytes: Uint8Array): Uint8Array =>
  deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });

/**
 * A gzip stream of bodies, each of which can be read when it has come. They are compressed once, not once for each
 * stream: five hundred clients cost what one does, and none needs the memory of a compressor.
 */
export class GzipPieces {
  #crc = 0;
  #length = 0;
  #hasBegun = false;

  /** The stream's bytes for a body that goes on it. */
  add(body: Body): Uint8Array {
    const plain = body.bytes("identity");
    this.#crc = crc32(plain, this.#crc);
    this.#length += plain.length;
    return this.#begun(body.piece);
  }

  /** The stream's last bytes. */
  end(): Uint8Array {
    const tail = Buffer.alloc(TAIL_BYTES);
    tail.set(LAST_BLOCK);
    tail.writeUInt32LE(this.#crc, 2);
    tail.writeUInt32LE(this.#length % 2 ** 32, 6);
    return this.#begun(tail);
  }

  #begun(bytes: Uint8Array): Uint8Array {
    if (this.#hasBegun) return bytes;
    this.#hasBegun = true;
    return Buffer.concat([HEAD, bytes]);
  }
}
