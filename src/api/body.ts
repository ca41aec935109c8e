import type { Encoding } from "./accept.ts";
import { deflated } from "./gzip_pieces.ts";

/** A text that is served often: each encoding of it is made when it is first asked for, and once. */
export class Body {
  readonly #plain: Uint8Array<ArrayBuffer>;
  readonly #encoded = new Map<Encoding, Uint8Array<ArrayBuffer>>();
  #piece: Uint8Array | null = null;

  constructor(text: string) {
    this.#plain = new TextEncoder().encode(text);
  }

  bytes(encoding: Encoding): Uint8Array<ArrayBuffer> {
    if (encoding === "identity") return this.#plain;
    const known = this.#encoded.get(encoding);
    if (known !== undefined) return known;
    const made = encoding === "gzip" ? Bun.gzipSync(this.#plain) : new Uint8Array(Bun.zstdCompressSync(this.#plain));
    this.#encoded.set(encoding, made);
    return made;
  }

  /** As a part of any gzip stream. */
  get piece(): Uint8Array {
    this.#piece ??= deflated(this.#plain);
    return this.#piece;
  }
}
